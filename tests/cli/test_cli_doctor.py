"""``execsvc doctor``: exit codes, what is said, and that nothing is touched."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from support.bot_process import bot_row
from support.command import ControlSocket, Execsvc
from support.exchange import Exchange

from execsvc.cli.demo import demo_bots
from execsvc.doctor import daemon as daemon_check
from execsvc.sandbox.server import Sandbox

NOBODY = "http://127.0.0.1:9"  # the port of discard: no service listens there


@pytest.fixture(autouse=True)
def free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """No HTTP side to ask: what another service of this machine answers is not ours."""
    monkeypatch.setenv("EXECSVC_HTTP_BIND", "127.0.0.1:0")


@pytest.fixture
def services(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox that lists three bots and that the settings name as both services."""
    monkeypatch.setenv("EXECSVC_BOT_SERVICE_URL", sandbox.url)
    monkeypatch.setenv("EXECSVC_EXCHANGE_ADAPTER_URL", sandbox.url)
    # A read that takes half of it is a finding: on a busy machine one of 2.5 s is none of the adapter's.
    monkeypatch.setenv("EXECSVC_REQUEST_TIMEOUT", "20")
    sandbox.state.bots.replace(demo_bots())
    return sandbox


def findings(execsvc: Execsvc, *arguments: str) -> dict[str, list[str]]:
    """The warnings and faults, by check."""
    outcome = execsvc("doctor", "--json", *arguments)
    document = json.loads(outcome.out)
    assert document["exit_code"] == outcome.code
    bad: dict[str, list[str]] = {}
    for finding in document["findings"]:
        assert set(finding) == {"check", "level", "what", "do"}
        if finding["level"] != "ok":
            assert finding["do"]
            bad.setdefault(finding["check"], []).append(finding["what"])
    return bad


def test_doctor_checks_that_pass_are_printed_with_their_duration(
    services: Sandbox, execsvc: Execsvc
) -> None:
    outcome = execsvc("doctor")

    assert (outcome.code, outcome.err) == (0, "")
    assert "3 bots to run" in outcome.out
    assert "account demo-account: " in outcome.out
    assert " ms" in outcome.out
    assert "0 fault" in outcome.out


def test_doctor_writes_nothing_and_places_no_order(
    services: Sandbox, execsvc: Execsvc, tmp_path: Path
) -> None:
    assert execsvc("doctor").code == 0

    assert list(tmp_path.iterdir()) == []
    assert set(services.state.request_log.report(last=100)["counts"]) <= {
        "bots",
        "ticker",
        "balance",
        "unknown",
    }


def test_doctor_reads_one_balance_for_each_live_account(
    services: Sandbox, execsvc: Execsvc
) -> None:
    execsvc("doctor")
    assert services.state.request_log.report(last=100)["counts"]["balance"] == 1


def test_doctor_lines_fit_a_terminal(services: Sandbox, execsvc: Execsvc) -> None:
    outcome = execsvc("doctor", "--bot-service-url", NOBODY + "/" + "x" * 100)

    assert max(len(line) for line in outcome.out.splitlines()) <= 80


@pytest.mark.parametrize("option", ["--bot-service-url", "--exchange-adapter-url"])
def test_doctor_unreachable_service_exits_69(
    option: str, services: Sandbox, execsvc: Execsvc
) -> None:
    assert execsvc("doctor", option, NOBODY).code == 69


def test_doctor_unreadable_balance_exits_69(
    services: Sandbox, exchange: Exchange, execsvc: Execsvc
) -> None:
    exchange.list_bots(*[bot_row(f"b{n}", key=f"k{n}") for n in range(5)])
    exchange.fault("status", call="balance", status=404, times=None)

    bad = findings(execsvc)["adapter"]

    assert len([what for what in bad if "GET /balance" in what]) == 3
    assert bad[-1] == "2 more accounts were not asked"
    assert execsvc("doctor").code == 69


def test_doctor_refused_settings_exit_78_and_the_machine_is_checked(
    execsvc: Execsvc,
) -> None:
    outcome = execsvc("doctor", "--page-size", "-1")

    assert outcome.code == 78
    assert "EXECSVC_PAGE_SIZE" in outcome.out
    assert "EXECSVC_BOT_SERVICE_URL: is required" in outcome.out
    assert "open files" in outcome.out


