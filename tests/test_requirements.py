"""A test that is skipped says what is missing and how to provide what is missing."""

from __future__ import annotations

import ast
import os
import shutil
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import pytest
from support import requirements
from support.requirements import REQUIREMENTS, TO_RUN, Lack, lacking, needs, require, skip

TESTS = Path(__file__).resolve().parent
WAYS = {"pytest.skip", "pytest.importorskip", "pytest.mark.skip", "pytest.mark.skipif"}
ROOT_USER, OTHER_USER = 0, 1000


def ways_to_skip(path: Path) -> list[str]:
    """Each use, in a file, of what pytest offers for skipping a test."""
    text = path.read_text("utf-8")
    if "skip" not in text:
        return []
    tree = ast.parse(text)
    caught = {node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return [
        f"{path.relative_to(TESTS)}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in WAYS
        and node not in caught  # pytest.skip.Exception
    ]


def test_skips_of_all_tests_come_from_the_registry() -> None:
    registry = Path(requirements.__file__)
    found = {path: ways_to_skip(path) for path in sorted(TESTS.rglob("*.py"))}

    assert found.pop(registry)
    assert [place for places in found.values() for place in places] == []


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine look as if all were missing that can be."""

    def not_installed(name: str) -> NoReturn:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(metadata, "distribution", not_installed)
    monkeypatch.setattr(requirements, "MARKET", tmp_path)
    monkeypatch.setattr(requirements, "knows_immortals", lambda: False)
    monkeypatch.setattr(requirements, "this_machine", lambda: None)


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("name", REQUIREMENTS)
def test_requirement_missing_says_what_and_the_remedy(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks = []
    for user in (ROOT_USER, OTHER_USER):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        if user == OTHER_USER or name != "mount":  # nothing is mounted here
            lacks.append(REQUIREMENTS[name]())

    missing = [lack for lack in lacks if lack is not None]
    assert missing
    assert all(lack.words and lack.remedy and TO_RUN not in lack.words for lack in missing)


@pytest.mark.usefixtures("bare_machine")
def test_missing_programs_are_named_with_their_debian_packages() -> None:
    lack = REQUIREMENTS["browser"]()

    assert lack == Lack(
        "chromium and chromedriver are not installed", "apt-get install chromium chromium-driver"
    )


def test_a_command_that_is_refused_is_quoted() -> None:
    lack = requirements._tried("echo no such thing >&2; false", "it cannot be done")

    assert lack is not None
    assert lack.words.startswith("it cannot be done (")
    assert os.geteuid() != 0 or "(no such thing)" in lack.words


def test_require_met_lets_the_test_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REQUIREMENTS, "something that is here", lambda: None)

    require("something that is here")
    assert lacking("something that is here") is None
    assert needs("something that is here").args == (False,)


def test_require_not_met_skips_with_words_and_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REQUIREMENTS, "a moon", lambda: Lack("there is no moon", "wait a month"))

    with pytest.raises(pytest.skip.Exception, match="there is no moon; to run them: wait a month"):
        require("a moon")
    mark = needs("a moon")
    assert (mark.args, mark.kwargs["reason"]) == (
        (True,),
        f"there is no moon{TO_RUN}wait a month",
    )


def test_skip_for_what_was_tried_has_the_same_form() -> None:
    with pytest.raises(pytest.skip.Exception, match="pip failed; to run them: an index"):
        skip("pip failed", "an index")
