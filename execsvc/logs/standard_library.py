"""The records of the standard library's logging, which libraries use."""

from __future__ import annotations

import inspect
import logging

from loguru import logger

from execsvc.logs.render import PRIORITIES


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
