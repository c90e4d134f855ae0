"""The recipe for a container, read as text: what is in it fits the program, its time-outs and its walls."""

from __future__ import annotations

import math
import shlex
import subprocess
from pathlib import Path

import pytest
from support import recipe
from support.environment import scrubbed
from support.machine_parts import SOURCES
from support.requirements import needs
from support.settings import URLS, faults, settings

from execsvc.cli.status import TIMEOUT
from execsvc.settings import load, variable_of
from execsvc.settings.model import SECRET
from execsvc.settings.unit_times import UnitTimes, longest_stop, unit_faults, unit_warnings

BUILD, FINAL = recipe.dockerfile()
README = (recipe.FOLDER / "README.rst").read_text("utf-8")


def user() -> str:
    return FINAL.only("USER").text


def test_both_stages_of_the_image_are_of_one_slim_debian() -> None:
    # The environment that is copied from one to the other is of one interpreter at one place.
    assert BUILD.base == FINAL.base
    assert FINAL.base.startswith("python:3.")
    assert "-slim-" in FINAL.base


def test_the_image_runs_as_a_number_that_is_not_root() -> None:
    number, group = user().split(":")
    assert int(number) > 0
    assert int(group) > 0
    assert f"-o {number} -g {group}" in FINAL.only("RUN").text


def test_the_image_ends_orderly_and_begins_with_the_daemon() -> None:
    assert FINAL.only("STOPSIGNAL").text == "SIGTERM"
    assert FINAL.only("ENTRYPOINT").command + FINAL.only("CMD").command == ["execsvc", "run"]


def test_the_image_says_where_a_service_of_systemd_would_be_told() -> None:
    environ = {**FINAL.environment, **URLS}
    found = load({}, None, environ)
    assert str(found.state_dir) == FINAL.only("VOLUME").text
    assert found.runtime_dir.parent == Path("/tmp")
    assert environ["CREDENTIALS_DIRECTORY"] == "/run/secrets"


def test_the_health_check_waits_for_as_long_as_the_command_does() -> None:
    check = FINAL.only("HEALTHCHECK")
    assert check.command == ["/bin/sh", "-c", "execsvc status || exit 1"]
    assert recipe.seconds(check.options["--timeout"]) >= 2 * TIMEOUT
    assert recipe.seconds(check.options["--interval"]) >= recipe.seconds(check.options["--timeout"])


def test_the_grace_period_is_longer_than_the_longest_orderly_stop() -> None:
    grace = recipe.seconds(recipe.service()["stop_grace_period"])
    defaults = settings()
    times = UnitTimes(start=math.inf, stop=grace, abort=grace, watchdog=None)
    assert grace >= longest_stop(defaults) > defaults.shutdown_timeout
    assert unit_faults(times, defaults) + unit_warnings(times, defaults) == []


def test_what_is_published_is_reached_from_this_machine_only_and_with_a_token() -> None:
    service = recipe.service()
    (published,) = service["ports"]
    assert "network_mode" not in service
    environ = {**URLS, **FINAL.environment, **service["environment"]}
    del environ["EXECSVC_ENV_FILE"]
    bind = load({"EXECSVC_HTTP_TOKEN": "t"}, None, environ).http_bind
    assert published == f"127.0.0.1:{bind.port}:{bind.port}"
    assert FINAL.only("EXPOSE").text == str(bind.port)
    # Where the secret is forgotten, nothing starts.
    assert faults(environ)[0].startswith("EXECSVC_HTTP_BIND: is not a loopback address")
    assert variable_of("http_token").lower() in service["secrets"]


@pytest.mark.parametrize("field", sorted(SECRET))
def test_each_token_is_a_secret_of_the_name_that_is_looked_for(field: str) -> None:
    text = (recipe.FOLDER / "compose.yaml").read_text("utf-8")
    name = variable_of(field).lower()
    assert f"- {name}\n" in text
    assert f" {name}:\n" in text
    assert f"file: ./secrets/{field}\n" in text


def test_only_secrets_of_the_compose_file_are_used_and_each_is_a_file() -> None:
    document = recipe.compose()
    assert set(recipe.service()["secrets"]) == set(document["secrets"])
    assert all(set(secret) == {"file"} for secret in document["secrets"].values())


def test_the_container_may_write_to_its_state_and_to_tmp_and_nothing_else() -> None:
    service = recipe.service()
    writable = [v.split(":")[1] for v in service["volumes"] if not v.endswith(":ro")]
    assert service["read_only"] is True
    assert writable == [FINAL.only("VOLUME").text]
    assert [place.split(":")[0] for place in service["tmpfs"]] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "cap_add", "user", "pid", "ipc"} & set(service)


def test_the_state_is_a_named_volume_that_outlives_the_container() -> None:
    named = [v.split(":")[0] for v in recipe.service()["volumes"] if v[0] not in "./"]
    assert named == list(recipe.compose()["volumes"]) == ["state"]


def test_the_engine_starts_it_again_unless_an_operator_has_stopped_it() -> None:
    service = recipe.service()
    assert service["restart"] == "unless-stopped"
    assert service["init"] is True
    # One of a name: a second one on the same accounts would not take turns with it.
    assert service["container_name"] == service["image"] == "execsvc"


def test_a_thousand_bots_fit_and_the_log_ends() -> None:
    service = recipe.service()
    assert service["pids_limit"] >= 2 * 1000
    assert service["ulimits"]["nofile"] >= 4 * 1000
    assert {"max-size", "max-file"} <= set(service["logging"]["options"])


def test_the_build_is_of_these_files() -> None:
    build = recipe.service()["build"]
    assert (recipe.FOLDER / build["context"]).resolve() == SOURCES
    assert SOURCES / build["dockerfile"] == recipe.FOLDER / "Dockerfile"


def test_what_is_copied_is_what_is_not_ignored() -> None:
    copied = {name for step in BUILD.all("COPY") for name in shlex.split(step.text)[:-1]}
    kept = {path.name for path in SOURCES.iterdir() if not recipe.ignored(Path(path.name))}
    assert copied == kept
    assert all((SOURCES / name).exists() for name in copied)


@needs("checkout")
def test_nothing_of_an_operator_reaches_the_image_or_the_repository() -> None:
    for name in ("secrets/http_token", "settings/execsvc.env", ".env"):
        path = (recipe.FOLDER / name).relative_to(SOURCES)
        assert recipe.ignored(path)
        asked = subprocess.run(
            ["git", "check-ignore", "--quiet", path], cwd=SOURCES, env=scrubbed(), check=False
        )
        assert asked.returncode == 0, path
    assert recipe.ignored(Path("execsvc/__pycache__/x.pyc"))
    assert not recipe.ignored(Path("execsvc/store/sqlite/account/fees.sql"))


def test_readme_names_the_files_and_the_user_of_the_recipe() -> None:
    number = user().split(":")[0]
    assert f"chown -R {number}" in README
    for words in ("secrets/http_token", "settings/execsvc.env", "docker stop --signal SIGUSR2"):
        assert words in README
    assert "`systemd/container/README.rst`_" in (SOURCES / "README.rst").read_text("utf-8")
    assert "`container/README.rst`_" in (SOURCES / "systemd/README.rst").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "expected"), [("150s", 150.0), ("2m30s", 150.0), ("1h", 3600.0), ("500ms", 0.5)]
)
def test_a_duration_is_read_as_engines_read_it(text: str, expected: float) -> None:
    assert recipe.seconds(text) == expected
