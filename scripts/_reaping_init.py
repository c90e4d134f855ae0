"""Run a command as a small init does: each process that it leaves is reaped as soon as it ends.

Usage: python _reaping_init.py COMMAND [ARGUMENTS…]

Where process 1 is slow, a process that ended after its parent stays visible as a zombie, and a test
that looks at it, or kills it, once too often passes. Under this program such a process is gone at
once. The program is a subreaper (Linux >= 3.4, no privileges needed): orphans among its descendants
become its children. A signal that is sent to it is passed on to the command; one that a terminal
sends reaches the command by itself.

Exit codes: the command's, 128 + N when signal N ended it, 127 when it cannot be started, and 125
when the kernel has no subreapers. Processes that the command leaves behind are named and killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
NO_SUBREAPER = 125
CANNOT_START = 127
PASSED_ON = {
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
}
CHANGED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that the interpreter ignores from its start; the command gets the default action."""


def main(command: list[str]) -> int:
    """Run ``command`` and return its exit code."""
    if not command:
        return _refuse(CANNOT_START, "no command")
    if not become_subreaper():
        return _refuse(NO_SUBREAPER, "this kernel has no subreapers")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON | {signal.SIGCHLD})
    # With an inherited SIG_IGN the kernel would reap by itself, and keep the exit code.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        child = os.posix_spawnp(
            command[0], command, os.environ, setsigmask=before, setsigdef=CHANGED_BY_PYTHON
        )
    except OSError as error:
        return _refuse(CANNOT_START, f"{command[0]}: {error.strerror}")
    code = serve(child)
    for pid, title in end_what_is_left():
        _say(f"killed what the command left behind: pid {pid}, {title}")
    return code


def become_subreaper() -> bool:
    """Ask the kernel for every orphan among the descendants; False when it cannot do that."""
    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def serve(child: int) -> int:
    """Reap and pass on signals until ``child`` has ended; its exit code."""
    while True:
        arrived = signal.sigwaitinfo(PASSED_ON | {signal.SIGCHLD})
        if arrived.si_signo == signal.SIGCHLD:
            ended = reap()
            if child in ended:
                code = os.waitstatus_to_exitcode(ended[child])
                return 128 - code if code < 0 else code
        elif arrived.si_code <= 0:  # sent by a process, not by the kernel for a terminal
            os.kill(child, arrived.si_signo)  # not reaped yet, so the number is still its own


def reap() -> dict[int, int]:
    """Reap every child that has ended; wait statuses by pid."""
    ended = {}
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = found[1]
    return ended


def end_what_is_left() -> list[tuple[int, str]]:
    """Kill and reap the children that are left until there are none; pids and command lines."""
    ended = []
    while living := _children():
        for pid in living:
            ended.append((pid, _title(pid)))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return ended


def _children() -> list[int]:
    reap()
    own = os.getpid()
    try:
        text = Path(f"/proc/{own}/task/{own}/children").read_text()
    except OSError:  # a kernel that does not list them: the caller's init inherits them
        return []
    return [int(pid) for pid in text.split()]


def _title(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""
    return text.replace("\0", " ").strip()


def _refuse(code: int, why: str) -> int:
    _say(why)
    return code


def _say(text: str) -> None:
    sys.stderr.write(f"{Path(__file__).name}: {text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
