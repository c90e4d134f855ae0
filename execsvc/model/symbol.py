"""The two assets of a market."""

from __future__ import annotations

from typing import NamedTuple


class Symbol(NamedTuple):
    """A market by its two assets; written ``BASE/QUOTE``."""

    base: str
    """The asset that is bought and sold."""
    quote: str
    """The asset that is paid with; prices are quote per base."""

    @classmethod
    def parse(cls, text: str) -> Symbol:
        """``BASE/QUOTE`` as a symbol. Raises ValueError unless ``text`` has one slash."""
        base, quote = text.split("/")
        return cls(base, quote)

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}"
