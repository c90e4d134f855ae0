"""The two assets of a market."""

from __future__ import annotations

import pytest

from execsvc.model.market import Symbol


def test_parse_base_and_quote_are_the_two_halves() -> None:
    base, quote = Symbol.parse("BTC/USDT")

    assert (base, quote) == ("BTC", "USDT")
    assert str(Symbol.parse("BTC/USDT:USDT")) == "BTC/USDT:USDT"


@pytest.mark.parametrize("text", ["BTCUSDT", "", "A/B/C"])
def test_parse_not_one_slash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="unpack"):
        Symbol.parse(text)
