"""The log: one line a record, whatever is in it, and no process dies of it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.environment import scrubbed

from execsvc.repeats import Repeats

PROLOGUE = """
import sys, os
from execsvc import logs
from loguru import logger
"""


def log(body: str, form: str, **environ: str) -> list[str]:
    """Lines that a process writes which logs to a pipe in ``form``."""
    script = f"{PROLOGUE}logs.setup('INFO', {form!r})\n{body}"
    done = subprocess.run(
        [sys.executable, "-c", script],
        stderr=subprocess.PIPE,
        env=scrubbed(environ),
        timeout=60,
        check=True,
    )
    text = done.stderr.decode()
    assert text.endswith("\n") or not text
    return text.split("\n")[:-1]


def records(body: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log(body, "json")]


def test_a_record_about_a_bot_names_it_in_each_format() -> None:
    body = "logs.bound('b-1', 's', 'BTC/USDT').info('hello')"
    for form in ("auto", "text", "json", "journald"):
        (line,) = log(body, form)
        assert "b-1" in line
        assert "BTC/USDT" in line
        assert "hello" in line


def test_json_holds_every_field() -> None:
    (record,) = records(
        "from decimal import Decimal\n"
        "logs.bound('b', 's', 'A/B').bind(event='order_filled', order_id='x',"
        " amount=Decimal('1E-7'), ratio=float('nan'), level='mine').warning('sold {}', 1)"
    )
    assert record.pop("time").endswith("Z")
    assert record == {
        "level": "WARNING",
        "message": "sold 1",
        "bot_id": "b",
        "strategy": "s",
        "symbol": "A/B",
        "event": "order_filled",
        "order_id": "x",
        "amount": "0.0000001",
        "ratio": "nan",
        "level_": "mine",
    }


@pytest.mark.parametrize("form", ["auto", "text", "json", "journald"])
def test_a_record_is_one_line_whatever_it_holds(form: str) -> None:
    hostile = "a\nb\rc\x1b[2Jd\x85e\u2028f\ud800g{}"
    body = (
        f"log = logs.bound({hostile!a})\n"
        f"log.info({hostile!a})\n"
        "try:\n    raise ValueError('x\\ny')\nexcept ValueError:\n    log.exception('failed')"
    )
    lines = log(body, form)
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert "ValueError" in lines[1]
    assert "Traceback" in lines[1]


def test_a_traceback_shows_no_values() -> None:
    body = "token = 'hush'\ntry:\n    len(token) / 0\nexcept ZeroDivisionError:\n    logger.exception('x')"
    (record,) = records(body)
    assert "ZeroDivisionError" in record["exception"]
    assert "hush" not in json.dumps(record)


def test_records_below_the_level_are_not_written() -> None:
    assert records("logger.debug('x')") == []


def test_setup_again_does_not_double_records() -> None:
    assert len(log("logs.setup('INFO', 'text'); logger.info('x')", "text")) == 1


def test_a_forked_child_logs_too() -> None:
    body = (
        "logger.info('before')\n"
        "if os.fork() == 0:\n"
        "    logs.setup('DEBUG', 'json')\n    logger.debug('child')\n    os._exit(0)\n"
        "os.wait()\nlogger.info('after')"
    )
    assert [record["message"] for record in records(body)] == ["before", "child", "after"]


def test_journald_lines_carry_their_priority() -> None:
    lines = log("logger.info('a'); logger.error('b'); logger.critical('c')", "journald")
    assert lines == ["<6>a", "<3>b", "<2>c"]


def test_auto_uses_the_journal_when_stderr_is_connected_to_it() -> None:
    reader, writer = os.pipe()
    status = os.fstat(writer)
    subprocess.run(
        [sys.executable, "-c", f"{PROLOGUE}logs.setup('INFO', 'auto')\nlogger.info('x')"],
        stderr=writer,
        env=scrubbed(JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}"),
        timeout=60,
        check=True,
    )
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        assert stream.read() == b"<6>x\n"


def test_a_terminal_gets_colours_and_readable_tracebacks() -> None:
    body = "try:\n    1/0\nexcept ZeroDivisionError:\n    logger.exception('\\x1b[2Jfailed')"
    leader, follower = pty.openpty()
    subprocess.run(
        [sys.executable, "-c", f"{PROLOGUE}logs.setup('INFO', 'auto')\n{body}"],
        stderr=follower,
        env=scrubbed(),
        timeout=60,
        check=True,
    )
    text = os.read(leader, 65536).decode()
    os.close(leader)
    os.close(follower)
    assert "\x1b[31mERROR" in text
    assert "\x1b[2J" not in text
    assert len(text.splitlines()) > 3


@pytest.mark.parametrize("how", ["reader gone", "full"])
def test_unwritable_log_ends_no_process(how: str) -> None:
    if how == "full":
        writer = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, writer = os.pipe()
        os.close(reader)
    script = (
        f"{PROLOGUE}logs.setup('INFO', 'text')\nfor _ in range(3): logger.info('x')\nprint('alive')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=writer,
        env=scrubbed(),
        timeout=60,
        check=True,
    )
    os.close(writer)
    assert done.stdout == b"alive\n"


def test_a_closed_stderr_is_not_taken_over_by_the_next_file() -> None:
    body = (
        "os.close(2)\nlogs.setup('INFO', 'text')\nimport tempfile\n"
        "with tempfile.TemporaryFile() as ledger:\n"
        "    logger.info('x')\n    ledger.seek(0)\n"
        "    os._exit(0 if ledger.fileno() > 2 and ledger.read() == b'' else 1)"
    )
    assert log(body, "text") == []


def test_warnings_of_libraries_are_logged() -> None:
    (record,) = records("import logging; logging.getLogger('lib').warning('50%% {of} %s', 1)")
    assert (record["message"], record["logger"]) == ("50% {of} 1", "lib")


def test_repeated_fault_is_logged_once_a_minute_with_a_count() -> None:
    repeats = Repeats()
    said = [repeats.note("k", float(now)) for now in range(0, 125, 5)]
    assert [count for count in said if count is not None] == [1, 12, 12]
    assert said[0] == 1


def test_faults_are_counted_apart_and_forgotten_when_over() -> None:
    repeats = Repeats()
    assert repeats.note("a", 0) == 1
    assert repeats.note("b", 0) == 1
    assert repeats.note("a", 1) is None
    assert repeats.forget("a") == 1
    assert repeats.note("a", 2) == 1
    assert repeats.forget("never") == 0


@given(st.lists(st.floats(0, 1000), max_size=50))
def test_no_repetition_is_lost(steps: list[float]) -> None:
    repeats, now, said = Repeats(), 0.0, 0
    for step in steps:
        now += step
        said += repeats.note("k", now) or 0
    assert said + repeats.forget("k") == len(steps)


def test_keys_from_outside_cannot_fill_the_memory() -> None:
    repeats = Repeats()
    for number in range(5000):
        assert repeats.note(str(number), float(number)) == 1
    assert len(repeats._logged_at) <= 1000
