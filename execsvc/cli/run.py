"""``execsvc run``: the daemon, in the foreground."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import click
import setproctitle
from loguru import logger

from execsvc import env_file as env_files
from execsvc import logs
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import SettingsSource, refuse_missing_extras, settings_options
from execsvc.clients import http
from execsvc.exit_codes import DONE, FAULT, REFUSED, RESIDUE, UNREACHABLE
from execsvc.runner.process import run as run_bot
from execsvc.runner.rehearsal import rehearse
from execsvc.settings import Settings, warnings
from execsvc.settings.model import PREFIX
from execsvc.store.opening import open_store, refuse_records_not_taken
from execsvc.strategies.registry import note_installed
from execsvc.supervisor.supervisor import Supervisor
from execsvc.workers.channel import Pipes


@click.command(
    epilog=exit_codes(
        (DONE, "stopped; every position is closed, or held as asked"),
        (FAULT, "a fault of the service"),
        (UNREACHABLE, "another supervisor has the state directory, or the port is taken"),
        (RESIDUE, "stopped; positions are left open that should not be, see the log"),
        (REFUSED, "the configuration is refused"),
    )
)
@settings_options
def run(source: SettingsSource) -> None:
    """Run the bots that BotService lists, until TERM or Ctrl-C."""
    # setproctitle finds the place of the title by the environment, which is changed from here on.
    setproctitle.setproctitle("execsvc: supervisor")
    settings = source.load()
    if source.env_file is not None:
        _forget_file_variables(source.env_file)
    refuse_missing_extras(settings)
    refuse_records_not_taken(settings)
    logs.setup(settings.log_level, settings.log_format)
    note_installed()
    rehearse()
    supervisor = Supervisor(settings, run_bot, _serve, open_store(settings), source.load)
    for line in warnings(settings):
        logger.bind(event="settings_warning").warning("{}", line)
    if settings.exchange_adapter_url.startswith("https:"):
        http.prepare_tls()  # the TLS settings are made once and shared, not by each bot
    _run(supervisor)


def _forget_file_variables(path: Path) -> None:
    """Forget what systemd has read from the same file, or a reload would not see it change."""
    for name, value in env_files.read(path).items():
        if name.startswith(PREFIX) and os.environ.get(name) == value:
            del os.environ[name]


def _run(supervisor: Supervisor) -> NoReturn:
    """The outermost frame: it leaves without any exit handler.

    The one of multiprocessing would wait for children that wait for the end of this process.
    """
    code = FAULT
    try:
        code = supervisor.run()
    except BaseException:  # noqa: BLE001 (the outermost frame of this process)
        event = logger.bind(event="service_failed").opt(exception=True)
        event.critical("the supervisor failed; its bots stop by themselves")
    finally:
        supervisor.close_lifeline()
        os._exit(code)


def _serve(settings: Settings, listener: int, pipes: Pipes) -> int:
    # Flask and gunicorn are for this child only: they would take memory of each bot.
    from execsvc.control_plane.server import serve

    return serve(settings, listener, pipes)
