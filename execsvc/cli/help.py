"""``execsvc help``: the usage, the help of a command, or a table that is made from the code."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import click

from execsvc.cli import COMMANDS
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.output import table, terminal_width
from execsvc.exit_codes import DONE


class TableRow(NamedTuple):
    """One entry of a table."""

    cells: tuple[str | int | None, ...]
    """The cells, as many as the table has columns; None is an empty one."""
    about: str
    details: tuple[str, ...] = ()
    """The labels of a metric, or the fields of an event."""


class ReferenceTable(NamedTuple):
    """A topic's table."""

    note: str
    """A sentence that holds for all rows."""
    columns: tuple[str, ...]
    """The names of the cells, which are those of the members of a JSON object as well."""
    details: str | None
    """The name of ``TableRow.details``; None where the rows have none."""
    rows: tuple[TableRow, ...]

    def documents(self) -> list[dict[str, Any]]:
        """The rows as JSON objects."""
        return [self._document(row) for row in self.rows]

    def _document(self, row: TableRow) -> dict[str, Any]:
        more = {} if self.details is None else {self.details: list(row.details)}
        return {**dict(zip(self.columns, row.cells, strict=True)), **more, "about": row.about}


def settings_table() -> ReferenceTable:
    """Every variable with its default, and whether a reload is enough to change it."""
    from execsvc.settings.checks import RELOADABLE
    from execsvc.settings.model import Settings, variable_of

    rows = tuple(
        TableRow(
            (
                variable_of(name),
                None if field.is_required() else _in_env_file(field.default),
                "reload" if name in RELOADABLE else "restart",
            ),
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    )
    note = "Times are in seconds. A change takes effect with a reload (HUP) or only with a restart."
    return ReferenceTable(note, ("variable", "default", "changed_by"), None, rows)


def _in_env_file(value: object) -> str | None:
    """``value`` as an env file would give it; None for none."""
    if value is None:
        return None
    return f"{value:g}" if isinstance(value, float) else str(getattr(value, "value", value))


def events_table() -> ReferenceTable:
    """Every event of the log: those about a bot first."""
    from execsvc.events import EVENTS
    from execsvc.logs.journal import FIELDS

    rows = [
        TableRow(
            (name, event.level, "bot" if "bot_id" in event.fields else "service"),
            event.when,
            tuple(FIELDS[field] for field in event.fields if field != "bot_id"),
        )
        for name, event in EVENTS.items()
    ]
    note = "The level is the highest at which an event is logged. Events of a bot have BOT_ID too."
    columns = ("event", "level", "of")
    return ReferenceTable(note, columns, "fields", tuple(sorted(rows, key=_is_of_service)))


def _is_of_service(row: TableRow) -> bool:
    return row.cells[2] == "service"


def metrics_table() -> ReferenceTable:
    """Every metric of ``/metrics`` with its labels."""
    from execsvc.control_plane.metric_names import METRICS

    rows = tuple(
        TableRow((metric.name, metric.kind), metric.about, tuple(metric.labels))
        for metric in METRICS
    )
    note = "GET /metrics shows them in the format of Prometheus (pip install 'execsvc[metrics]')."
    return ReferenceTable(note, ("metric", "kind"), "labels", rows)


def exit_codes_table() -> ReferenceTable:
    """Every exit code of the commands, and those of a bot's process, which the log names."""
    from execsvc.cli.exit_codes import MEANINGS
    from execsvc.runner.report import CODE_MEANINGS

    rows = [TableRow((code, "command"), about) for code, about in MEANINGS.items()]
    rows += [TableRow((code, "bot"), about) for code, about in CODE_MEANINGS.items()]
    note = (
        "Of a command: its --help has the meaning of each. Of a bot: of its process, in the log;"
        " any other code, or an end without being asked, is a crash."
    )
    return ReferenceTable(note, ("code", "of"), None, tuple(rows))


TOPICS: Mapping[str, Callable[[], ReferenceTable]] = {
    "settings": settings_table,
    "events": events_table,
    "metrics": metrics_table,
    "exit-codes": exit_codes_table,
}


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


def _lines(made: ReferenceTable, width: int) -> Iterator[str]:
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
