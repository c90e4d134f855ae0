"""The files for systemd, read as text: time-outs that fit together, one unit in two shapes."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest
from support.environment import scrubbed
from support.settings import settings

from execsvc import env_file
from execsvc.cli.exit_codes import REFUSED, RESIDUE, UNREACHABLE
from execsvc.settings import Settings, load, variable_of
from execsvc.settings.checks import RELOADABLE
from execsvc.settings.model import PREFIX, SECRET
from execsvc.settings.unit_times import LAST_SECONDS, UnitTimes, unit_faults, unit_warnings
from execsvc.supervisor.bots.launch import BATCH_SECONDS
from execsvc.supervisor.shutdown import KILL_PATIENCE
from execsvc.supervisor.systemd import STATUS_EVERY
from execsvc.supervisor.systemd_updates import LEAVING

ROOT = Path(__file__).resolve().parent.parent / "systemd"
ENV_FILE = (ROOT / "execsvc.env").read_text("utf-8")
GIVEN = {
    "/etc/execsvc/%i.env": "/etc/execsvc/execsvc.env",
    "/etc/execsvc/credentials/%i/": "/etc/execsvc/credentials/",
    "Directory=execsvc-%i": "Directory=execsvc",
    "SyslogIdentifier=execsvc@%i": "SyslogIdentifier=execsvc",
    " (%i)": "",
}
"""The unit of a second environment, with the names of the first instead of its own."""


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def values(key: str) -> list[str]:
    """Every value that the unit gives ``key``, in their order."""
    return [
        line.split("=", 1)[1] for line in lines("execsvc.service") if line.startswith(f"{key}=")
    ]


def seconds(key: str) -> float:
    (value,) = values(key)
    return float(value)


def test_unit_stop_time_out_covers_a_stop() -> None:
    times = UnitTimes(
        start=seconds("TimeoutStartSec"),
        stop=seconds("TimeoutStopSec"),
        abort=seconds("TimeoutAbortSec"),
        watchdog=seconds("WatchdogSec"),
    )
    assert unit_faults(times, settings()) + unit_warnings(times, settings()) == []
    assert times.abort >= times.stop
    assert LAST_SECONDS >= KILL_PATIENCE + LEAVING


def test_a_watchdog_is_fed_often_enough_and_waits_long_enough() -> None:
    assert seconds("WatchdogSec") >= 10 * max(STATUS_EVERY, BATCH_SECONDS)
    # A machine that stood still for a few seconds is no hanging loop; nor does one go unnoticed.
    assert 30 <= seconds("WatchdogSec") <= settings().hang_timeout
    assert values("WatchdogSignal") == ["SIGQUIT"]


def test_unit_restarts_are_limited() -> None:
    # Also when each crash is followed by bots that take their time to sell.
    cycle = seconds("RestartSec") + settings().stop_timeout
    assert seconds("StartLimitIntervalSec") >= seconds("StartLimitBurst") * cycle
    assert values("Restart") == ["on-failure"]
    (never,) = values("RestartPreventExitStatus")
    assert str(REFUSED) in never.split()
    assert not {str(RESIDUE), str(UNREACHABLE)} & set(never.split())


def test_a_thousand_bots_fit() -> None:
    assert seconds("TasksMax") >= 2 * 1000
    assert seconds("LimitNOFILE") >= 4 * 1000
    assert seconds("LogRateLimitBurst") >= 20 * 1000


def test_unit_stop_directives_let_bots_sell() -> None:
    assert values("KillMode") == ["control-group"]
    assert values("Type") == ["notify"]
    assert values("NotifyAccess") == ["main"]
    (stop,) = values("ExecStop")
    assert 'kill -s TERM "$MAINPID"' in stop
    assert '--pid="$MAINPID"' in stop


@pytest.mark.parametrize("pid", ["", "4194305"], ids=["crashed", "ended by itself meanwhile"])
def test_exec_stop_without_a_main_process_succeeds_silently(pid: str) -> None:
    (stop,) = values("ExecStop")
    done = subprocess.run(
        shlex.split(stop), env=scrubbed(MAINPID=pid), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_exec_stop_tells_the_main_process_and_waits_for_its_end() -> None:
    (stop,) = values("ExecStop")
    with subprocess.Popen(["sleep", "600"], env=scrubbed()) as main:
        stopping = subprocess.Popen(shlex.split(stop), env=scrubbed(MAINPID=str(main.pid)))
        assert main.wait(60) == -signal.SIGTERM
    assert stopping.wait(60) == 0


def test_every_token_is_a_credential_that_may_be_absent() -> None:
    names = {variable_of(field).lower() for field in SECRET}
    loaded = dict(value.split(":", 1) for value in values("LoadCredential"))
    assert loaded == {
        name: f"/etc/execsvc/credentials/{name.removeprefix('execsvc_')}" for name in names
    }
    assert dict(value.split(":", 1) for value in values("SetCredential")) == dict.fromkeys(
        names, "\\n"
    )


def test_the_unit_of_a_second_environment_differs_in_names_only() -> None:
    second = "\n".join(lines("execsvc@.service"))
    for theirs, ours in GIVEN.items():
        assert theirs in second
        second = second.replace(theirs, ours)
    assert second.splitlines() == lines("execsvc.service")


def uncommented() -> dict[str, str]:
    return env_file.parse(re.sub(rf"^#(?={PREFIX})", "", ENV_FILE, flags=re.MULTILINE))


def test_the_env_file_sets_nothing() -> None:
    assert env_file.parse(ENV_FILE) == {}


def test_the_env_file_names_every_setting() -> None:
    assert sorted(uncommented()) == sorted(variable_of(name) for name in Settings.model_fields)


def test_the_env_file_shows_the_defaults() -> None:
    given = {k: v for k, v in uncommented().items() if not k.endswith("_URL")}
    named = {k: v for k, v in uncommented().items() if k.endswith("_URL")}
    unit = {"STATE_DIRECTORY": "/var/lib/execsvc", "RUNTIME_DIRECTORY": "/run/execsvc"}
    assert load({}, None, {**named, **given}) == load({}, None, {**named, **unit})


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_the_env_file_says_which_settings_take_a_restart(field: str) -> None:
    paragraph = next(p for p in ENV_FILE.split("\n\n") if f"\n#{variable_of(field)}=" in p)
    marked = "restart" in paragraph.replace("many restarts", "").lower()
    shared = {"liquidation_backoff", "liquidation_retry", "restart_window"}
    assert marked == (field not in RELOADABLE) or field in shared
