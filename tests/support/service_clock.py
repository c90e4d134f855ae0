"""The wall clock of a service, as a test sets it; no other clock, and no other program."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from support.environment import scrubbed

SOURCE = Path(__file__).with_name("set_clock.c")


class ServiceClock:
    """A wall clock for the processes of a service: a library that is preloaded, and a file that it reads."""

    def __init__(self, folder: Path) -> None:
        library = folder / "set_clock.so"
        self._file = folder / "set_clock"
        self.set_by(0)
        command = ["gcc", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(command, env=scrubbed(), check=True, capture_output=True)
        self.environ = {"LD_PRELOAD": str(library), "SET_CLOCK": str(self._file)}

    def set_by(self, seconds: float) -> None:
        """Set it ahead of the machine's by so much, or back."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("d", seconds))
