"""What libraries tell the standard library's logging."""

from __future__ import annotations

import inspect
import logging

from loguru import logger

from execsvc.logs.render import PRIORITIES


class FromStandardLogging(logging.Handler):
    """Takes the warnings of libraries (gunicorn, Flask, ``warnings``) into the same log."""

    def emit(self, record: logging.LogRecord) -> None:
        """One record of the standard library's logging."""
        level = record.levelname if record.levelname in PRIORITIES else "WARNING"
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = str(record.msg)
        told = logger.opt(exception=record.exc_info, depth=_depth()).bind(logger=record.name)
        told.log(level, "{}", text)


def _depth() -> int:
    """How many frames above :meth:`FromStandardLogging.emit` the record was made."""
    here = inspect.currentframe()
    depth, frame = 0, here and here.f_back
    while frame is not None and (depth == 0 or frame.f_code.co_filename == logging.__file__):
        depth, frame = depth + 1, frame.f_back
    return depth
