"""The sources of settings; all faults are named at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.settings import URLS, faults

from execsvc.settings import load


def test_command_line_over_environment_over_file_over_default(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("EXECSVC_POLL_INTERVAL=1\nEXECSVC_PAGE_SIZE=1\nEXECSVC_GONE_AFTER=1\nOTHER=x\n")
    environ = {**URLS, "EXECSVC_POLL_INTERVAL": "2", "EXECSVC_PAGE_SIZE": "2", "UNRELATED": "x"}
    given = load({"EXECSVC_POLL_INTERVAL": "3"}, path, environ)
    assert (given.poll_interval, given.page_size, given.gone_after) == (3, 2, 1)
    assert given.tick_interval == 5


def test_every_fault_is_named_at_once_one_line_each(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("EXECSVC_TYPO=1\n")
    environ = {
        "EXECSVC_BOT_SERVICE_URL": "ftp://x",
        "EXECSVC_POLL_INTERVAL": "often\nnow",
        "EXECSVC_PAGE_SIZE": "-1",
        "EXECSVC_Page_Size": "1",
        "EXECSVC_HTTP_BIND": "0.0.0.0:80",
        "EXECSVC_LOG_FORMAT": "xml",
    }
    lines = faults(environ, env_file=path, overrides={"EXECSVC_NOPE": "1"})
    assert {line.split(":")[0] for line in lines} == {
        "EXECSVC_TYPO",
        "EXECSVC_NOPE",
        "EXECSVC_Page_Size",
        "EXECSVC_BOT_SERVICE_URL",
        "EXECSVC_EXCHANGE_ADAPTER_URL",
        "EXECSVC_POLL_INTERVAL",
        "EXECSVC_PAGE_SIZE",
        "EXECSVC_HTTP_BIND",
        "EXECSVC_LOG_FORMAT",
    }
    assert len(lines) == 9
    assert not any("\n" in line for line in lines)


def test_a_missing_env_file_is_one_fault_among_the_others(tmp_path: Path) -> None:
    lines = faults({}, env_file=tmp_path / "absent")
    assert len(lines) == 3
    assert "absent" in lines[0]


def test_tokens_come_from_credentials_without_their_newline(tmp_path: Path) -> None:
    (tmp_path / "execsvc_bot_service_token").write_text("from-credential\n")
    (tmp_path / "execsvc_exchange_adapter_token").write_text("overruled\n")
    (tmp_path / "execsvc_alert_urls").write_text("json://a/\njson://b/\n")
    environ = {
        **URLS,
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        "EXECSVC_EXCHANGE_ADAPTER_TOKEN": "from-environment",
    }
    given = load({}, None, environ)
    assert given.bot_service_token is not None
    assert given.bot_service_token.get_secret_value() == "from-credential"
    assert given.exchange_adapter_token is not None
    assert given.exchange_adapter_token.get_secret_value() == "from-environment"
    assert given.http_token is None
    assert given.alert_urls is not None
    assert given.alert_urls.get_secret_value() == "json://a/\njson://b/"


def test_a_credential_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "execsvc_http_token").mkdir()
    lines = faults({**URLS, "CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert [line.split(":")[0] for line in lines] == ["EXECSVC_HTTP_TOKEN"]


@pytest.mark.parametrize(
    ("environ", "state_dir", "runtime_dir"),
    [
        ({"HOME": "/home/u"}, "/home/u/.local/state/execsvc", f"/tmp/execsvc-{os.getuid()}"),
        ({"HOME": "/h", "XDG_RUNTIME_DIR": "/run/user/7"}, None, "/run/user/7/execsvc"),
        (
            {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "RUNTIME_DIRECTORY": "/run/a:/run/b"},
            "/var/lib/a",
            "/run/a",
        ),
        ({"EXECSVC_STATE_DIR": "/s/", "STATE_DIRECTORY": "/no"}, "/s", None),
    ],
)
def test_directories_default_to_those_of_the_system(
    environ: dict[str, str], state_dir: str | None, runtime_dir: str | None
) -> None:
    given = load({}, None, {**URLS, **environ})
    assert state_dir in (None, str(given.state_dir))
    assert runtime_dir in (None, str(given.runtime_dir))


def test_commands_that_call_no_service_need_no_urls() -> None:
    given = load({}, None, {"EXECSVC_RUNTIME_DIR": "/r"}, services_required=False)
    assert given.bot_service_url == ""
    lines = faults({"EXECSVC_BOT_SERVICE_URL": "x"}, services_required=False)
    assert len(lines) == 1


def test_variables_of_the_command_line_s_own_options_are_no_settings(tmp_path: Path) -> None:
    own = {"EXECSVC_ENV_FILE": str(tmp_path / "none"), "EXECSVC_UNIT": "execsvc@a.service"}
    assert load({}, None, {**URLS, "HOME": "/home/u", **own}).poll_interval == 5
    file = tmp_path / "execsvc.env"
    file.write_text("EXECSVC_ENV_FILE=/another\n")
    assert faults(URLS, env_file=file) == ["EXECSVC_ENV_FILE: unknown variable in the env file"]
