"""A record as text: one line, a block for a terminal, JSON."""

from __future__ import annotations

import json
import re
import traceback
from datetime import timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from execsvc.clock import iso
from execsvc.events import EVENTS
from execsvc.masking import masked, masked_json

if TYPE_CHECKING:
    from loguru import Record

_FIRST = ("bot_id", "bot_name", "strategy", "symbol", "event")
"""Fields that stand before the message in text; the others follow it."""
_IN_TEXT: dict[object, tuple[str, ...]] = {name: event.in_text for name, event in EVENTS.items()}
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
PRIORITIES = {
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
_ESCAPED = re.compile(f"[{re.escape(''.join(map(chr, _ESCAPES)))}]")
"""Finding that there is nothing to escape costs a fortieth of looking up each character."""


def as_text_line(record: Record) -> str:
    """One line, for a file or a pipe."""
    return one_line(f"{_time(record)} {record['level'].name:<8} {_body(record)}")


def as_prefixed_line(record: Record) -> str:
    """One line with its priority, for a journal, which stamps the time itself."""
    return f"<{PRIORITIES.get(record['level'].name, 6)}>{one_line(_body(record))}"


def as_text_block(record: Record) -> str:
    """A line, and under it those of the traceback, for a terminal."""
    lines = _body(record).split("\n")
    safe = "\n".join(one_line(line) for line in lines)
    return f"{_time(record)} {record['level'].name:<8} {safe}"


def as_coloured_block(record: Record) -> str:
    """As :func:`as_text_block`, in colours."""
    time, level, body = as_text_block(record).split(" ", 2)
    colour = _COLOURS.get(level, "0")
    return f"\x1b[2m{time}\x1b[0m \x1b[{colour}m{level:<8}\x1b[0m {body.lstrip(' ')}"


def as_json(record: Record) -> str:
    """One line, an object with all fields."""
    fields: dict[str, Any] = {
        "time": _time(record),
        "level": record["level"].name,
        "message": record["message"],
    }
    for name, value in record["extra"].items():
        fields[f"{name}_" if name in _CORE else name] = _json_value(value)
    if record["exception"] is not None:
        fields["exception"] = traceback_text(record)
    # All ASCII: no line separator and no lone surrogate can get out.
    return masked_json(fields)


def _body(record: Record) -> str:
    extra = record["extra"]
    parts = [f"{name}={text_value(extra[name])}" for name in _FIRST if name in extra]
    parts.append(record["message"])
    shown = (*_FIRST, *_IN_TEXT.get(extra.get("event"), ()))
    parts += [f"{name}={text_value(extra[name])}" for name in extra if name not in shown]
    body = " ".join(parts)
    if record["exception"] is not None:
        body = f"{body}\n{traceback_text(record).rstrip()}"
    return masked(body)


def traceback_text(record: Record) -> str:
    """The traceback without the values of variables: one of them may be a token."""
    raised = record["exception"]
    return "" if raised is None else "".join(traceback.format_exception(*raised))


def _time(record: Record) -> str:
    return iso(record["time"].astimezone(timezone.utc))


def one_line(text: str) -> str:
    """``text`` with every control character and line separator escaped."""
    return text.translate(_ESCAPES) if _ESCAPED.search(text) else text


def plain_value(value: object) -> str:
    """``value`` as text; a Decimal without an exponent."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def text_value(value: object) -> str:
    """As :func:`plain_value`, quoted where a space would end it."""
    text = plain_value(value)
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text


def _json_value(value: object) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=str))
    except (ValueError, TypeError, RecursionError):
        return str(value)
