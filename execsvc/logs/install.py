"""Sends the records of this process to their channels."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from loguru import logger

from execsvc.logs.journal import journal, listens
from execsvc.logs.output import LogChannel, Output
from execsvc.logs.render import (
    as_coloured_block,
    as_json,
    as_prefixed_line,
    as_text_block,
    as_text_line,
)
from execsvc.logs.standard_error import STDERR, StandardError
from execsvc.logs.standard_library import FromStandardLogging

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
