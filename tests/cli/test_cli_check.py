from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import Execsvc

from execsvc.cli.demo import demo_bots
from execsvc.sandbox.server import Sandbox

NOBODY = "http://127.0.0.1:9"  # the port of discard: no service listens there


@pytest.fixture
def services(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox that the settings name as both services."""
    monkeypatch.setenv("EXECSVC_BOT_SERVICE_URL", sandbox.url)
    monkeypatch.setenv("EXECSVC_EXCHANGE_ADAPTER_URL", sandbox.url + "/")
    return sandbox


def test_check_both_services_reachable_exits_0(services: Sandbox, execsvc: Execsvc) -> None:
    services.state.bots.replace(demo_bots())

    outcome = execsvc("check")

    assert (outcome.code, outcome.err) == (0, "")
    assert "3 bots to run" in outcome.out
    assert "BTC/USDT at" in outcome.out
    assert "account demo-account holds" in outcome.out


def test_check_json_has_every_finding(services: Sandbox, execsvc: Execsvc) -> None:
    services.state.bots.replace(demo_bots())

    outcome = execsvc("check", "--json")

    found = json.loads(outcome.out)
    assert found["exit_code"] == outcome.code == 0
    checks = [finding["check"] for finding in found["findings"]]
    assert checks[0] == "configuration"
    assert checks[-2:] == ["bot service", "adapter"]
    assert all(set(finding) == {"check", "what"} for finding in found["findings"])
    assert (
        json.loads(execsvc("check", "--json", "--exchange-adapter-url", NOBODY).out)["exit_code"]
        == 69
    )


def test_check_without_a_bot_accepts_any_answer_of_the_adapter(
    services: Sandbox, execsvc: Execsvc
) -> None:
    outcome = execsvc("check")

    assert outcome.code == 0
    assert "0 bots to run" in outcome.out
    assert "answers (HTTP 404); no bot whose market could be read" in outcome.out


def test_check_unusable_rows_are_named_with_the_reason(services: Sandbox, execsvc: Execsvc) -> None:
    rows = demo_bots()
    rows[0]["pipeline"]["strategy"]["id"] = "nonsense"
    rows[1]["global_settings"]["mode"] = "BACKTEST"
    services.state.bots.replace(rows)

    outcome = execsvc("check")

    assert outcome.code == 0
    assert "bot demo-btc (BTC, live): strategy 'nonsense' is not known" in outcome.out
    assert "bot demo-eth (ETH, live): " in outcome.out


@pytest.mark.parametrize(
    ("option", "label"),
    [("--bot-service-url", "bot service"), ("--exchange-adapter-url", "adapter")],
)
def test_check_one_service_unreachable_is_reported_and_the_other_is_asked(
    option: str, label: str, services: Sandbox, execsvc: Execsvc
) -> None:
    outcome = execsvc("check", option, NOBODY)

    (line,) = [line for line in outcome.out.splitlines() if line.startswith(label)]
    assert outcome.code == 69
    assert NOBODY in line
    assert services.url in outcome.out


def test_check_adapter_failing_for_the_account_exits_69(
    services: Sandbox, execsvc: Execsvc
) -> None:
    services.state.bots.replace(demo_bots())

    outcome = execsvc("check", "--exchange-adapter-url", services.url + "/nonsense")

    assert outcome.code == 69
    assert "GET /market/ticker" in outcome.out


def test_check_faulty_configuration_prints_a_line_for_each_fault(execsvc: Execsvc) -> None:
    outcome = execsvc("check", "--bot-service-url", "ftp://x", "--page-size", "-1")

    named = {line.split(":")[1].strip() for line in outcome.err.splitlines()}
    assert outcome.code == 78
    assert named == {
        "EXECSVC_BOT_SERVICE_URL",
        "EXECSVC_EXCHANGE_ADAPTER_URL",
        "EXECSVC_PAGE_SIZE",
    }


def test_check_directory_writable_by_others_is_refused(
    services: Sandbox, execsvc: Execsvc, state_dir: Path
) -> None:
    state_dir.mkdir()
    state_dir.chmod(0o777)

    outcome = execsvc("check")

    assert outcome.code == 78
    assert "EXECSVC_STATE_DIR" in outcome.err


def test_check_missing_directory_is_not_made(
    services: Sandbox, execsvc: Execsvc, state_dir: Path
) -> None:
    assert execsvc("check").code == 0
    assert not state_dir.exists()


def test_check_option_has_precedence_over_the_environment(
    services: Sandbox, execsvc: Execsvc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "execsvc.env"
    file.write_text("EXECSVC_HTTP_BIND=127.0.0.1:1111\nEXECSVC_ORDER_TIMEOUT=4000\n")

    from_file = execsvc("check", "--env-file", str(file)).out
    monkeypatch.setenv("EXECSVC_HTTP_BIND", "127.0.0.1:2222")
    from_environment = execsvc("check", "--env-file", str(file)).out
    from_option = execsvc("check", "--env-file", str(file), "--http-bind", "127.0.0.1:3333").out

    assert "127.0.0.1:1111" in from_file
    assert "warning" in from_file  # an order may take longer than a stop
    assert "127.0.0.1:2222" in from_environment
    assert "127.0.0.1:3333" in from_option


def test_check_token_is_sent_and_never_printed(
    services: Sandbox, execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXECSVC_BOT_SERVICE_TOKEN", "top-secret")

    outcome = execsvc("check")
    help_text = execsvc("check", "--help").out

    assert "top-secret" not in outcome.out + outcome.err
    assert "token" not in help_text
    (asked, *_) = services.state.request_log.report(last=10)["listings"]
    assert asked["authorization"] == "Bearer top-secret"
