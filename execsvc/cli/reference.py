"""The tables that ``execsvc help TOPIC`` prints and that the pages show, made from the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One entry of a table."""

    cells: tuple[str | int | None, ...]
    """The cells, as many as the table has columns; None is an empty one."""
    about: str
    details: tuple[str, ...] = ()
    """The labels of a metric, or the fields of an event."""


class Table(NamedTuple):
    """A topic's table."""

    note: str
    """A sentence that holds for all rows."""
    columns: tuple[str, ...]
    """The names of the cells, which are those of the members of a JSON object as well."""
    details: str | None
    """The name of ``Row.details``; None where the rows have none."""
    rows: tuple[Row, ...]

    def documents(self) -> list[dict[str, Any]]:
        """The rows as JSON objects."""
        return [self._document(row) for row in self.rows]

    def _document(self, row: Row) -> dict[str, Any]:
        more = {} if self.details is None else {self.details: list(row.details)}
        return {**dict(zip(self.columns, row.cells, strict=True)), **more, "about": row.about}


def settings() -> Table:
    """Every variable with its default, and whether a reload is enough to change it."""
    from execsvc.settings.checks import IN_FLIGHT
    from execsvc.settings.model import Settings, variable_of

    rows = tuple(
        Row(
            (
                variable_of(name),
                None if field.is_required() else _in_env_file(field.default),
                "reload" if name in IN_FLIGHT else "restart",
            ),
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    )
    note = "Times are in seconds. A change takes effect with a reload (HUP) or only with a restart."
    return Table(note, ("variable", "default", "changed_by"), None, rows)


def _in_env_file(value: object) -> str | None:
    """``value`` as an env file would give it; None for none."""
    if value is None:
        return None
    return f"{value:g}" if isinstance(value, float) else str(getattr(value, "value", value))


def events() -> Table:
    """Every event of the log: those about a bot first."""
    from execsvc.events import EVENTS
    from execsvc.logs.journal import FIELDS

    rows = [
        Row(
            (name, event.level, "bot" if "bot_id" in event.fields else "service"),
            event.when,
            tuple(FIELDS[field] for field in event.fields if field != "bot_id"),
        )
        for name, event in EVENTS.items()
    ]
    note = "The level is the highest at which an event is logged. Events of a bot have BOT_ID too."
    columns = ("event", "level", "of")
    return Table(note, columns, "fields", tuple(sorted(rows, key=_is_of_service)))


def _is_of_service(row: Row) -> bool:
    return row.cells[2] == "service"


def metrics() -> Table:
    """Every metric of ``/metrics`` with its labels."""
    from execsvc.control_plane.metric_names import METRICS

    rows = tuple(
        Row((metric.name, metric.kind), metric.about, tuple(metric.labels)) for metric in METRICS
    )
    note = "GET /metrics shows them in the format of Prometheus (pip install 'execsvc[metrics]')."
    return Table(note, ("metric", "kind"), "labels", rows)


def exit_codes() -> Table:
    """Every exit code of the commands, and those of a bot's process, which the log names."""
    from execsvc.cli.exit_codes import MEANINGS
    from execsvc.runner.report import CODE_MEANINGS

    rows = [Row((code, "command"), about) for code, about in MEANINGS.items()]
    rows += [Row((code, "bot"), about) for code, about in CODE_MEANINGS.items()]
    note = (
        "Of a command: its --help has the meaning of each. Of a bot: of its process, in the log;"
        " any other code, or an end without being asked, is a crash."
    )
    return Table(note, ("code", "of"), None, tuple(rows))


TOPICS: Mapping[str, Callable[[], Table]] = {
    "settings": settings,
    "events": events,
    "metrics": metrics,
    "exit-codes": exit_codes,
}
