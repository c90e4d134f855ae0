"""A library that moves the wall clock of the programs it is preloaded into, and no other clock."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

from support.environment import scrubbed

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile long *offset_now(void) {
    static const volatile long *place;
    if (!place) {
        const char *path = getenv("EXECSVC_TESTS_CLOCK");
        int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (file >= 0) {
            void *found = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
            close(file);
            if (found != MAP_FAILED) place = found;
        }
    }
    return place;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, now);
    const volatile long *offset = offset_now();
    if (!code && offset && clock == CLOCK_REALTIME) now->tv_sec += *offset;
    return code;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
"""
_VARIABLE = "TESTS_CLOCK"


def can_be_made() -> bool:
    """True where there is a C compiler."""
    return shutil.which("cc") is not None


class ClockShim:
    """The library, made in ``folder``, and the seconds by which it moves the clock."""

    def __init__(self, folder: Path) -> None:
        source, library, place = (folder / f"clock.{suffix}" for suffix in ("c", "so", "offset"))
        source.write_text(_SOURCE.replace("EXECSVC_TESTS_CLOCK", _VARIABLE))
        command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
        subprocess.run(command, env=scrubbed(), check=True, capture_output=True)
        place.write_bytes(bytes(8))
        self.environ = {"LD_PRELOAD": str(library), _VARIABLE: str(place)}
        with place.open("r+b") as file:
            self._place = mmap.mmap(file.fileno(), 8)

    def move_to(self, seconds: int) -> None:
        """The wall clock is ``seconds`` ahead of the real one from now on; negative: behind."""
        self._place[:8] = struct.pack("l", seconds)
