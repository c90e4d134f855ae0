"""The effects of facts about bots, carried out: the one place with signals, timers, ledgers and the log."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, NamedTuple

from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.events import EventName
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.bot_process import StopMode
from execsvc.supervisor.bots.effects import (
    Act,
    ClaimAccount,
    ClassifySignal,
    Effect,
    Kill,
    NotePosition,
    Queue,
    RememberHeld,
    SendStop,
    Wake,
    WriteLog,
)
from execsvc.supervisor.bots.facts import (
    AccountAsked,
    Fact,
    HeldNotRecorded,
    LedgerFound,
    LedgerRead,
    SignalClassified,
)
from execsvc.supervisor.bots.fleet import Fleet
from execsvc.supervisor.bots.records import Records
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.exit_classifier import OPERATOR_WINDOW, one_of_many

_SIGNALS = {StopMode.STOP: signal.SIGTERM, StopMode.KEEP: signal.SIGUSR2}


class Means(NamedTuple):
    """The parts of the supervisor with which effects are carried out."""

    context: ProcessContext
    records: Records
    fleet: Fleet


def carry_out(means: Means, bot: Bot, effect: Effect) -> Fact | None:
    """Carry out ``effect`` for ``bot``. Returns the fact that answers the effect, if one does."""
    if isinstance(effect, Act):
        return _DONE[effect](means, bot)
    return _CARRIED_OUT[type(effect)](means, bot, effect)


def ledger_of(records: Records, bot_id: str) -> LedgerFound:
    """The ledger of a bot as it is now."""
    try:
        return LedgerFound(records.ledgers.read(bot_id))
    except LedgerUnavailable as error:
        return LedgerFound(away=str(error))
    except LedgerFailed as error:
        return LedgerFound(damage=str(error))


def _write_log(_: Means, bot: Bot, effect: WriteLog) -> None:
    event: EventName = effect.event
    log = bot.log.bind(event=event)
    if effect.pid is not None:
        log = log.bind(pid=effect.pid)
    log.log(effect.level, "{}", effect.text)


def _wake(means: Means, bot: Bot, effect: Wake) -> None:
    means.context.timers.ask(bot.bot_id, effect.at)


def _send_stop(means: Means, _: Bot, effect: SendStop) -> None:
    process = means.fleet.processes.get(effect.pid)
    if process is not None:
        means.context.children.send_signal(process.child, _SIGNALS[effect.mode])


def _kill(means: Means, _: Bot, effect: Kill) -> None:
    process = means.fleet.processes.get(effect.pid)
    if process is not None:
        means.context.children.kill(process.child)


def _queue(means: Means, bot: Bot, effect: Queue) -> None:
    if effect.first:
        means.fleet.queue.appendleft(bot.bot_id)
    else:
        means.fleet.queue.append(bot.bot_id)


def _read_ledger(means: Means, bot: Bot) -> Fact:
    return LedgerRead(ledger_of(means.records, bot.bot_id))


def _claim_account(means: Means, _: Bot, effect: ClaimAccount) -> Fact:
    return AccountAsked(effect.task, means.records.accounts.take(effect.key_id))


def _classify_signal(means: Means, _: Bot, effect: ClassifySignal) -> Fact:
    bots, signalled_at = means.fleet.bots.values(), effect.signalled_at
    together = [
        bot for bot in bots if abs(bot.hold_record.signalled_at - signalled_at) <= OPERATOR_WINDOW
    ]
    runners = sum(bot.trades for bot in bots) + sum(not bot.trades for bot in together)
    moments = [bot.hold_record.signalled_at for bot in together]
    return SignalClassified(one_of_many(signalled_at, moments, runners))


def _remember_held(means: Means, bot: Bot, effect: RememberHeld) -> Fact | None:
    try:
        if effect.keeps is None:
            means.records.held.discard(bot.bot_id)
        else:
            means.records.held.add(bot.bot_id, keeps=effect.keeps)
    except LedgerFailed as error:
        return HeldNotRecorded(str(error))
    return None


def _allow_reentry(means: Means, bot: Bot) -> None:
    try:
        means.records.store.allow_reentry(bot.bot_id)
    except LedgerFailed as fault:
        bot.log.bind(event="ledger_failed").error(
            "{}; its stop loss may keep it from entering until: execsvc release", fault
        )


def _note_position(means: Means, bot: Bot, effect: NotePosition) -> None:
    means.fleet.recent.position(bot.bot_id, effect.position)


def _count_restart(means: Means, _: Bot) -> None:
    means.fleet.totals.restarts += 1


def _forget(means: Means, bot: Bot) -> None:
    del means.fleet.bots[bot.bot_id]
    means.fleet.recent.forget(bot.bot_id)


_DONE: dict[Act, Callable[[Means, Bot], Fact | None]] = {
    Act.READ_LEDGER: _read_ledger,
    Act.ALLOW_REENTRY: _allow_reentry,
    Act.COUNT_RESTART: _count_restart,
    Act.FORGET: _forget,
}
_CARRIED_OUT: dict[type[Effect], Callable[[Means, Bot, Any], Fact | None]] = {
    WriteLog: _write_log,
    Wake: _wake,
    SendStop: _send_stop,
    Kill: _kill,
    Queue: _queue,
    ClaimAccount: _claim_account,
    ClassifySignal: _classify_signal,
    RememberHeld: _remember_held,
    NotePosition: _note_position,
}
