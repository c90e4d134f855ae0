from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

from support.command import ControlSocket, Execsvc
from support.deadline import eventually
from support.environment import scrubbed
from support.stores import store_in

EXECSVC = [sys.executable, "-m", "execsvc"]
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def write_log(state_dir: Path, bot_id: str, *rows: tuple[str, str]) -> None:
    ledger = store_in(state_dir).bot(bot_id)
    ledger.open()
    for event, text in rows:
        ledger.log(AT, event, text, {"event_of": bot_id})
    ledger.close()


def test_log_row_is_a_line_of_time_event_and_text(execsvc: Execsvc, state_dir: Path) -> None:
    write_log(state_dir, "bot-1", ("started", "started"), ("stopped", "stopped,\nflat"))

    outcome = execsvc("log", "bot-1")

    assert outcome.code == 0
    assert [line.split(maxsplit=2) for line in outcome.out.splitlines()] == [
        ["2026-01-02T03:04:05.000Z", "started", "started"],
        ["2026-01-02T03:04:05.000Z", "stopped", "stopped, flat"],
    ]


def test_log_json_is_one_object_a_line(execsvc: Execsvc, state_dir: Path) -> None:
    write_log(state_dir, "bot-1", ("started", "started"), ("stopped", "stopped"))

    rows = [json.loads(line) for line in execsvc("log", "bot-1", "--json").out.splitlines()]

    assert [row["seq"] for row in rows] == [1, 2]
    assert rows[1]["event"] == "stopped"
    assert rows[1]["data"] == {"event_of": "bot-1"}


def test_a_bot_is_found_by_the_beginning_of_its_id(execsvc: Execsvc, state_dir: Path) -> None:
    write_log(state_dir, "alpha-1", ("started", "I am alpha"))
    write_log(state_dir, "beta/../1", ("started", "I am beta"))

    assert "I am alpha" in execsvc("log", "al").out
    assert "I am beta" in execsvc("log", "beta/").out
    assert "I am beta" in execsvc("log", "beta/../1").out


def test_a_whole_id_wins_over_a_longer_one(execsvc: Execsvc, state_dir: Path) -> None:
    write_log(state_dir, "bot", ("started", "I am bot"))
    write_log(state_dir, "bot-2", ("started", "I am bot-2"))

    assert "I am bot-2" not in execsvc("log", "bot").out


def test_an_ambiguous_beginning_is_refused_with_the_choices(
    execsvc: Execsvc, state_dir: Path
) -> None:
    write_log(state_dir, "bot-1")
    write_log(state_dir, "bot-2")

    outcome = execsvc("log", "bot-")

    assert outcome.code == 2
    assert "bot-1, bot-2" in outcome.err


def test_an_unknown_bot_is_refused(execsvc: Execsvc) -> None:
    outcome = execsvc("log", "nobody")

    assert outcome.code == 2
    assert "'nobody'" in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_log_damaged_ledger_is_one_line(execsvc: Execsvc, state_dir: Path) -> None:
    write_log(state_dir, "bot-1")
    (path,) = (state_dir / "bots").glob("*.db")
    path.write_bytes(b"\0" * 4096)

    outcome = execsvc("log", "bot-1")

    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 1
    assert path.read_bytes() == b"\0" * 4096


def test_settings_at_fault_are_named(execsvc: Execsvc, tmp_path: Path) -> None:
    outcome = execsvc("log", "bot-1", "--env-file", str(tmp_path / "none"))

    assert outcome.code == 78
    assert "env file" in outcome.err


def follow(bot_id: str, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*EXECSVC, "log", bot_id, "--follow", *options],
        env=scrubbed(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_log_follow_prints_new_rows_until_ctrl_c(state_dir: Path) -> None:
    write_log(state_dir, "bot-1", ("started", "first"))
    with follow("bot-1") as following:
        assert following.stdout is not None
        assert b"first" in following.stdout.readline()
        write_log(state_dir, "bot-1", ("stopped", "second"))
        assert b"second" in following.stdout.readline()
        following.send_signal(signal.SIGINT)
        _, err = following.communicate(timeout=60)

    assert (following.returncode, err) == (0, b"")


def test_follow_reader_gone_ends_as_any_command_without_a_further_row(state_dir: Path) -> None:
    write_log(state_dir, "bot-1", ("started", "first"))
    with follow("bot-1") as following:
        assert following.stdout is not None
        following.stdout.readline()
        following.stdout.close()
        assert following.wait(timeout=60) == 141
        assert following.stderr is not None
        assert following.stderr.read() == b""


def test_log_lines_prints_the_last_rows(execsvc: Execsvc, state_dir: Path) -> None:
    write_log(state_dir, "bot-1", *[("tick", f"tick {n}") for n in range(5)])

    for option, count in (("-n2", 2), ("--lines=0", 0), ("-n9", 5)):
        assert len(execsvc("log", "bot-1", option).out.splitlines()) == count
    assert "tick 4" in execsvc("log", "bot-1", "-n1").out
    assert execsvc("log", "bot-1", "-n-1").code == 2


def test_follow_begins_with_the_last_lines_and_misses_nothing_of_a_restart(state_dir: Path) -> None:
    write_log(state_dir, "bot-1", *[("tick", f"tick {n}") for n in range(5)])
    with follow("bot-1", "-n1", "--json") as following:
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["text"] == "tick 4"
        for again in range(3):  # each time another process has the ledger
            write_log(state_dir, "bot-1", ("started", f"again {again}"))
            assert json.loads(following.stdout.readline())["text"] == f"again {again}"
        following.send_signal(signal.SIGINT)
        assert following.communicate(timeout=60)[1] == b""
    assert following.returncode == 0


def test_follow_waits_for_a_bot_that_has_not_started_yet(
    state_dir: Path, daemon: ControlSocket
) -> None:
    daemon.names = {"new": "A new bot"}
    assert (
        subprocess.run(
            [*EXECSVC, "log", "new"], env=scrubbed(), capture_output=True, timeout=60
        ).returncode
        == 1
    )
    with follow("A new bot", "-n0") as following:
        eventually(lambda: daemon.asked >= 2, "it has found the bot")
        write_log(state_dir, "new", ("started", "here I am"))
        assert following.stdout is not None
        assert b"here I am" in following.stdout.readline()
        following.kill()
