"""The children of the supervisor: the only module that forks, signals and reaps.

Children are made by multiprocessing's fork context, daemonic, but they are reaped here: the
session of a dead child is killed before its pid is given back, which a reaping
elsewhere would make impossible.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.process
import os
import signal
from collections.abc import Callable, Collection, Iterable
from multiprocessing.context import ForkProcess
from pathlib import Path

from loguru import logger

from execsvc.supervisor.processes.child_begin import begin

_FORK = multiprocessing.get_context("fork")
_TASKS = Path("/proc/self/task")
_ALL_SIGNALS = signal.valid_signals()
_STDERR = 2
_DESCRIPTORS_OF_A_FORK = 4
"""Those of the two pipes that multiprocessing makes before it forks."""


class Child:
    """One forked process, a session of its own."""

    def __init__(self, process: ForkProcess) -> None:
        assert process.pid is not None
        self.process = process
        self.pid = process.pid


class Children:
    """Every process that this one forked and has not reaped yet.

    ``lifeline`` is the read end of a pipe whose write end this process alone keeps: its
    end of file tells a child that the supervisor is gone.
    """

    def __init__(self) -> None:
        self.lifeline, self._lifeline_write = os.pipe()
        self.refused: str | None = None
        """The reason why the machine had no process to give, the last time; None when it had one."""
        self._by_pid: dict[int, Child] = {}
        self._left: set[int] = set()
        """Strays that this process may not kill, each logged once."""

    def fork(self, work: Callable[[], int], keep: Collection[int]) -> Child:
        """Run ``work`` in a new process, which exits with the code that ``work`` returns.

        Of all open descriptors the process has stdin, stdout, stderr, the lifeline and ``keep``. Signals
        are still blocked in the process: ``work`` installs its handlers and unblocks. Raises OSError.
        """
        child = self.fork_all([(work, keep)])[0]
        if isinstance(child, OSError):
            raise child
        return child

    def fork_all(
        self, works: Iterable[tuple[Callable[[], int], Collection[int]]]
    ) -> list[Child | OSError]:
        """As :meth:`fork` for each of ``works`` in turn; an error in the place of a child.

        Each page that this process writes to between two forks becomes a page of the first child alone:
        so as little as possible is done in between.
        """
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ALL_SIGNALS)
        try:
            return [self._forked(work, keep) for work, keep in works]
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def probe(self) -> None:
        """Check if the machine has a process to give again, once it had none."""
        if self.refused is None:
            return
        try:
            ends = os.pipe2(os.O_CLOEXEC)  # every process has a pipe
            try:
                self.fork(lambda: 0, ())
            finally:
                for end in ends:
                    os.close(end)
        except OSError as error:
            self.refused = error.strerror

    def send_signal(self, child: Child, signum: signal.Signals) -> None:
        """Send a signal to one child. A pid that is not reaped yet cannot belong to another process."""
        if child.pid in self._by_pid:
            os.kill(child.pid, signum)

    def kill(self, child: Child) -> None:
        """Kill a child and its session."""
        if child.pid in self._by_pid:
            _kill_group(child.pid)
            os.kill(child.pid, signal.SIGKILL)

    def reap(self) -> list[tuple[Child, int]]:
        """The children that ended, each with its exit code (negative: the signal's number)."""
        ended: list[tuple[Child, int]] = []
        while (pid := _dead_child()) is not None:
            child = self._by_pid.pop(pid, None)
            if child is None:
                os.waitpid(pid, 0)  # a stray that was killed, or ended by itself
                continue
            _kill_group(pid)
            code = child.process.exitcode  # this reaps
            child.process.close()
            ended.append((child, -1 if code is None else code))
        self._kill_strays()
        return ended

    def close_lifeline(self) -> None:
        """Let every child know that this process is about to be gone."""
        os.close(self._lifeline_write)

    def __len__(self) -> int:
        return len(self._by_pid)

    def _forked(self, work: Callable[[], int], keep: Collection[int]) -> Child | OSError:
        process = _FORK.Process(
            target=begin, args=(work, {self.lifeline, *keep}), daemon=True, name="execsvc"
        )
        taken: list[int] = []
        try:
            taken = _lowest_free(_DESCRIPTORS_OF_A_FORK)
            process.start()
        except OSError as error:
            # multiprocessing leaves its pipes open when the fork fails; a machine that is out of
            # processes for a day must not run this one out of descriptors as well.
            for descriptor in taken:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
            self.refused = error.strerror
            return error
        self.refused = None
        _forget(process)
        child = Child(process)
        self._by_pid[child.pid] = child
        return child

    def _kill_strays(self) -> None:
        """Kill the processes that dead runners left, which this process inherits as a subreaper."""
        strays = _own_children() - self._by_pid.keys()
        self._left &= strays
        for pid in strays - self._left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            except PermissionError:  # started by sudo, for example
                self._left.add(pid)
                logger.bind(event="stray_left").warning(
                    "stray process {} is another user's and lives on", pid
                )
            else:
                logger.bind(event="stray_killed").warning("killed stray process {}", pid)


def _dead_child() -> int | None:
    """The pid of a child that ended and is not reaped yet."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return found.si_pid if found is not None else None


def _kill_group(pid: int) -> None:
    # A child killed before its setsid() has no group of its own: there is no process to kill then.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _own_children() -> set[int]:
    try:
        text = (_TASKS / str(os.getpid()) / "children").read_text()
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN: strays live until they end
        return set()
    return {int(pid) for pid in text.split()}


def _forget(process: ForkProcess) -> None:
    """Remove the records that multiprocessing keeps of a process that was started.

    Every start() of multiprocessing polls all processes in these records, and so reaps them outside of
    this class. Its sentinels, which are not waited for here, are two descriptors a process, and each
    child first destroys the finalizers that are to close them: the thousandth child would copy the
    pages of a thousand.
    """
    getattr(multiprocessing.process, "_children", set()).discard(process)
    close_sentinels = getattr(getattr(process, "_popen", None), "finalizer", None)
    if close_sentinels is not None:
        close_sentinels()


def _lowest_free(count: int) -> list[int]:
    """The next descriptors that will be given out. Raises OSError when there are not as many."""
    taken: list[int] = []
    try:
        taken.extend(os.dup(_STDERR) for _ in range(count))
    finally:
        for descriptor in taken:
            os.close(descriptor)
    return taken
