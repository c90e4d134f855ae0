"""``execsvc completion``: the script by which a shell completes commands, options and bots."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from execsvc.cli.exit_codes import exit_codes
from execsvc.exit_codes import DONE

# A \b keeps the lines that follow as they are; a raw docstring would show it.
_HELP = """Print the completion script for SHELL, bash 4.4 or newer, zsh or fish.

\b
bash:  eval "$(execsvc completion bash)"    in ~/.bashrc
zsh:   eval "$(execsvc completion zsh)"     in ~/.zshrc, after compinit
fish:  execsvc completion fish | source     in ~/.config/fish/config.fish
"""


@click.command(help=_HELP, epilog=exit_codes((DONE, "printed")))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell."""
    made = get_completion_class(shell)
    assert made is not None
    program = click.get_current_context().find_root().command
    # Not its own source(): that of bash starts a bash to look at its version.
    click.echo(ShellComplete.source(made(program, {}, "execsvc", "_EXECSVC_COMPLETE")))
