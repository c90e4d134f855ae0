"""Stamps in whatever unit an exchange writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from execsvc.model.stamps import Stamp

STAMP: TypeAdapter[int] = TypeAdapter(Stamp)


@pytest.mark.parametrize(
    ("written", "stamp"),
    [
        (1767292988078, 1767292988078),
        (1767292988, 1767292988000),
        (1767292988078123, 1767292988078),
        (1767292988078123456, 1767292988078),
        ("1767292988078", 1767292988078),
        (1767292988.078, 1767292988078),
        (Decimal("1767292988.0786"), 1767292988078),
        (Decimal("1767292988078.9"), 1767292988078),
        (1, 1),
        (0, 0),
        (-5, -5),
        (10**30, 10**30),
        (10**400, 10**400),
    ],
)
def test_stamp_is_in_milliseconds(written: Any, stamp: int) -> None:
    assert STAMP.validate_python(written) == stamp


@pytest.mark.parametrize(
    "written", ["yesterday", "2026-01-01T00:00:00Z", "NaN", "1e999999", [], {}]
)
def test_stamp_that_is_no_number_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError):
        STAMP.validate_python(written)
