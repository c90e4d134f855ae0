"""The check of plain English that scripts/lint runs: each fault is found, and plain text passes."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "_english.py"


@pytest.fixture(scope="module")
def english() -> ModuleType:
    spec = importlib.util.spec_from_file_location("english_check", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('"""What a bot holds."""', "a docstring begins with 'What'"),
        ('"""The bot. What it holds is sold."""', "a sentence begins with 'What'"),
        ("# It is one.\nx = 1", "a comment begins with 'It'"),
        ("x = 1  # read by nobody", "'nobody': say which person or part"),
        ('raise Refused("it is not there")', "a text for users begins with 'it'"),
        ('logger.warning("Who {} is", name)', "a text for users begins with 'Who'"),
        ('raise Refused(f"{name}: held by someone")', "'someone': say which person or part"),
        ('option("--bot", help="Which bot.")', "a text for users begins with 'Which'"),
        ("def _tell() -> None: ...", "_tell: name what it does or is"),
        ("class Witness: ...", "Witness: name what it does or is"),
    ],
)
def test_faults_source_with_one_fault_names_it(
    english: ModuleType, source: str, fault: str
) -> None:
    assert [text for _, text in english.faults(source, is_tidy=True)] == [fault]


@pytest.mark.parametrize(
    "source",
    [
        '"""The position of a bot."""\nraise Refused("items are missing")',
        'logger.info("{}", text)\nname = "nobody"',
        "def tell_price() -> None: ...",
        'send({"what": "it"})',
    ],
)
def test_faults_plain_source_has_none(english: ModuleType, source: str) -> None:
    assert list(english.faults(source, is_tidy=True)) == []


def test_faults_texts_and_names_outside_of_tidy_packages_are_not_checked(
    english: ModuleType,
) -> None:
    source = 'def look() -> None:\n    raise Refused("it is not there")'

    assert list(english.faults(source, is_tidy=False)) == []


@pytest.mark.parametrize(
    ("page", "faults"),
    [
        ("A bot ends. What it holds is sold.", ["a sentence begins with 'What'"]),
        ("* Nobody sells.\n* Whoever sells.", ["a sentence begins with 'Nobody'"] * 2),
        ("What a bot does\n---------------\n\nA bot sells what it holds.", []),
    ],
)
def test_page_faults_sentences_are_found_and_headings_are_not(
    english: ModuleType, page: str, faults: list[str]
) -> None:
    found = [text for _, text in english.page_faults(page)]
    assert [text.replace("Whoever", "Nobody") for text in found] == faults


def test_namesakes_class_of_a_tidy_package_with_the_name_of_another_is_found(
    english: ModuleType,
) -> None:
    trees = {
        Path("clients/http.py"): ast.parse("class Reply: ..."),
        Path("not_tidy/door.py"): ast.parse("\nclass Reply: ..."),
    }

    assert list(english.namesakes(trees)) == [
        (Path("clients/http.py"), 1, "class Reply is also in not_tidy/door.py")
    ]
