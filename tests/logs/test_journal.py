"""journald's native protocol: the fields of a record, which no text can forge."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from loguru import logger
from support.environment import scrubbed
from support.fake_journal import Entry, FakeJournal

from execsvc import logs
from execsvc.logs.journal import FIELDS

HOSTILE = "a\nEVENT=forged\nPRIORITY=0\n\nMESSAGE=second\x00\x1b[2J\ud800é"


def only(journal: FakeJournal) -> Entry:
    (entry,) = journal.read()
    return entry


def test_a_record_has_the_fields_that_are_asked_for(journal: FakeJournal) -> None:
    logs.bound("b-1", "s", "BTC/USDT", "k1").bind(
        event="order_filled", order_id="o-1", amount=Decimal("1E-7"), colour="red"
    ).warning("bought {}", 1)

    entry = only(journal)

    assert entry.pop("CODE_LINE").isdigit()
    assert entry == {
        "MESSAGE": "bot_id=b-1 bought 1 colour=red",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "execsvc",
        "CODE_FILE": __file__,
        "CODE_FUNC": "test_a_record_has_the_fields_that_are_asked_for",
        "BOT_ID": "b-1",
        "STRATEGY": "s",
        "SYMBOL": "BTC/USDT",
        "KEY_ID": "k1",
        "EVENT": "order_filled",
        "ORDER_ID": "o-1",
        "AMOUNT": "0.0000001",
    }


@pytest.mark.parametrize(
    ("level", "priority"),
    [("DEBUG", "7"), ("INFO", "6"), ("WARNING", "4"), ("ERROR", "3"), ("CRITICAL", "2")],
)
def test_levels_are_priorities(journal: FakeJournal, level: str, priority: str) -> None:
    logger.log(level, "x")

    assert only(journal)["PRIORITY"] == priority


def test_a_traceback_is_in_the_message_without_the_values_in_it(journal: FakeJournal) -> None:
    token = "hush"
    try:
        len(token) / 0
    except ZeroDivisionError:
        logger.exception("failed")

    first, *lines = only(journal)["MESSAGE"].split("\n")

    assert first == "failed"
    assert lines[0].startswith("Traceback")
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert not any("hush" in line for line in lines)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=50), st.text(st.characters(), max_size=50))
@example(HOSTILE, HOSTILE)
def test_no_value_makes_a_field_or_a_second_record(
    journal: FakeJournal, value: str, name: str
) -> None:
    logs.bound(value).bind(**{"event": "order_filled", "reason": value, f"x{name}": value}).info(
        "{}", value
    )

    entry = only(journal)

    known = {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "CODE_FILE", "CODE_LINE", "CODE_FUNC"}
    assert entry.keys() == known | {"BOT_ID", "EVENT", "REASON"}
    assert (entry["EVENT"], entry["PRIORITY"]) == ("order_filled", "6")
    readable = value.encode("utf-8", "backslashreplace").decode()
    assert (entry["BOT_ID"], entry["REASON"]) == (readable, readable)
    assert not set(entry["MESSAGE"]) & set(map(chr, range(0x20)))


def test_fields_are_named_as_journald_wants_them() -> None:
    assert [name for name in FIELDS.values() if not name.replace("_", "").isalpha()] == []
    assert len(set(FIELDS.values())) == len(FIELDS)


@pytest.mark.parametrize("size", [1000, 200_000, 300_000, 20_000_000])
def test_a_record_of_any_size_comes_whole(journal: FakeJournal, size: int) -> None:
    logger.info("{}", "é" * size)

    assert only(journal)["MESSAGE"] == "é" * size


def run(code: str, **environ: str) -> str:
    """The stderr of a process."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        stderr=subprocess.PIPE,
        env=scrubbed(environ),
        timeout=60,
        check=True,
    )
    return done.stderr.decode()


def test_without_the_library_there_are_priorities_on_stderr() -> None:
    code = (
        "import sys\nsys.modules['logging_journald'] = None\n"
        "from execsvc import logs\nlogs.setup('INFO', 'journald')\n"
        "logs.bound('b-1').warning('x\\ny')"
    )

    assert run(code) == "<4>bot_id=b-1 x\\ny\n"


def test_other_formats_do_not_load_the_library() -> None:
    code = (
        "import sys\nfrom execsvc import logs\n"
        "for form in ('auto', 'text', 'json'): logs.setup('INFO', form)\n"
        "assert 'logging_journald' not in sys.modules"
    )

    assert run(code) == ""


@pytest.mark.parametrize("ours", [True, False])
def test_auto_is_native_only_where_stderr_is_the_journals(tmp_path: Path, ours: bool) -> None:
    fake = FakeJournal(tmp_path / "socket")
    reader, writer = os.pipe()
    status = os.fstat(writer)
    stream = f"{status.st_dev}:{status.st_ino + (not ours)}"
    code = (
        f"from logging_journald import JournaldTransport as T\nT.SOCKET_PATH = {str(fake.path)!r}\n"
        "from execsvc import logs\nlogs.setup('INFO', 'auto')\nlogs.bound('b').info('x')"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        stderr=writer,
        env=scrubbed(JOURNAL_STREAM=stream),
        timeout=60,
        check=True,
    )
    os.close(writer)
    with os.fdopen(reader, "rb") as stderr:
        said = stderr.read()
    assert [entry["BOT_ID"] for entry in fake.read()] == (["b"] if ours else [])
    assert (said == b"") is ours
    fake.close()
