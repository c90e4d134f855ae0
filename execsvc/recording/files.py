"""The files of recordings, read line by line."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from execsvc.errors import ConfigRefused
from execsvc.recording.lines import BadLine, BookLine, Line, parse

_SUFFIXES = (".jsonl", ".jsonl.gz")
_GZIP = b"\x1f\x8b"


def find(paths: Sequence[Path]) -> list[Path]:
    """The recordings that ``paths`` name: files as they are, of a directory those in it by name.

    Raises ConfigRefused where there is none.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            within = sorted(each for each in path.iterdir() if each.name.endswith(_SUFFIXES))
            if not within:
                raise ConfigRefused(f"{path}: no recording in it ({', '.join(_SUFFIXES)})")
            found += within
        elif path.is_file():
            found.append(path)
        else:
            raise ConfigRefused(f"{path}: no such file")
    return found


class Recording:
    """One recording, read from its beginning to its end, once.

    A malformed line raises ConfigRefused, which states its number; with ``skip_bad`` it is left out
    and counted in ``bad``.
    """

    def __init__(self, path: Path, skip_bad: bool = False) -> None:
        self.path = path
        self.bad = 0
        self._skip_bad = skip_bad
        try:
            self._raw = path.open("rb")
            self._size = max(path.stat().st_size, 1)
            zipped = self._raw.read(2) == _GZIP
            self._raw.seek(0)
        except OSError as error:
            raise ConfigRefused(f"{path}: {error.strerror or error}") from None
        plain = gzip.GzipFile(fileobj=self._raw) if zipped else self._raw
        self._text = io.TextIOWrapper(plain, encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Close the file."""
        self._text.close()
        self._raw.close()

    def progress(self) -> float:
        """The part of the file that has been read, 0 to 1."""
        return min(self._raw.tell() / self._size, 1.0)

    def __iter__(self) -> Iterator[Line]:
        last: int | None = None
        for number, text in self._numbered():
            if text is None or text.strip():
                try:
                    line = _checked(text, last)
                except BadLine as error:
                    self._count(number, str(error))
                    continue
                last = line.t
                yield line
        if last is None:
            raise ConfigRefused(f"{self.path}: holds no book")

    def _numbered(self) -> Iterator[tuple[int, str | None]]:
        """Each line with its number; None for one that cannot be read, which is the last."""
        number = 0
        while True:
            number += 1
            try:
                text = self._text.readline()
            except (OSError, EOFError, zlib.error):
                yield number, None
                return
            if not text:
                return
            yield number, text

    def _count(self, number: int, why: str) -> None:
        if not self._skip_bad:
            raise ConfigRefused(f"{self.path}, line {number}: {why} (--skip-bad leaves it out)")
        self.bad += 1


def _checked(text: str | None, last: int | None) -> Line:
    if text is None:
        raise BadLine("cannot be unpacked: the file is cut short or damaged")
    line = parse(text)
    if last is None and not isinstance(line, BookLine):
        raise BadLine("comes before the first book")
    if last is not None and line.t < last:
        raise BadLine("goes back in time")
    return line
