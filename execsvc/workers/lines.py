"""Lines from a pipe whose writer may be slow, fast, half-way or dead."""

from __future__ import annotations

import os

_CHUNK = 65536


class Lines:
    """Reads whole lines from a non-blocking descriptor.

    A line longer than ``limit`` bytes is dropped, and so is half a line at the end of file.
    """

    def __init__(self, descriptor: int, limit: int) -> None:
        self.descriptor = descriptor
        self.ended = False
        self._limit = limit
        self._rest = bytearray()
        self._dropping = False

    def read(self, most: int = 16 * _CHUNK) -> list[bytes]:
        """The lines that became whole, from about ``most`` bytes that wait at present."""
        lines: list[bytes] = []
        taken = 0
        while taken < most and not self.ended:
            try:
                chunk = os.read(self.descriptor, _CHUNK)
            except BlockingIOError:
                break
            taken += len(chunk)
            self.ended = not chunk
            self._take(chunk, lines)
            if len(chunk) < _CHUNK:
                break  # the pipe is empty, or has come to its end and says so once more
        return lines

    def close(self) -> None:
        """Close the descriptor."""
        self.ended = True
        os.close(self.descriptor)

    def _take(self, chunk: bytes, lines: list[bytes]) -> None:
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            if not self._dropping and len(self._rest) + len(line) <= self._limit:
                lines.append(bytes(self._rest) + line)
            self._rest.clear()
            self._dropping = False
        if not self._dropping:
            self._rest += rest
        if len(self._rest) > self._limit:
            self._rest.clear()
            self._dropping = True
