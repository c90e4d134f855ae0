"""Tests write to memory only where that is large enough and may hold programs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support import scratch

ROOMY = {"f_flag": 0, "f_bavail": 2**21, "f_frsize": 4096}


class Seen:
    """The answer of statvfs about a place."""

    def __init__(self, **facts: int) -> None:
        self.f_flag, self.f_bavail, self.f_frsize = (
            {**ROOMY, **facts}[name] for name in ("f_flag", "f_bavail", "f_frsize")
        )


@pytest.mark.parametrize(
    ("facts", "memory", "fits"),
    [
        ({}, 16 << 30, True),
        ({"f_flag": os.ST_NOEXEC}, 16 << 30, False),
        ({"f_flag": os.ST_RDONLY}, 16 << 30, False),
        ({"f_bavail": 2**14}, 16 << 30, False),
        ({}, 4 << 30, False),
    ],
    ids=["roomy", "noexec", "read-only", "64 MB", "little memory"],
)
def test_a_place_is_taken_when_it_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: dict[str, int], memory: int, fits: bool
) -> None:
    monkeypatch.delenv("PYTEST_DEBUG_TEMPROOT", raising=False)
    monkeypatch.setattr(scratch, "_available", lambda: memory)
    with monkeypatch.context() as patched:
        patched.setattr(os, "statvfs", lambda _: Seen(**facts))
        scratch.choose(tmp_path)

    assert os.environ.get("PYTEST_DEBUG_TEMPROOT") == (str(tmp_path) if fits else None)


def test_a_place_that_is_not_there_will_not_do(tmp_path: Path) -> None:
    assert not scratch.fits(tmp_path / "nowhere")


def test_the_caller_s_place_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DEBUG_TEMPROOT", "/elsewhere")
    monkeypatch.setattr(scratch, "fits", lambda _: True)
    scratch.choose(tmp_path)

    assert os.environ["PYTEST_DEBUG_TEMPROOT"] == "/elsewhere"
