"""The two directories, which only the user of the service may own."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from execsvc.errors import ConfigRefused
from execsvc.settings import directories, runtime_directory, state_directory
from execsvc.settings.directories import ends_with_session


def test_directories_are_made_private(tmp_path: Path) -> None:
    for make, name in ((runtime_directory, "r"), (state_directory, "s")):
        path = tmp_path / "deep" / name
        make(path)
        make(path)
        assert path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o500])
def test_a_runtime_directory_that_is_not_private_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "r"
    path.mkdir()
    path.chmod(mode)
    with pytest.raises(ConfigRefused, match=r"^EXECSVC_RUNTIME_DIR: .* has mode"):
        runtime_directory(path)


def test_a_state_directory_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.mkdir()
    path.chmod(0o777)
    with pytest.raises(ConfigRefused, match="EXECSVC_STATE_DIR"):
        state_directory(path)
    path.chmod(0o755)
    state_directory(path)


def test_directory_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r"
    path.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(ConfigRefused, match="not to this user"):
        runtime_directory(path)


def test_a_file_in_the_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r"
    path.write_text("")
    with pytest.raises(ConfigRefused, match="File exists"):
        runtime_directory(path)


@pytest.mark.parametrize(
    ("path", "session", "ends"),
    [
        ("/run/user/1000/execsvc", None, True),
        ("/run/user/1000/execsvc", "/run/user/1000", True),
        ("/somewhere/session/execsvc", "/somewhere/session", True),
        ("/somewhere/sessions/execsvc", "/somewhere/session", False),
        ("/run/execsvc", "/run/user/1000", False),
        ("/tmp/execsvc-1000", None, False),
    ],
)
def test_session_directory_is_recognised_by_its_path(
    path: str, session: str | None, ends: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directories, "_LINGERING", tmp_path)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    if session:
        monkeypatch.setenv("XDG_RUNTIME_DIR", session)
    assert ends_with_session(Path(path)) is ends


def test_session_directory_of_a_user_who_lingers_does_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directories, "_LINGERING", tmp_path)
    (tmp_path / pwd.getpwuid(os.geteuid()).pw_name).touch()
    assert not ends_with_session(Path("/run/user/1000/execsvc"))
