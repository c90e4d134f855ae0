"""A worker that is started again whenever it dies, without a limit."""

from __future__ import annotations

from collections.abc import Callable

from loguru import logger

from execsvc.supervisor.processes.child import Child
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.exit_classifier import described
from execsvc.supervisor.processes.restarts import Restarts

LONGEST_DELAY = 10.0
NO_PROCESS = 5.0


class RestartingProcess:
    """A process that is forked by ``fork``. ``key`` is the key of its timers."""

    def __init__(self, context: ProcessContext, name: str, fork: Callable[[], Child]) -> None:
        self.key = f"\0{name}"  # no bot's id holds a null byte
        self.child: Child | None = None
        self._context = context
        self._name = name
        self._fork = fork
        self._restarts = Restarts(None, 60.0, LONGEST_DELAY)
        self._ours = False
        self._retired = False
        self._start_at: float | None = None

    def start(self) -> None:
        """Fork the process; later, if the machine has none to give."""
        self._start_at = None
        try:
            self.child = self._fork()
        except OSError as error:
            self._context.children.refused = error.strerror
            logger.bind(event="fork_failed").error(
                "{} cannot be started: {}", self._name, error.strerror
            )
            self._start_in(NO_PROCESS)

    def ended(self, code: int) -> None:
        """Take note that the process is dead and reaped; it is started again unless retired."""
        self.child = None
        if self._retired:
            return
        if self._ours:
            self._ours = False
            self._start_in(0.0)
            return
        delay = self._restarts.crashed(self._context.clock.now) or 0.0
        logger.bind(event="child_restarted").warning(
            "{} {}; it comes back {}",
            self._name,
            described(code),
            f"in {delay:.1f} s" if delay else "at once",
        )
        self._start_in(delay)

    def replace(self) -> None:
        """Kill the process, and start it again at once: it hangs, or its settings changed."""
        if self.child is not None:
            self._ours = True
            self._context.children.kill(self.child)

    def due(self) -> None:
        """Start the process if it is time to."""
        if self._start_at is None:
            return
        if self._start_at <= self._context.clock.now:
            self.start()
        else:
            self._context.timers.ask(self.key, self._start_at)

    def retire(self) -> None:
        """Never start the process again; the caller ends the one that runs."""
        self._retired, self._start_at = True, None

    def _start_in(self, seconds: float) -> None:
        self._start_at = self._context.clock.now + seconds
        self._context.timers.ask(self.key, self._start_at)
