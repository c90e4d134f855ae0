"""The log: loguru to stderr, set up once in each process, one line a record.

On a terminal it is coloured text. Elsewhere a record is one line whatever its message and
traceback hold, so that nothing that came from outside can forge a second one.
"""

from __future__ import annotations

import json
import logging
import os
import select
import traceback
from collections.abc import Callable
from datetime import timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loguru import logger

from execsvc.clock import iso

if TYPE_CHECKING:
    from loguru import Logger, Record

_STDERR = 2
_PATIENCE_MS = 200
_FIRST = ("bot_id", "strategy", "symbol", "event")
"""Fields that stand before the message in text; the others follow it."""
_CORE = ("time", "level", "message", "exception")
_COLOURS = {
    "TRACE": "2",
    "DEBUG": "36",
    "INFO": "32",
    "SUCCESS": "1;32",
    "WARNING": "33",
    "ERROR": "31",
    "CRITICAL": "1;37;41",
}
_PRIORITIES = {
    "TRACE": 7,
    "DEBUG": 7,
    "INFO": 6,
    "SUCCESS": 5,
    "WARNING": 4,
    "ERROR": 3,
    "CRITICAL": 2,
}
_ESCAPES = {
    code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
}


def setup(settings_level: str, settings_format: str) -> None:
    """Sends the records of this process to stderr; called again in each forked child."""
    _hold_standard_descriptors()
    output = _Output(_renderer(settings_format))
    logger.remove()
    logger.add(
        lambda message: output.write(message.record),
        level=settings_level,
        format=lambda _: "",
        backtrace=False,
        diagnose=False,
        catch=True,
    )
    logging.basicConfig(handlers=[_FromStandardLogging()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)


def bound(
    bot_id: str | None = None, strategy: str | None = None, symbol: str | None = None
) -> Logger:
    """A logger whose records name the bot that they are about."""
    fields = {"bot_id": bot_id, "strategy": strategy, "symbol": symbol}
    return logger.bind(**{name: value for name, value in fields.items() if value is not None})


def _renderer(settings_format: str) -> Callable[[Record], str]:
    if settings_format == "json":
        return _as_json
    if settings_format == "journald" or (settings_format == "auto" and _journal_listens()):
        # The place for journald's native protocol; the prefix is what every systemd understands.
        return _as_journal_line
    if os.isatty(_STDERR):
        plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        return _as_text_block if plain else _as_coloured_block
    return _as_text_line


def _journal_listens() -> bool:
    """True when systemd connected stderr to its journal (``$JOURNAL_STREAM`` names it)."""
    try:
        status = os.fstat(_STDERR)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _as_text_line(record: Record) -> str:
    return _one_line(f"{_time(record)} {record['level'].name:<8} {_body(record)}")


def _as_journal_line(record: Record) -> str:
    # The journal stamps the time itself.
    return f"<{_PRIORITIES.get(record['level'].name, 6)}>{_one_line(_body(record))}"


def _as_text_block(record: Record) -> str:
    lines = _body(record).split("\n")
    safe = "\n".join(_one_line(line) for line in lines)
    return f"{_time(record)} {record['level'].name:<8} {safe}"


def _as_coloured_block(record: Record) -> str:
    time, level, body = _as_text_block(record).split(" ", 2)
    colour = _COLOURS.get(level, "0")
    return f"\x1b[2m{time}\x1b[0m \x1b[{colour}m{level:<8}\x1b[0m {body.lstrip(' ')}"


def _as_json(record: Record) -> str:
    fields: dict[str, Any] = {
        "time": _time(record),
        "level": record["level"].name,
        "message": record["message"],
    }
    for name, value in record["extra"].items():
        fields[f"{name}_" if name in _CORE else name] = _json_value(value)
    if record["exception"] is not None:
        fields["exception"] = _traceback(record)
    # All ASCII: no line separator and no lone surrogate can get out.
    return json.dumps(fields)


def _body(record: Record) -> str:
    extra = record["extra"]
    parts = [f"{name}={_text_value(extra[name])}" for name in _FIRST if name in extra]
    parts.append(record["message"])
    parts += [f"{name}={_text_value(extra[name])}" for name in extra if name not in _FIRST]
    body = " ".join(parts)
    return body if record["exception"] is None else f"{body}\n{_traceback(record).rstrip()}"


def _traceback(record: Record) -> str:
    """The traceback without the values of variables: one of them may be a token."""
    raised = record["exception"]
    return "" if raised is None else "".join(traceback.format_exception(*raised))


def _time(record: Record) -> str:
    return iso(record["time"].astimezone(timezone.utc))


def _one_line(text: str) -> str:
    return text.translate(_ESCAPES)


def _text_value(value: object) -> str:
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text


def _json_value(value: object) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=str))
    except (ValueError, TypeError, RecursionError):
        return str(value)


class _Output:
    """Standard error, as long as somebody reads it.

    A log that nobody reads any more (closed pipe, full disk) ends no process, and one that is
    not read at present (a pipe that is full) holds none up: what does not fit is left out.
    """

    def __init__(self, render: Callable[[Record], str]) -> None:
        self._render = render
        self._poll = select.poll()
        self._poll.register(_STDERR, select.POLLOUT)
        self._left_out = 0

    def write(self, record: Record) -> None:
        """One write a record, so that the lines of several processes do not mix."""
        # Who has not read for that long is not waited for again before it reads.
        if not self._poll.poll(0 if self._left_out else _PATIENCE_MS):
            self._left_out += 1
            return
        line = self._render(record)
        if self._left_out:
            said = f"{self._left_out} lines were left out: nobody read the log"
            missing: Any = {**record, "message": said, "exception": None, "extra": {}}
            line = f"{self._render(missing)}\n{line}"
            self._left_out = 0
        data = (line + "\n").encode("utf-8", "backslashreplace")
        try:
            while data and self._poll.poll(_PATIENCE_MS):
                # Room for PIPE_BUF bytes is what a pipe that is ready to be written promises.
                data = data[os.write(_STDERR, data[: select.PIPE_BUF]) :]
        except OSError:
            return


def _hold_standard_descriptors() -> None:
    """Fills 0, 1 and 2 when they are closed: a ledger opened as 2 would be written logs into."""
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= _STDERR:
        descriptor = os.dup(descriptor)
    os.close(descriptor)


class _FromStandardLogging(logging.Handler):
    """Takes the warnings of libraries (gunicorn, Flask, ``warnings``) into the same log."""

    def emit(self, record: logging.LogRecord) -> None:
        """One record of the standard library's logging."""
        level = record.levelname if record.levelname in _PRIORITIES else "WARNING"
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        logger.opt(exception=record.exc_info).bind(logger=record.name).log(level, "{}", text)
