"""The environment of the tests themselves: what is left of a caller's, here and in what a test starts."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import environment
from support.environment import for_pip, of_tests, scrubbed

TESTS = Path(__file__).parent
LAUNCHER = [sys.executable, "-I", str(TESTS / "support" / "environment.py")]
STARTS = {"run", "Popen", "call", "check_call", "check_output"}
SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM)
HOSTILE = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "LC_ALL": "C",
    "TZ": "Asia/Seoul",
    "PYTHONUNBUFFERED": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONPATH": "/nonexistent",
    "XDG_RUNTIME_DIR": "/nonexistent",
    "EXECSVC_POLL_INTERVAL": "nonsense",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "all_proxy": "http://127.0.0.1:9",
    "PIP_FIND_LINKS": "/wheels",
    "SSL_CERT_FILE": "/certificates",
    "PYTEST_ADDOPTS": "--nonsense",
}
LOOK = """
import json, os, signal, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "environ": dict(os.environ),
    "ignored": [n for n in range(1, 32) if int(status["SigIgn"], 16) >> n - 1 & 1],
    "blocked": [n for n in range(1, 32) if int(status["SigBlk"], 16) >> n - 1 & 1],
    "umask": status["Umask"].strip(),
    "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1],
}))
"""
"""The environment as a process prints it. Python itself ignores PIPE and XFSZ."""
HOSTILE_PARENT = """
import os, signal, sys
for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGPIPE):
    signal.signal(signum, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD])
os.umask(0o077)
os.set_inheritable(os.dup2(0, 17), True)
os.execv(sys.argv[1], sys.argv[1:])
"""
PYTHONS_OWN = [signal.SIGPIPE, signal.SIGXFSZ]


def seen_by(*command: str, **environ: str) -> dict[str, Any]:
    """The output of :data:`LOOK` when ``command`` starts the process that runs it."""
    done = subprocess.run(
        [*command, sys.executable, "-c", LOOK],
        env={**environ} or scrubbed(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_launcher_hostile_caller_leaves_nothing_of_it() -> None:
    found = seen_by(sys.executable, "-I", "-c", HOSTILE_PARENT, *LAUNCHER, **HOSTILE)

    assert found["ignored"] == PYTHONS_OWN
    assert found["blocked"] == []
    assert found["umask"] == "0022"
    assert found["descriptors"] == [0, 1, 2]
    assert set(found["environ"]) == {"PATH", "HOME", "LANG", environment._SET_ASIDE}


def test_launcher_signals_python_ignores_are_default_for_any_program() -> None:
    """A shell's own children would inherit what Python ignores for itself."""
    command = [*LAUNCHER, "sh", "-c", "grep SigIgn /proc/self/status"]
    done = subprocess.run(command, env=scrubbed(), capture_output=True, text=True, timeout=60)
    ignored = int(done.stdout.split()[1], 16)
    assert [n for n in range(1, 32) if ignored >> n - 1 & 1] == []


def test_child_of_a_test_has_defaults_and_nothing_of_the_caller() -> None:
    found = seen_by()

    assert found["ignored"] == PYTHONS_OWN
    assert found["blocked"] == []
    assert found["umask"] == "0022"
    assert found["descriptors"] == [0, 1, 2]
    # A Python that finds itself in the C locale sets LC_CTYPE.
    assert set(found["environ"]) <= {"PATH", "HOME", "LANG", "LC_CTYPE"}


def test_process_of_tests_has_defaults_and_nothing_of_the_caller() -> None:
    names = {name for name in os.environ if not name.startswith("PYTEST_")}

    assert names <= {"PATH", "HOME", "LANG", "RECORDED_MARKETS", environment._SET_ASIDE}
    assert [s for s in SIGNALS if signal.getsignal(s) is signal.SIG_IGN] == []
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
    mask = os.umask(0)
    os.umask(mask)
    assert mask == environment.UMASK
    assert sys.flags.optimize == 0


def test_tests_under_a_hostile_caller_run_with_assertions(tmp_path: Path) -> None:
    """``scripts/test`` in small: its first lines, its launcher, and the test before this one."""
    name = "test_process_of_tests_has_defaults_and_nothing_of_the_caller"
    script = (
        f". '{TESTS.parent}/scripts/_venv.sh'; bin=$(dirname '{sys.executable}'); "
        f"tests_become '{sys.executable}' -m pytest -q -p no:cacheprovider '{__file__}::{name}'"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", HOSTILE_PARENT, "/bin/bash", "-c", script],
        env=HOSTILE,
        cwd=TESTS.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_enter_without_assertions_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from support import environment\nenvironment.enter()"],
        env=scrubbed(PYTHONOPTIMIZE="1", PYTHONPATH=str(TESTS)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "assertions are off" in done.stderr


def test_of_tests_applied_twice_changes_nothing() -> None:
    once = of_tests(HOSTILE)
    assert of_tests(once) == once


def test_for_pip_has_what_the_caller_told_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(environment._SET_ASIDE, of_tests(HOSTILE)[environment._SET_ASIDE])

    assert {n: v for n, v in for_pip().items() if n not in environment.OF_PROGRAMS} == {
        name: HOSTILE[name]
        for name in ("HTTP_PROXY", "all_proxy", "PIP_FIND_LINKS", "SSL_CERT_FILE")
    }
    assert set(scrubbed()) <= set(environment.OF_PROGRAMS)


def test_scrubbed_has_the_settings_that_a_test_has_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXECSVC_STATE_DIR", "/one")

    assert scrubbed()["EXECSVC_STATE_DIR"] == "/one"
    assert scrubbed({"EXECSVC_STATE_DIR": "/two"}, {"A": "1"}, B="2").items() >= {
        ("EXECSVC_STATE_DIR", "/two"),
        ("A", "1"),
        ("B", "2"),
    }


def starts() -> Iterator[tuple[str, ast.Call]]:
    """Each call in the tests that starts a program."""
    for path in TESTS.rglob("*.py"):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if "subprocess." in text else ():
            called = node.func if isinstance(node, ast.Call) else None
            if (
                isinstance(node, ast.Call)
                and isinstance(called, ast.Attribute)
                and isinstance(called.value, ast.Name)
                and called.value.id == "subprocess"
                and called.attr in STARTS
            ):
                yield f"{path.relative_to(TESTS)}:{node.lineno}", node


def test_every_program_that_a_test_starts_is_given_its_environment() -> None:
    found = dict(starts())
    named = {where: {keyword.arg for keyword in call.keywords} for where, call in found.items()}

    assert len(found) > 30
    lacking = [where for where, names in named.items() if "env" not in names]
    assert lacking == [], "give them env=scrubbed(), of support.environment"
