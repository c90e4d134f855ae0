"""The control plane's process: gunicorn with one threaded worker, on a socket that is open already."""

from __future__ import annotations

import logging
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from execsvc.clients import control_socket
from execsvc.control_plane.app import create_app
from execsvc.control_plane.worker import HttpWorker
from execsvc.settings import Settings
from execsvc.workers.channel import Channel, Pipes
from execsvc.workers.main_loop import begin_worker, set_title

ANSWER_SECONDS = 2.0
"""Seconds that the supervisor has to answer; after that it counts as down."""
_THREADS = 8
_CONNECTIONS = 20_000
"""Clients that may be connected without having sent a request yet."""
_BACKLOG = 1024
_TITLE = "control plane"
# A heartbeat in a file on a disk blocks whenever that disk does.
_SHARED_MEMORY = Path("/dev/shm")
_IGNORED = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTTIN, signal.SIGTTOU)


def serve(settings: Settings, listener: int, pipes: Pipes) -> int:
    """Answer HTTP at the open descriptor ``listener`` until the lifeline ends or TERM comes.

    The main loop is that of gunicorn's master, which sends the heartbeats; its worker is watched by the
    master itself, and ends both when the lifeline ends.
    """
    begin_worker(settings, _TITLE)
    try:
        _Application(settings, listener, pipes).run()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
    return 0


class _Log(Logger):  # type: ignore[misc]  # gunicorn has no types
    """A logger of gunicorn that passes its errors to our log, and nothing else."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(logging.ERROR)
        self.access_log.disabled = True

    def access(self, *_: Any) -> None:
        """Do nothing: there is no access log."""

    def reopen_files(self) -> None:
        """Do nothing: there are no files."""


class _Master(Arbiter):  # type: ignore[misc]
    """Gunicorn's master process, with heartbeats."""

    def __init__(self, application: _Application, channel: Channel) -> None:
        self._channel = channel
        super().__init__(application)

    def murder_workers(self) -> None:
        """Send a heartbeat; gunicorn calls this in each turn of the master's loop, a second at
        most.
        """
        with suppress(BrokenPipeError):
            self._channel.beat()
        super().murder_workers()


class _Application(BaseApplication):  # type: ignore[misc]
    """The settings for gunicorn, and the application."""

    def __init__(self, settings: Settings, listener: int, pipes: Pipes) -> None:
        self._settings = settings
        self._channel = Channel(pipes)
        self._options = _options(listener)
        HttpWorker.lifeline = pipes.lifeline
        super().__init__()

    def run(self) -> None:
        """Run gunicorn's master in this process until it gets a signal to end."""
        _Master(self, self._channel).run()

    def load_config(self) -> None:
        """Set the options; called by gunicorn.

        Options that this version does not know are left out.
        """
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application; called by gunicorn in its worker."""
        runtime_dir, token = self._settings.runtime_dir, self._settings.http_token
        return create_app(
            lambda request: control_socket.ask(runtime_dir, request, ANSWER_SECONDS),
            token.get_secret_value() if token is not None else None,
        )


def _options(listener: int) -> dict[str, Any]:
    usable = _SHARED_MEMORY.is_dir() and os.access(_SHARED_MEMORY, os.W_OK)
    return {
        "bind": f"fd://{listener}",
        "workers": 1,
        "worker_class": HttpWorker,
        "threads": _THREADS,
        "timeout": 15,
        "graceful_timeout": 1,
        # One request a connection: idle connections of clients would use up the descriptors.
        "keepalive": 0,
        "worker_connections": _CONNECTIONS,
        "backlog": _BACKLOG,
        "limit_request_field_size": 4096,
        "limit_request_fields": 50,
        "worker_tmp_dir": str(_SHARED_MEMORY) if usable else None,
        "control_socket_disable": True,
        "accesslog": None,
        "logger_class": _Log,
        "when_ready": _ignore_signals,
        "pre_fork": _rename,
        "post_fork": _rename,
        "post_worker_init": _ignore_signals,
    }


def _ignore_signals(_: Any) -> None:
    """Ignore signals that gunicorn would obey: on USR2, say, it starts the whole program once more."""
    for signum in _IGNORED:
        signal.signal(signum, signal.SIG_IGN)


def _rename(_arbiter: Any, _worker: Any) -> None:
    """Set the process title again; gunicorn sets its own before each of these calls."""
    set_title(_TITLE)