def test_doctor_refused_directory_exits_78_beside_other_faults(
    services: Sandbox, execsvc: Execsvc, state_dir: Path
) -> None:
    state_dir.mkdir()
    state_dir.chmod(0o777)

    outcome = execsvc("doctor", "--bot-service-url", NOBODY)

    assert outcome.code == 78
    assert "mode 0777" in outcome.out


def test_doctor_damaged_ledger_exits_1(
    services: Sandbox, execsvc: Execsvc, state_dir: Path
) -> None:
    (state_dir / "bots").mkdir(parents=True, mode=0o700)
    state_dir.chmod(0o700)
    (state_dir / "bots" / "b-0.db").touch()

    outcome = execsvc("doctor")

    assert outcome.code == 1
    assert "b-0.db is empty" in outcome.out


def test_doctor_incompatible_time_outs_are_a_warning(services: Sandbox, execsvc: Execsvc) -> None:
    (line, *_) = findings(execsvc, "--stop-timeout", "10")["settings"]
    assert "EXECSVC_STOP_TIMEOUT" in line


def test_doctor_unusable_rows_are_a_warning(services: Sandbox, execsvc: Execsvc) -> None:
    rows = demo_bots()
    rows[0]["pipeline"]["strategy"]["id"] = "nonsense"
    rows[1]["global_settings"]["mode"] = "BACKTEST"
    services.state.bots.replace(rows)

    assert [line.split(":")[0] for line in findings(execsvc)["bots"]] == [
        "bot demo-btc (BTC, live)",
        "bot demo-eth (ETH, live)",
    ]


def test_doctor_service_not_running_warns_and_a_taken_port_is_a_fault(
    services: Sandbox, execsvc: Execsvc, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXECSVC_STATE_DIR", str(disk / "state"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        taken.close()
        free = findings(execsvc, "--http-bind", f"127.0.0.1:{port}")
    somebody = services.url.removeprefix("http://")
    outcome = execsvc("doctor", "--http-bind", somebody)

    assert list(free) == ["service"]
    assert outcome.code == 1
    assert f"{somebody} belongs to another process" in outcome.out


def test_doctor_port_of_another_program_is_taken(
    services: Sandbox, execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon_check, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = execsvc("doctor", "--http-bind", f"127.0.0.1:{silent.getsockname()[1]}")

    assert outcome.code == 1
    assert "belongs to another process" in outcome.out


@pytest.mark.parametrize(
    ("health", "said"),
    [
        ({"status": "ok", "reasons": []}, []),
        ({"status": "degraded", "reasons": ["a", "b"]}, ["degraded: a", "degraded: b"]),
        ({"status": "stopping", "reasons": []}, ["stopping"]),
    ],
)
def test_doctor_running_service_reports_its_health(
    health: dict[str, object],
    said: list[str],
    services: Sandbox,
    daemon: ControlSocket,
    execsvc: Execsvc,
) -> None:
    daemon.health = health
    found = findings(execsvc)
    assert [what.removeprefix("running, health ") for what in found.get("service", [])] == said


def test_doctor_tokens_are_sent_and_never_printed(
    services: Sandbox, execsvc: Execsvc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "execsvc.env"
    file.write_text("EXECSVC_BOT_SERVICE_TOKEN=top-secret\n")
    file.chmod(0o644)
    monkeypatch.setenv("EXECSVC_ENV_FILE", str(file))

    outcome = execsvc("doctor")

    assert outcome.code == 1
    assert "EXECSVC_BOT_SERVICE_TOKEN and every user may read them" in " ".join(outcome.out.split())
    assert "top-secret" not in outcome.out + outcome.err
    (asked, *_) = services.state.request_log.report(last=10)["listings"]
    assert asked["authorization"] == "Bearer top-secret"


@pytest.mark.parametrize(
    ("url", "code"), [("json://127.0.0.1:9/top-secret", 0), ("nonsense://top-secret", 69)]
)
def test_doctor_alert_urls_are_checked_and_never_printed(
    url: str,
    code: int,
    services: Sandbox,
    execsvc: Execsvc,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EXECSVC_ALERT_URLS", url)

    outcome = execsvc("doctor")

    assert outcome.code == code
    assert "top-secret" not in outcome.out + outcome.err
