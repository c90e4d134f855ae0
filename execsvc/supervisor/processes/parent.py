"""The requests of the supervisor to the kernel before it becomes a parent."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import resource
import signal

from loguru import logger

_PR_SET_CHILD_SUBREAPER = 36
_STDERR = 2


def prepare() -> None:
    """Raise the limit of descriptors as far as allowed, and inherit every orphan of a runner.

    QUIT, with which systemd ends a loop that hangs, kills as before, and first writes the stack of the
    loop to stderr.
    """
    faulthandler.register(signal.SIGQUIT, file=_STDERR, all_threads=False, chain=True)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        logger.bind(event="subreaper_missing").warning(
            "this kernel has no subreapers: processes that a strategy leaves may live on"
        )
