"""The command line: one file a command, loaded when the command is called.

``execsvc run`` forks all of its children from this process, so every bot would pay in memory for
the imports of another command.
"""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import click
from click.shell_completion import CompletionItem

import execsvc
from execsvc.cli import output
from execsvc.cli.output import plain_text
from execsvc.errors import ConfigRefused, ExecsvcError, Unavailable
from execsvc.exit_codes import CUT_SHORT, DONE, FAULT, INTERRUPTED, REFUSED, UNREACHABLE

COMMANDS = {
    "run": "Run the daemon, in the foreground.",
    "check": "Check the configuration, and that both services are reachable.",
    "doctor": "Check everything the service depends on; name each remedy.",
    "status": "Show the table of bots.",
    "log": "Show a bot's execution log.",
    "stop": "Stop one bot: it ends flat and is HELD.",
    "halt": "Stop every bot flat, and start none (the kill switch).",
    "resume": "End a halt.",
    "strategies": "Show the known strategies and their parameters.",
    "settle": "Decide a contested order by hand.",
    "release": "Book coins that are gone; end HELD and FAILED.",
    "store": "Make and examine the PostgreSQL that several hosts share.",
    "hosts": "Show the hosts that share a PostgreSQL.",
    "alert": "Send a message to the alert URLs, to try them.",
    "replay": "Run a strategy on recorded markets.",
    "record": "Record a live market for replay.",
    "sandbox": "Run a local BotService and paper exchange on one port.",
    "completion": "Print the script by which a shell completes commands and bots.",
    "demo": "Run sandbox, three bots and the daemon together, until Ctrl-C.",
    "help": "Print a table made from the code, or the help of a command.",
}
"""Each command, which is ``execsvc.cli.<name>.<name>``, and its short help."""

_CODES: dict[type[Exception], int] = {ConfigRefused: REFUSED, Unavailable: UNREACHABLE}


class _ReaderLost(Exception):
    """The reader of our output has left. Click would make exit code 1 of it."""


@contextmanager
def _detect_lost_reader() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _ReaderLost from error


class _Commands(click.Group):
    """A group that imports a command's module when that command is called."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        with _detect_lost_reader():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _detect_lost_reader():
            return super().invoke(ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = [item for item in COMMANDS.items() if item[0].startswith(incomplete)]
        items = [CompletionItem(name, help=meaning) for name, meaning in found]
        return items + click.Command.shell_complete(self, ctx, incomplete)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"execsvc.cli.{cmd_name}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Exit codes are listed in the help of each command.",
)
@click.version_option(execsvc.__version__, message="%(prog)s %(version)s")
def program() -> None:
    """An execution service for trading bots."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; an expected error is one line on stderr."""
    # Where the caller ignores it the kernel reaps our children: exit codes are lost, a pid is another's.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output.accept_any_character()
    code, error = _outcome(arguments)
    lost = output.last_flush(sys.stdout)
    if lost is not None:
        code = code or _code_of_lost_stream(lost)
    with suppress(OSError):
        for line in _error_lines(error, lost):
            click.echo(f"execsvc: {plain_text(line)}", err=True)
    lost_stderr = output.last_flush(sys.stderr)
    return code if lost_stderr is None else code or _code_of_lost_stream(lost_stderr)


def _outcome(arguments: Sequence[str] | None) -> tuple[int, Exception | None]:
    """Run one command; its exit code, and the error that ended it, if one is to be printed."""
    try:
        code = program.main(arguments, prog_name="execsvc", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED, None
    except (_ReaderLost, BrokenPipeError):
        return CUT_SHORT, None
    except SystemExit as left:  # click ends the completion of a shell in this way
        code = left.code
    except (click.ClickException, ExecsvcError, OSError) as error:
        return _code(error), error
    return code if isinstance(code, int) else DONE, None


def _error_lines(error: Exception | None, lost: OSError | None) -> Sequence[str]:
    """The lines about the end of a command and about a standard output that cannot be written."""
    if lost is None or isinstance(lost, BrokenPipeError):
        return [] if error is None else _lines(error)
    line = f"standard output: {lost.strerror}"
    if error is None or (isinstance(error, OSError) and error.errno == lost.errno):
        return [line]
    return [*_lines(error), line]


def _code_of_lost_stream(lost: OSError) -> int:
    return CUT_SHORT if isinstance(lost, BrokenPipeError) else FAULT


def _lines(error: Exception) -> Sequence[str]:
    if isinstance(error, ConfigRefused):
        return error.faults
    if isinstance(error, click.UsageError):
        asked = error.ctx.command_path if error.ctx else "execsvc"
        return [f"{error.format_message()} ({asked} --help)"]
    return [error.format_message() if isinstance(error, click.ClickException) else str(error)]


def _code(error: Exception) -> int:
    if isinstance(error, click.ClickException):
        return error.exit_code
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), FAULT)
