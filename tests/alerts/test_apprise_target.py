"""One message to one address, with a deadline, and without a word about the address."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator

import pytest
from support.receiver import SECRET, Receiver

from execsvc.alerts import apprise_target
from execsvc.alerts.apprise_target import Target

# The other way to watch over a test needs the very timer that the deadline uses.
pytestmark = pytest.mark.timeout(method="thread")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()
    logging.disable(logging.NOTSET)


def test_it_arrives_as_it_was_written(receiver: Receiver) -> None:
    assert Target(1, receiver.url).send("a title", "<b>one</b>\n*two* & @all", "failure") is None
    (message,) = receiver.got
    assert (message["title"], message["message"]) == ("a title", "<b>one</b>\n*two* & @all")
    assert message["type"] == "failure"


def test_a_refusal_and_a_dead_host_are_told_without_the_address(
    receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.mood = "refuse"
    target = Target(1, receiver.url)
    said = [
        target.send("t", "x", "info"),
        Target(2, f"json://127.0.0.1:1/{SECRET}").send("t", "x", "info"),
    ]
    assert said == ["refused, or not reachable"] * 2
    assert target.name == "1 (json)"
    assert SECRET not in "".join(capfd.readouterr())


@pytest.mark.parametrize("mood", ["hang", "drip"])
def test_the_deadline_counts_for_all_of_it(
    receiver: Receiver, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apprise_target, "DEADLINE", 1.0)
    receiver.mood = mood
    began = time.monotonic()
    why = Target(1, receiver.url + "?rto=100").send("t", "x", "info")
    assert why == "no answer within 1 s"
    assert time.monotonic() - began < 30, "apprise itself would wait for ever"
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    receiver.mood = "ok"
    assert Target(1, receiver.url).send("t", "x", "info") is None


@pytest.mark.parametrize("url", ["nothing://x/y", "json://", "mailto://"])
def test_a_url_that_apprise_does_not_know(url: str) -> None:
    target = Target(3, url)
    assert not target.understood
    assert target.send("t", "x", "info") == "apprise does not know such a URL"
