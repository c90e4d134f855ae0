"""``execsvc help``: the usage, the help of a command, or a table that is made from the code."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

import click

from execsvc.cli import COMMANDS
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.reference import TOPICS, Table
from execsvc.cli.table import table, terminal_width
from execsvc.exit_codes import DONE

_INDENT = " " * 4
_GAP = 2
_NARROW = 20
"""The most columns that cells may take for a description to stand beside them."""


@click.command("help", epilog=exit_codes((DONE, "printed")))
@click.argument("topic", type=click.Choice([*TOPICS, *COMMANDS]), metavar="[TOPIC]", required=False)
@click.option("--json", "as_json", is_flag=True, help="An array with an object for each row.")
@click.pass_context
def help(ctx: click.Context, topic: str | None, as_json: bool) -> None:  # noqa: A001
    """Print the table of settings, events, metrics or exit-codes, made from the code.

    Without TOPIC print the usage, with a command its help.
    """
    root = ctx.find_root()
    if as_json and topic not in TOPICS:
        raise click.UsageError(f"--json goes with {', '.join(TOPICS)}", ctx)
    if topic is None:
        click.echo(root.get_help())
    elif topic in COMMANDS:
        assert isinstance(root.command, click.Group)
        command = root.command.get_command(root, topic)
        assert command is not None
        click.echo(command.get_help(click.Context(command, root, topic)))
    elif as_json:
        click.echo(json.dumps(TOPICS[topic]().documents(), indent=2))
    else:
        click.echo("\n".join(_lines(TOPICS[topic](), terminal_width())))


def _lines(made: Table, width: int) -> Iterator[str]:
    """The cells of each row, and its description beside them where there is room, else beneath."""
    yield from [*textwrap.wrap(made.note, width), ""]
    rows = [["" if cell is None else str(cell) for cell in row.cells] for row in made.rows]
    heading = [name.replace("_", " ").upper() for name in made.columns]
    lines = table(heading, rows, width).split("\n")
    beside = max(map(len, lines)) + _GAP
    yield lines[0]
    for line, row in zip(lines[1:], made.rows, strict=True):
        about = [row.about, f"{made.details}: {' '.join(row.details)}"][: 1 + bool(row.details)]
        if beside <= _NARROW:
            first, *rest = _wrapped(about, width, " " * beside)
            yield from [line.ljust(beside) + first.lstrip(), *rest]
        else:
            yield from [line, *_wrapped(about, width, _INDENT)]


def _wrapped(paragraphs: list[str], width: int, indent: str) -> list[str]:
    return [
        line
        for text in paragraphs
        for line in textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)
    ]
