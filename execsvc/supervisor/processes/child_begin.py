"""The first steps of a forked child, before any work of its own."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Collection
from typing import NoReturn

from loguru import logger

_STANDARD = 3
_FAULT = 1
_RESET = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCHLD,
)


def begin(work: Callable[[], int], keep: Collection[int]) -> NoReturn:
    """Close and reset what was inherited, then work, then exit without any exit handler.

    Signals are blocked until ``work`` unblocks them: none is lost meanwhile, whatever its
    disposition.
    """
    code = _FAULT
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for signum in _RESET:
            signal.signal(signum, signal.SIG_DFL)
        close_all_but(keep)
        gc.freeze()  # what the supervisor made since it froze; pages stay shared
        code = work()
    except BaseException:  # noqa: BLE001 (the outermost frame of this process)
        logger.bind(event="process_failed").opt(exception=True).critical(
            "a child of the supervisor failed"
        )
    finally:
        _leave(code)


def close_all_but(keep: Collection[int]) -> None:
    """Close every descriptor but the standard ones and ``keep``.

    The descriptors are closed and nothing else: one that is unregistered from an epoll that is shared
    with the supervisor would be unregistered there.
    """
    last = _STANDARD
    for descriptor in sorted(keep):
        os.closerange(last, descriptor)
        last = descriptor + 1
    os.closerange(last, _highest() + 1)


def _highest() -> int:
    return max(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208


def _leave(code: int) -> NoReturn:
    try:
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        pass  # the stream is read no more
    finally:
        os._exit(code)  # before any exit handler of multiprocessing, which waits for threads
