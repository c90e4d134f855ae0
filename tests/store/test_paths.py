"""The names of files, by ids."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from execsvc.store.sqlite.paths import file_stem


def test_ids_become_file_names() -> None:
    assert file_stem("a/b") == "a_b-c14cddc033f64b9d"
    assert file_stem("../..").startswith(".._..-")
    assert len(file_stem("ü" * 200)) == 40 + 1 + 16


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_file_names_are_safe_and_apart(one: str, other: str) -> None:
    for text in (one, other):
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,40}-[0-9a-f]{16}", file_stem(text))
    assert (file_stem(one) == file_stem(other)) == (one == other)
