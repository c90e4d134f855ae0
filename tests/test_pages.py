"""The pages: their tables are those that the code makes, and each reader's page is of a length."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "_pages.py"))
OPERATOR = "systemd/README.rst"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of all pages, to be changed."""
    for page in PAGES["PAGES"]:
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / page, tmp_path / page)
    return tmp_path


def change(page: Path, text: str, by: str) -> None:
    content = page.read_text("utf-8")
    assert text in content
    page.write_text(content.replace(text, by, 1), "utf-8")


def test_every_table_of_the_pages_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert (PAGES["main"]("check", str(ROOT)), capsys.readouterr().out) == (0, "")


@pytest.mark.parametrize(
    ("text", "by", "table"),
    [
        ("a bot's process is replaced", "a bot is replaced", "settings"),
        ("``bot_flat``                    INFO", "``bot_flat``                    DEBUG", "events"),
        ("``execsvc_halted`` ", "``execsvc_holted`` ", "metrics"),
        ("wrong usage, or no such bot", "wrong usage", "exit codes of the commands"),
    ],
)
def test_a_row_that_differs_from_the_code_is_named_and_written_anew(
    text: str, by: str, table: str, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(copy / OPERATOR, text, by)

    assert PAGES["main"]("check", str(copy)) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{OPERATOR}: the table of {table}")

    assert PAGES["main"]("write", str(copy)) == 0
    assert (copy / OPERATOR).read_text("utf-8") == (ROOT / OPERATOR).read_text("utf-8")
    assert capsys.readouterr().out == f"{OPERATOR}: written\n"


def test_a_table_that_is_on_no_page_is_named(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(copy / OPERATOR, ".. made by scripts/pages: settings\n", "")

    assert PAGES["main"]("check", str(copy)) == 1
    assert capsys.readouterr().out == "the table of settings is on 0 pages\n"


def test_a_table_that_the_code_does_not_know_is_named(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(copy / OPERATOR, "scripts/pages: metrics\n", "scripts/pages: figures\n")

    assert PAGES["main"]("check", str(copy)) == 1
    assert f"{OPERATOR}: no table of figures is known\n" in capsys.readouterr().out


def test_the_first_page_has_at_most_200_lines() -> None:
    assert len((ROOT / "README.rst").read_text("utf-8").splitlines()) <= 200
