"""Alerts as a command: refused before anything starts where the extra or the URLs are missing."""

from __future__ import annotations

import pytest
from support.command import Execsvc

from execsvc.cli import options


@pytest.mark.parametrize("command", ["run", "check", "alert"])
def test_alert_without_the_extra_refuses_the_urls(
    command: str, execsvc: Execsvc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "find_spec", lambda _: None)
    monkeypatch.setenv("EXECSVC_BOT_SERVICE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("EXECSVC_EXCHANGE_ADAPTER_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("EXECSVC_ALERT_URLS", "json://127.0.0.1/hush")
    outcome = execsvc(command)
    assert (outcome.code, outcome.err.count("\n")) == (78, 1)
    assert "EXECSVC_ALERT_URLS" in outcome.err
    assert "pip install 'execsvc[alerts]'" in outcome.err
    assert "hush" not in outcome.err


def test_alert_without_urls_is_refused(execsvc: Execsvc) -> None:
    outcome = execsvc("alert")
    assert outcome.code == 78
    assert "EXECSVC_ALERT_URLS: is not set" in outcome.err
