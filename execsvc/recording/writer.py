"""Writes a recording, a file a UTC day."""

from __future__ import annotations

import gzip
import io
from datetime import datetime, timezone
from pathlib import Path

from execsvc.errors import Unavailable
from execsvc.model.market import Depth, Trade
from execsvc.recording.lines import book_text, trade_text

_DAY = 86_400_000


class DayWriter:
    """Appends to ``name-YYYY-MM-DD.jsonl[.gz]`` in the folder of ``path``, whose name is the
    pattern.

    Every file begins with a book. Raises Unavailable when the disk does not take it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.books = 0
        self.trades = 0
        self.files: list[Path] = []
        self._file: gzip.GzipFile | io.BufferedWriter | None = None
        self._day: int | None = None
        self._last = 0
        self._book: Depth | None = None

    def book(self, t: int, depth: Depth) -> None:
        """Write the book at ``t`` (ms), unless it equals the last one that was written."""
        if self._book is not None and (self._book.bids, self._book.asks) == (
            depth.bids,
            depth.asks,
        ):
            return
        self._book = depth
        t = self._at(t)
        if t // _DAY != self._day:
            self._open(t)
        self._write(book_text(t, depth.bids, depth.asks))
        self.books += 1

    def trade(self, trade: Trade) -> None:
        """Write a trade; an incomplete one, or one before the first book, is left out."""
        if self._book is None or trade.timestamp is None or trade.side not in ("buy", "sell"):
            return
        if not trade.price or not trade.amount:
            return
        t = self._at(trade.timestamp)
        if t // _DAY != self._day:
            self._open(t)
            self._write(book_text(t, self._book.bids, self._book.asks))
        self._write(trade_text(t, trade.price, trade.amount, trade.side))
        self.trades += 1

    def flush(self) -> None:
        """Flush to the disk, so that the lines written so far survive the death of the process."""
        if self._file is not None:
            try:
                self._file.flush()
            except OSError as error:
                raise Unavailable(f"{self.files[-1]}: {error.strerror or error}") from None

    def close(self) -> None:
        """Finish the file, which is complete then."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _at(self, t: int) -> int:
        """``t``, or the time of the last line if that is later: times in a recording never go back."""
        self._last = max(self._last, t)
        return self._last

    def _open(self, t: int) -> None:
        self.close()
        self._day = t // _DAY
        day = datetime.fromtimestamp(t / 1000, timezone.utc).date().isoformat()
        name = self.path.name
        zipped = name.endswith(".gz")
        stem = name.removesuffix(".gz").removesuffix(".jsonl")
        path = self.path.with_name(f"{stem}-{day}.jsonl{'.gz' if zipped else ''}")
        try:
            # Closed when the day or the recording ends.
            self._file = gzip.open(path, "ab") if zipped else path.open("ab")  # noqa: SIM115
        except OSError as error:
            raise Unavailable(f"{path}: {error.strerror or error}") from None
        self.files.append(path)

    def _write(self, text: str) -> None:
        assert self._file is not None, "a day is open"
        try:
            self._file.write(text.encode() + b"\n")
        except OSError as error:
            raise Unavailable(f"{self.files[-1]}: {error.strerror or error}") from None
