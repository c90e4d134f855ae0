"""The faults of the service and its bots, for ``/health``, alerts and the page. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from execsvc.clock import iso, now
from execsvc.model.condition import Condition, Kind
from execsvc.store.abandoned import command_to_abandon
from execsvc.store.halted import Halted
from execsvc.store.tripped import DAILY_LOSS, STOP_LOSS
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.next_step import Listed, ServiceMode
from execsvc.supervisor.bots.states import State
from execsvc.supervisor.status.bot_view import guards, last_error
from execsvc.supervisor.status.facts import Facts, Polled

UNREAD_AFTER = 60.0
"""Seconds of nothing but failed reads after which a bot does not tick any more."""
STALE_AFTER = 3
"""Poll intervals after which the last good listing is too old."""
_GUARDS = {
    DAILY_LOSS: (Kind.DAILY_LOSS, "no more entries today"),
    STOP_LOSS: (Kind.STOP_LOSS, "no more entries"),
}
"""The guards that are conditions, with their kind and text."""


def conditions(facts: Facts, left: Collection[str] = ()) -> list[Condition]:
    """All conditions at this moment.

    ``left``: bots whose position an earlier run of the service left open when it stopped.
    """
    found: list[Condition] = []
    if facts.service is ServiceMode.RUNNING:
        found += _of_halt(facts.halted)
        found += _of_listings(facts.polled)
    if facts.store is not None:
        text = f"no order is sent, positions are kept: {facts.store}"
        found.append(Condition(Kind.STORE, "", text, "the shared store", text))
    if facts.no_process is not None:
        text = f"no process can be started: {facts.no_process}"
        found.append(Condition(Kind.NO_PROCESS, "", text, "this machine", text))
    for bot in facts.bots:
        found += _of(bot, left)
    return found


def _of_halt(halted: Halted | None) -> Iterator[Condition]:
    if halted is not None:
        why = f"since {halted.since}: {halted.reason}"
        yield Condition(Kind.HALTED, "", halted.text, "the kill switch", why)


def _of_listings(polled: Polled) -> Iterator[Condition]:
    if polled.age > STALE_AFTER * polled.interval:
        why = f": {polled.last_error}" if polled.last_error else ""
        text = f"no good listing for {polled.age:.0f} s{why}"
        yield Condition(Kind.LISTING, "", text, "BotService", text)
    if polled.pending is not None:
        bots, of, polls, needed = polled.pending
        text = (
            f"{bots} bots are missing from the listing, of {of} that have a runner or a position: "
            f"no bot is stopped yet, poll {polls} of {needed}"
        )
        yield Condition(Kind.MASS_STOP, "", text, "BotService", text)


def _of(bot: Bot, left: Collection[str]) -> Iterator[Condition]:
    if bot.state is State.FAILED or (
        bot.hold_record.hold and bot.hold_record.hold.state is State.FAILED
    ):
        text = f"bot {bot.named} is FAILED: {last_error(bot)}"
        yield _condition(Kind.FAILED, bot, text, f"FAILED: {last_error(bot)}")
    yield from _of_records(bot)
    if bot.residue:
        why = "a liquidation failed and its position is open"
        error = f" ({last_error(bot)})" if last_error(bot) else ""
        way_out = f"; what can never be sold is given up by: {command_to_abandon(bot.bot_id)}"
        text = f"bot {bot.named}: {why}{error}{way_out}"
        yield _condition(Kind.LIQUIDATION, bot, text, why + error)
    elif bot.unread >= UNREAD_AFTER:
        error = f": {last_error(bot)}" if last_error(bot) else ""
        why = f"it has not ticked for {bot.unread:.0f} s, its reads fail{error}"
        text = f"bot {bot.named} has not ticked for {bot.unread:.0f} s, its reads fail{error}"
        yield _condition(Kind.READS, bot, text, why)
    elif bot.unjudged >= UNREAD_AFTER:
        error = f": {last_error(bot)}" if last_error(bot) else ""
        why = f"its stop loss could not be judged for {bot.unjudged:.0f} s{error}"
        yield _condition(Kind.READS, bot, f"bot {bot.named}: {why}", why)
    yield from _for_an_operator(bot)
    moment = now()
    abandoned = bot.abandoned_by(moment)
    if abandoned:
        why = f"{abandoned[-1].text}, at {iso(abandoned[-1].at)}"
        yield _condition(Kind.ABANDONED, bot, f"bot {bot.named}: {why}", why)
    if bot.desired.given_back is not None and bot.desired.listed is Listed.GONE:
        why = f"it was stopped in BotService: {bot.desired.given_back}"
        yield _condition(Kind.GIVEN_BACK, bot, f"bot {bot.named}: {why}", why)
    for guard in guards(bot, moment):
        if guard["guard"] in _GUARDS:
            kind, what = _GUARDS[guard["guard"]]
            why = f"{what}: {guard['detail']}"
            yield _condition(kind, bot, f"bot {bot.named}: {why}", why)
    if bot.bot_id in left and bot.is_open and not bot.trades:
        why = "its position was left open when the service stopped"
        yield _condition(Kind.LEFT, bot, f"bot {bot.named}: {why}", why)


def _of_records(bot: Bot) -> Iterator[Condition]:
    """Conditions of a bot that waits for a file that cannot be read or written.

    A bot whose account another host has waits for none: its process had to lose its records here.
    """
    if bot.known.unavailable is not None and not bot.elsewhere:
        why = f"its ledger cannot be read or written at present ({bot.known.unavailable})"
        yield _condition(Kind.UNAVAILABLE, bot, f"bot {bot.named}: {why}", why)
    if bot.hold_record.hold is not None and bot.hold_record.hold.unsure:
        why = f"HELD: {bot.hold_record.hold.detail}; it goes on with: execsvc release {bot.bot_id}"
        yield _condition(Kind.HELD, bot, f"bot {bot.named} is {why}", why)


def _for_an_operator(bot: Bot) -> Iterator[Condition]:
    """Conditions of a bot that only an operator can decide on."""
    if bot.contested:
        text = f"bot {bot.named}: {bot.contested} contested, see execsvc settle"
        yield _condition(Kind.CONTESTED, bot, text, f"{bot.contested} contested orders")
    if bot.doubt:
        yield _condition(Kind.RESTORED, bot, f"bot {bot.named}: {bot.doubt}", bot.doubt)


def left_open(bot: Bot) -> Condition:
    """The condition of a bot whose position should not be open when the service has stopped."""
    why = "the service stopped and its position is open"
    return _condition(Kind.LEFT, bot, f"bot {bot.named}: {why}", why)


def _condition(kind: Kind, bot: Bot, text: str, why: str) -> Condition:
    return Condition(kind, bot.bot_id, text, subject(bot), why)


def subject(bot: Bot) -> str:
    """The description of a bot for readers of an alert: name, id, symbol, tracked quantity."""
    name = bot.desired.row.name if bot.desired.row is not None and bot.desired.row.name else ""
    parts = [f"{name} ({bot.bot_id})" if name and name != bot.bot_id else bot.bot_id]
    bound = bot.known.ledger.binding if bot.is_open and bot.known.ledger is not None else None
    binding = bound or bot.binding
    if binding is not None:
        parts.append(binding.symbol)
    if bot.known.unreadable is not None:
        parts.append("tracked unknown")
    elif bot.position["side"] is not None:
        parts.append(f"tracked {bot.position['tracked']}")
    return ", ".join(parts)
