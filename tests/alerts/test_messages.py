"""Alerts in words, what waits, and what is remembered."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from loguru import logger
from support.store_files import ALERTS
from support.stores import store_in

from execsvc.alerts.messages import (
    LARGEST_JOB,
    AlertMessage,
    DeliveryJob,
    Tone,
    message_about,
    sender,
    stopped,
)
from execsvc.alerts.outbox import AT_HAND, MOST, AlertOutbox
from execsvc.alerts.sent_alerts import SentAlerts
from execsvc.alerts.tracker import Change, Item, News
from execsvc.model.condition import Condition, Kind

HOSTILE = "x\n\r\u2028FAKE: all is well\x1b[2J\ud800" + "é€🙂" * 200


def news(*lines: str, change: Change = Change.BEGUN, kind: Kind = Kind.FAILED) -> News:
    items = [Item(f"{kind.value}:b{n}", line) for n, line in enumerate(lines)]
    return News(change, kind, items)


def written(change: Change = Change.BEGUN, key: str = "failed:b1") -> AlertMessage:
    return message_about(News(change, Kind.FAILED, [Item(key, "b1: no disk")]), "execsvc@host")


def test_one_bot() -> None:
    said = message_about(news("My bot (b1), BTC/USDT: FAILED: no disk"), "execsvc@host")
    assert said.title == "execsvc@host: a bot is FAILED"
    assert said.text.startswith("My bot (b1), BTC/USDT: FAILED: no disk\n")
    assert "execsvc release" in said.text
    assert said.tone is Tone.FAILURE


def test_of_many_the_first_are_named_and_all_are_counted() -> None:
    said = message_about(news(*[f"b{n}: why" for n in range(1000)]), "execsvc@host")
    assert said.title == "execsvc@host: 1000 bots are FAILED"
    assert said.text.count("why") == 10
    assert "and 990 more" in said.text
    assert len(said.lines) == 1000


@pytest.mark.parametrize(
    ("change", "kind", "title", "tone"),
    [
        (Change.OVER, Kind.LIQUIDATION, "over: a liquidation fails", Tone.SUCCESS),
        (Change.STILL, Kind.LIQUIDATION, "still: a liquidation fails", Tone.FAILURE),
        (Change.BEGUN, Kind.LISTING, "BotService does not list", Tone.WARNING),
        (Change.BEGUN, Kind.MASS_STOP, "a mass stop is held back", Tone.FAILURE),
    ],
)
def test_titles(change: Change, kind: Kind, title: str, tone: Tone) -> None:
    said = message_about(news("b1: why", change=change, kind=kind), "execsvc@host")
    assert (said.title, said.tone) == (f"execsvc@host: {title}", tone)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("change", list(Change))
@pytest.mark.parametrize("count", [1, 3])
def test_everything_has_words(kind: Kind, change: Change, count: int) -> None:
    assert message_about(news(*["b: why"] * count, change=change, kind=kind), "x").title


def test_a_residue_names_each_position() -> None:
    left = [
        Condition(Kind.LEFT, f"b{n}", "", f"b{n}, BTC/USDT, tracked 0.{n}", "x") for n in (1, 2)
    ]
    said = stopped(left, "execsvc@host")
    assert said.title == "execsvc@host stopped and left 2 positions open"
    assert "b1, BTC/USDT, tracked 0.1\nb2, BTC/USDT, tracked 0.2" in said.text


@pytest.mark.parametrize(
    ("state_dir", "name"),
    [("/var/lib/execsvc", "execsvc"), ("/var/lib/execsvc-b", "execsvc-b"), ("/srv/x", "execsvc")],
)
def test_an_instance_is_told_apart(state_dir: str, name: str) -> None:
    assert sender(Path(state_dir)) == f"{name}@{socket.gethostname()}"


def test_hostile_names_make_no_second_line_and_fit_into_the_pipe() -> None:
    said = message_about(news(*[HOSTILE] * 12), "execsvc@host")
    assert "\nFAKE" not in said.text
    assert all(character.isprintable() or character == "\n" for character in said.text)
    job = DeliveryJob(number=1, targets=[1], tone=said.tone, title=said.title, text=said.text * 9)
    line = job.encode()
    assert len(line) <= LARGEST_JOB
    assert line.count(b"\n") == 1
    assert DeliveryJob.model_validate_json(line).title == said.title


def numbers(outbox: AlertOutbox, now: bool = False) -> list[int]:
    return [job.number for job in outbox.to_hand(now)]


def test_a_letter_waits_until_every_address_has_it() -> None:
    outbox = AlertOutbox(2)
    outbox.put(written())
    outbox.handed(1)
    assert numbers(outbox) == []
    assert outbox.delivered(1, 2) is not None
    assert outbox.delivered(1, 2) is None
    outbox.take_back()
    assert [job.targets for job in outbox.to_hand()] == [[1]]
    assert outbox.delivered(1, 1) is None
    assert len(outbox) == 0
    assert outbox.delivered(1, 1) is None


def test_only_some_are_handed_out_at_a_time_but_all_at_the_end() -> None:
    outbox = AlertOutbox(1)
    for _ in range(AT_HAND + 4):
        outbox.put(written())
    assert numbers(outbox) == list(range(1, AT_HAND + 1))
    for number in numbers(outbox):
        outbox.handed(number)
    assert numbers(outbox) == []
    outbox.delivered(1, 1)
    assert numbers(outbox) == [AT_HAND + 1]
    assert len(numbers(outbox, now=True)) == AT_HAND + 3


def test_where_there_is_no_room_good_news_goes_first() -> None:
    outbox = AlertOutbox(1)
    changes = [Change.BEGUN, Change.OVER, Change.BEGUN, Change.STILL, Change.OVER]
    for change in changes:
        outbox.put(written(change))
    for _ in range(MOST - len(changes)):
        outbox.put(written())
    kept: list[int] = []
    for gone in (4, 2, 5, 1, 3):
        outbox.put(written())
        kept = numbers(outbox, now=True)
        assert gone not in kept
    assert (len(outbox), outbox.dropped) == (MOST, 5)
    assert kept[0] == 6


def test_memory_outlives_the_process(tmp_path: Path) -> None:
    memory = SentAlerts(store_in(tmp_path).sent_alerts())
    memory.delivered(written())
    memory.delivered(written(key="failed:b2"))
    memory.delivered(written(Change.OVER, key="failed:b2"))
    again = SentAlerts(store_in(tmp_path).sent_alerts())
    assert {key: alert.line for key, alert in again.by_key.items()} == {"failed:b1": "b1: no disk"}
    assert again.of(Kind.FAILED) == {"b1"}
    assert again.of(Kind.LEFT) == frozenset()
    assert (tmp_path / ALERTS).stat().st_mode & 0o777 == 0o600


def test_an_alert_that_is_only_handed_over_is_remembered_as_one_that_may_have_arrived(
    tmp_path: Path,
) -> None:
    memory = SentAlerts(store_in(tmp_path).sent_alerts())
    memory.handed(written())
    assert [
        alert.sure for alert in SentAlerts(store_in(tmp_path).sent_alerts()).by_key.values()
    ] == [False]
    memory.delivered(written())
    memory.handed(written())
    memory.handed(written(Change.OVER))
    assert [
        alert.sure for alert in SentAlerts(store_in(tmp_path).sent_alerts()).by_key.values()
    ] == [True]


@pytest.mark.says("alerts_forgotten")
@pytest.mark.parametrize("damage", ["", "[]", '{"x": {}}', "\xff"])
def test_a_damaged_memory_is_only_forgotten(tmp_path: Path, damage: str) -> None:
    (tmp_path / ALERTS).write_text(damage, "latin-1")
    memory = SentAlerts(store_in(tmp_path).sent_alerts())
    assert memory.by_key == {}
    memory.delivered(written())
    assert json.loads((tmp_path / ALERTS).read_text()).keys() == {"failed:b1"}


@pytest.mark.says("alerts_not_written")
def test_a_memory_that_cannot_be_written_is_only_a_line_in_the_log(tmp_path: Path) -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}")
    memory = SentAlerts(store_in(tmp_path / "absent").sent_alerts())
    memory.delivered(written())
    logger.remove(sink)
    assert "cannot be written" in "".join(lines)
    assert memory.by_key
