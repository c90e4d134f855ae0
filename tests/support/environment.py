"""The environment of the tests and of each process that they start: of the caller's, only what is named here.

A test must not pass, or fail, because of a variable, an ignored signal, a umask or an open file of
whoever started the tests. As a program, ``python -I environment.py COMMAND …`` becomes COMMAND in the
environment of the tests; ``scripts/test`` starts pytest so. It needs nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

OF_PROGRAMS = ("PATH", "HOME", "LANG")
"""The variables that every process has."""
OF_PIP = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("XDG_CONFIG_HOME", "XDG_CACHE_HOME"),
)
"""The variables that pip may need beside ``PIP_…`` to reach its index: they are for pip alone."""
OF_TESTS = ("RECORDED_MARKETS",)
"""The variables by which a caller may set up the tests themselves."""
UMASK = 0o022
_SET_ASIDE = "TESTS_SET_ASIDE_FOR_PIP"
"""The variable that keeps those of pip, as a JSON object, where no other program looks."""
_PYTHONS_OWN = {signal.SIGPIPE, signal.SIGXFSZ}
"""The signals that Python ignores for itself, and ``subprocess`` restores in a child."""
_RESTORED = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
_FIRST_INHERITED = 3


def scrubbed(*more: Mapping[str, str], **named: str) -> dict[str, str]:
    """The environment of a process that a test starts: :data:`OF_PROGRAMS`, and what is given.

    With the settings that the test itself has made in this process: those of the caller are gone.
    """
    made = {
        name: value
        for name, value in os.environ.items()
        if name in OF_PROGRAMS or name.startswith("EXECSVC_")
    }
    for each in more:
        made.update(each)
    return {**made, **named}


def for_pip() -> dict[str, str]:
    """The environment of a pip that is to find what the caller's would find."""
    return scrubbed(json.loads(os.environ.get(_SET_ASIDE, "{}")))


def of_tests(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the tests themselves, of what a caller's is.

    Applied to its own result it changes nothing.
    """
    aside = {n: v for n, v in environ.items() if n in OF_PIP or n.startswith("PIP_")}
    kept = {n: v for n, v in environ.items() if n in OF_PROGRAMS or n in OF_TESTS}
    return {**kept, _SET_ASIDE: environ.get(_SET_ASIDE) or json.dumps(aside)}


@contextmanager
def ignoring(*signums: signal.Signals) -> Iterator[None]:
    """Programs that are started within the block find ``signums`` ignored, as those of nohup do."""
    before = {signum: signal.signal(signum, signal.SIG_IGN) for signum in signums}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def enter() -> None:
    """Give this process the environment of the tests, also where pytest was started by itself.

    Variables of pytest's own (``PYTEST_…``) stay. Raises RuntimeError when Python runs without
    assertions, which would make tests pass.
    """
    if sys.flags.optimize:
        raise RuntimeError("assertions are off (PYTHONOPTIMIZE, -O): scripts/test ends that")
    own = {name: value for name, value in os.environ.items() if name.startswith("PYTEST_")}
    wanted = {**of_tests(os.environ), **own}
    # No more is changed than has to be: where the first variable is moved, no process gets a title.
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update({n: v for n, v in wanted.items() if os.environ.get(n) != v})
    time.tzset()
    os.umask(UMASK)
    _restore_signals()


def _restore_signals() -> None:
    """Give up what was ignored or blocked by inheritance.

    A program that is started by this process then has the defaults: no handler outlives that.
    """
    for signum in _RESTORED - _PYTHONS_OWN:
        if signal.getsignal(signum) is signal.SIG_IGN:
            signal.signal(signum, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def become(command: list[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by ``command``, with the defaults of signals and nothing but standard streams."""
    for signum in _RESTORED:
        signal.signal(signum, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.umask(UMASK)
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    os.closerange(_FIRST_INHERITED, highest + 1)
    os.execvpe(command[0], command, environ)


if __name__ == "__main__":
    become(sys.argv[1:], of_tests(os.environ))
