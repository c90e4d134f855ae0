"""Sends the records of this process, and those of libraries, to their channels."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from loguru import logger

from execsvc.logs.journal import journal, listens
from execsvc.logs.output import LogChannel, Output
from execsvc.logs.render import (
    PRIORITIES,
    as_coloured_block,
    as_json,
    as_prefixed_line,
    as_text_block,
    as_text_line,
)
from execsvc.logs.standard_error import STDERR, StandardError

if TYPE_CHECKING:
    from loguru import Logger


def setup(settings_level: str, settings_format: str) -> None:
    """Send the records of this process to the log; may be called again in a forked child."""
    _hold_standard_descriptors()
    output = Output(_channels(settings_format))
    logger.remove()
    logger.add(
        lambda message: output.write(message.record),
        level=settings_level,
        format=lambda _: "",
        backtrace=False,
        diagnose=False,
        catch=True,
    )
    logging.basicConfig(handlers=[FromStandardLogging()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)


def bound(
    bot_id: str | None = None,
    strategy: str | None = None,
    symbol: str | None = None,
    key_id: str | None = None,
    bot_name: str | None = None,
) -> Logger:
    """A logger whose records name their bot."""
    fields = {"bot_id": bot_id, "bot_name": bot_name}
    fields |= {"strategy": strategy, "symbol": symbol, "key_id": key_id}
    return logger.bind(**{name: value for name, value in fields.items() if value is not None})


def name_bot(bot_name: str) -> None:
    """Add the name of the one bot that the process works for to every record."""
    logger.configure(extra={"bot_name": bot_name} if bot_name else {})


def _channels(settings_format: str) -> Sequence[LogChannel]:
    """The channels of a record, which goes to the first that takes it."""
    if settings_format == "json":
        return [StandardError(as_json)]
    if settings_format == "journald" or (settings_format == "auto" and listens(STDERR)):
        # Every systemd understands the prefix, also without the library for the journal.
        return [*journal(), StandardError(as_prefixed_line)]
    if os.isatty(STDERR):
        plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        return [StandardError(as_text_block if plain else as_coloured_block)]
    return [StandardError(as_text_line)]


def _hold_standard_descriptors() -> None:
    """Open 0, 1 and 2 when they are closed: logs would be written into a ledger opened as 2."""
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= STDERR:
        descriptor = os.dup(descriptor)
    os.close(descriptor)


class FromStandardLogging(logging.Handler):
    """Takes the warnings of libraries (gunicorn, Flask, ``warnings``) into the same log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record of the standard library's logging."""
        level = record.levelname if record.levelname in PRIORITIES else "WARNING"
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        event = logger.opt(exception=record.exc_info, depth=_depth()).bind(logger=record.name)
        event.log(level, "{}", text)


def _depth() -> int:
    """The number of frames from :meth:`FromStandardLogging.emit` up to the one that made the
    record.
    """
    here = inspect.currentframe()
    depth, frame = 0, here and here.f_back
    while frame is not None and (depth == 0 or frame.f_code.co_filename == logging.__file__):
        depth, frame = depth + 1, frame.f_back
    return depth
