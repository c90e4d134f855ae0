"""Texts of messages: title and text, short enough for one write to a pipe."""

from __future__ import annotations

import json
import socket
from enum import Enum
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from execsvc.alerts.tracker import Change, Item, News
from execsvc.model.condition import Condition, Kind

LARGEST_JOB = 4096
"""Bytes of a job on its way to the process that sends it (``PIPE_BUF``)."""
NAMED = 10
"""The most conditions that are named; of the others the count is given."""
LONGEST_LINE = 240

_BEGUN = {
    Kind.LIQUIDATION: "a liquidation fails",
    Kind.LEFT: "a position is left open",
    Kind.HALTED: "trading is halted",
    Kind.FAILED: "a bot is FAILED",
    Kind.UNAVAILABLE: "a ledger is not available",
    Kind.HELD: "it cannot be read whether a bot is HELD",
    Kind.CONTESTED: "an order is contested",
    Kind.RESTORED: "a position may be from an old state directory",
    Kind.ABANDONED: "a position is given up",
    Kind.GIVEN_BACK: "a bot does not run, and is stopped in BotService",
    Kind.MASS_STOP: "a mass stop is held back",
    Kind.DAILY_LOSS: "a bot has lost enough for today",
    Kind.STOP_LOSS: "a stop loss is reached",
    Kind.LISTING: "BotService does not list",
    Kind.NO_PROCESS: "no process can be started",
    Kind.STORE: "the shared store does not answer",
    Kind.READS: "a bot cannot read its market or account",
}
_MANY = {
    Kind.LIQUIDATION: "{} liquidations fail",
    Kind.LEFT: "{} positions are left open",
    Kind.FAILED: "{} bots are FAILED",
    Kind.UNAVAILABLE: "{} ledgers are not available",
    Kind.HELD: "it cannot be read which of {} bots are HELD",
    Kind.CONTESTED: "orders of {} bots are contested",
    Kind.RESTORED: "positions of {} bots may be from an old state directory",
    Kind.ABANDONED: "positions of {} bots are given up",
    Kind.GIVEN_BACK: "{} bots do not run, and are stopped in BotService",
    Kind.READS: "{} bots cannot read their market or account",
    Kind.DAILY_LOSS: "{} bots have lost enough for today",
    Kind.STOP_LOSS: "the stop losses of {} bots are reached",
}
_ADVICE = {
    Kind.LIQUIDATION: "It is tried again and again. See: execsvc log BOT. "
    "What can never be sold is given up by: execsvc release BOT --abandon",
    Kind.LEFT: "The next start of the service closes or resumes what is left.",
    Kind.HALTED: "Every position is closed, and no bot starts until: execsvc resume",
    Kind.FAILED: "It does not run until its row changes, or: execsvc release BOT",
    Kind.UNAVAILABLE: "Without a record nothing is bought or sold. It is tried again and again.",
    Kind.HELD: "Nothing is bought or sold for it until: execsvc release BOT",
    Kind.CONTESTED: "It makes no entry until: execsvc settle BOT --filled QTY",
    Kind.RESTORED: "Nothing of its account trades until: execsvc release BOT (the coins are gone), "
    "or execsvc release BOT --keep (they are the bot's)",
    Kind.GIVEN_BACK: "It runs once it is started in BotService again.",
    Kind.ABANDONED: "An operator decided this, and closes the rest of the position at the exchange.",
    Kind.READS: "It neither enters nor exits by its strategy; a stop still sells. See: execsvc doctor",
    Kind.NO_PROCESS: "One position at a time is still closed. See: ulimit -u, TasksMax, free memory.",
    Kind.STORE: "No order is sent, and every position is kept, until it answers. See: execsvc store check",
    Kind.DAILY_LOSS: "Its exits still sell; entries go on at 00:00 UTC.",
    Kind.STOP_LOSS: "Its position is sold. It enters again once it is stopped and started in "
    "BotService, or: execsvc release BOT",
}


class Tone(str, Enum):
    """The colour of a message, where the service that shows it knows colours."""

    FAILURE = "failure"
    WARNING = "warning"
    SUCCESS = "success"
    INFO = "info"


class AlertMessage(BaseModel):
    """One message. ``lines``: its line on each condition, by key; not all are in the text."""

    model_config = ConfigDict(frozen=True)

    change: Change
    kind: Kind
    tone: Tone
    title: str
    text: str
    lines: dict[str, str]


class DeliveryJob(BaseModel):
    """One message for the process that sends it.

    ``targets`` are numbers of addresses, from 1; ``now``: a pause after a failure is cut short.
    """

    number: int
    targets: list[int]
    tone: Tone
    title: str
    text: str
    now: bool = False

    def encode(self) -> bytes:
        """One line of at most 4096 bytes; the text is cut where it must be."""
        room = len(self.text)
        while True:
            text = self.text if room >= len(self.text) else self.text[:room] + "…"
            cut = self.model_copy(update={"text": text}).model_dump(mode="json")
            # A name from outside may hold what UTF-8 cannot write.
            line = json.dumps(cut, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
            if len(line) <= LARGEST_JOB or not room:
                return line
            room = room * 3 // 4


class Delivered(BaseModel):
    """One line of the worker that sends: an address has taken the message of a job."""

    number: int
    """The number of the job."""
    target: int
    """The number of the address."""


def sender(state_dir: Path) -> str:
    """The name of this service and its machine; an instance is named by its state directory."""
    name = state_dir.name if state_dir.name.startswith("execsvc") else "execsvc"
    return f"{name}@{socket.gethostname()}"


def message_about(news: News, by: str) -> AlertMessage:
    """The message about ``news``; ``by`` is the :func:`sender`."""
    title = _title(news.kind, len(news.items))
    if news.change is Change.OVER:
        title, tone = f"over: {title}", Tone.SUCCESS
    elif news.kind in (Kind.LISTING, Kind.READS):
        tone = Tone.WARNING
    else:
        tone = Tone.FAILURE
    if news.change is Change.STILL:
        title = f"still: {title}"
    return _message(news, tone, f"{by}: {title}")


def stopped(left: list[Condition], by: str) -> AlertMessage:
    """The message that the service has stopped and left the positions of ``left`` open."""
    items = [Item(wrong.key, wrong.subject) for wrong in left]
    news = News(Change.BEGUN, Kind.LEFT, items)
    count = "a position" if len(left) == 1 else f"{len(left)} positions"
    return _message(news, Tone.FAILURE, f"{by} stopped and left {count} open")


def _message(news: News, tone: Tone, title: str) -> AlertMessage:
    lines = {item.key: _line(item.line) for item in news.items}
    shown = [_again(lines[item.key], item.times) for item in news.items[:NAMED]]
    if len(news.items) > NAMED:
        shown.append(f"and {len(news.items) - NAMED} more")
    if news.change is Change.BEGUN and news.kind in _ADVICE:
        shown += ["", _ADVICE[news.kind]]
    return AlertMessage(
        change=news.change,
        kind=news.kind,
        tone=tone,
        title=title,
        text="\n".join(shown),
        lines=lines,
    )


def _title(kind: Kind, count: int) -> str:
    return _MANY[kind].format(count) if count > 1 and kind in _MANY else _BEGUN[kind]


def _line(line: str) -> str:
    """One line of text, independent of a bot's name."""
    text = "".join(character if character.isprintable() else " " for character in line)
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"


def _again(line: str, times: int) -> str:
    return f"{line} (again, {times} times by now)" if times > 1 else line
