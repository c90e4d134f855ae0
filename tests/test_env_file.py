"""The env file is read as systemd reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execsvc.env_file import parse, read
from execsvc.errors import ConfigRefused


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("A=1\nB=2", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=", {"A": ""}),
        ("A=\nB=1", {"A": "", "B": "1"}),
        ("  A  =  1 2  \n", {"A": "1 2"}),
        ("# A=1\n; B=2\n  # C=3\nD=4", {"D": "4"}),
        ("A=1 # stays\n", {"A": "1 # stays"}),
        ("A=1;2#3", {"A": "1;2#3"}),
        ("# ends here \\\nA=1", {"A": "1"}),
        ("A='x  y '  ", {"A": "x  y "}),
        ("A='x\\n'", {"A": "x\\n"}),
        ("A='it''s'", {"A": "its"}),
        ("A=\"x 'y' z\"", {"A": "x 'y' z"}),
        ('A="a\\"b\\\\c\\$d\\`e\\nf"', {"A": 'a"b\\c$d`e\\nf'}),
        ('A="two\nlines"', {"A": "two\nlines"}),
        ('A="one\\\nline"', {"A": "oneline"}),
        ("A=one\\\nline", {"A": "oneline"}),
        ("A=one \\\n line", {"A": "one  line"}),
        ("A=\\ x\\ \n", {"A": " x "}),
        ("A=x\\y", {"A": "xy"}),
        ("A=\"x\" 'y'z", {"A": "xyz"}),
        ('A="x "\\\n', {"A": "x "}),
        ("A=$B ${C} ~ `d`", {"A": "$B ${C} ~ `d`"}),
        ("A=1\nA=2", {"A": "2"}),
        ("no assignment\nA=1", {"A": "1"}),
        ("export B=1\n9C=2\n=3\nA=1", {"A": "1"}),
        ("A=b=c", {"A": "b=c"}),
        ("A='never closed\nB=1", {"A": "never closed\nB=1"}),
        ("", {}),
    ],
)
def test_parse_reads_as_systemd_does(text: str, variables: dict[str, str]) -> None:
    assert parse(text) == variables


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))))
def test_every_value_can_be_written_in_double_quotes(value: str) -> None:
    quoted = "".join("\\" + c if c in '"\\`$' else c for c in value)
    assert parse(f'NAME="{quoted}"\n') == {"NAME": value}


@given(st.text())
def test_parse_any_text_raises_nothing(text: str) -> None:
    assert all(name.isidentifier() for name in parse(text))


def test_read_returns_the_variables_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_bytes("A=grün\n".encode())
    assert read(path) == {"A": "grün"}


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match="absent: No such file"):
        read(tmp_path / "absent")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_bytes(b"A=\xff\n")
    with pytest.raises(ConfigRefused, match="not UTF-8"):
        read(path)
