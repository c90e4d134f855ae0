"""The effects of facts about bots, carried out: the one place with signals, timers, ledgers and the log."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.events import EventName
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.context import Context
from execsvc.supervisor.bots.effects import (
    Act,
    ClaimAccount,
    Effect,
    JudgeSignal,
    Kill,
    NotePosition,
    Queue,
    RememberHeld,
    Say,
    Tell,
    Wake,
)
from execsvc.supervisor.bots.facts import (
    AccountAsked,
    Fact,
    HeldNotRecorded,
    LedgerFound,
    LedgerRead,
    SignalJudged,
)
from execsvc.supervisor.bots.run import StopMode
from execsvc.supervisor.processes.exit_classifier import OPERATOR_WINDOW, one_of_many

_SIGNALS = {StopMode.STOP: signal.SIGTERM, StopMode.HOLD: signal.SIGUSR2}


def carry_out(context: Context, bot: Bot, effect: Effect) -> Fact | None:
    """Carry out ``effect`` for ``bot``. Returns the fact that answers the effect, if one does."""
    if isinstance(effect, Act):
        return _DONE[effect](context, bot)
    return _CARRIED_OUT[type(effect)](context, bot, effect)


def ledger_of(context: Context, bot_id: str) -> LedgerFound:
    """The ledger of a bot as it is now."""
    try:
        return LedgerFound(context.ledgers.read(bot_id))
    except LedgerUnavailable as error:
        return LedgerFound(away=str(error))
    except LedgerFailed as error:
        return LedgerFound(damage=str(error))


def _say(_: Context, bot: Bot, effect: Say) -> None:
    event: EventName = effect.event
    told = bot.log.bind(event=event)
    if effect.pid is not None:
        told = told.bind(pid=effect.pid)
    told.log(effect.level, "{}", effect.text)


def _wake(context: Context, bot: Bot, effect: Wake) -> None:
    context.timers.ask(bot.bot_id, effect.at)


def _tell(context: Context, _: Bot, effect: Tell) -> None:
    process = context.processes.get(effect.pid)
    if process is not None:
        context.children.send_signal(process.child, _SIGNALS[effect.told])


def _kill(context: Context, _: Bot, effect: Kill) -> None:
    process = context.processes.get(effect.pid)
    if process is not None:
        context.children.kill(process.child)


def _queue(context: Context, bot: Bot, effect: Queue) -> None:
    if effect.first:
        context.queue.appendleft(bot.bot_id)
    else:
        context.queue.append(bot.bot_id)


def _read_ledger(context: Context, bot: Bot) -> Fact:
    return LedgerRead(ledger_of(context, bot.bot_id))


def _claim_account(context: Context, _: Bot, effect: ClaimAccount) -> Fact:
    return AccountAsked(effect.task, context.accounts.take(effect.key_id))


def _judge_signal(context: Context, _: Bot, effect: JudgeSignal) -> Fact:
    bots, signalled_at = context.bots.values(), effect.signalled_at
    together = [
        bot for bot in bots if abs(bot.holding.signalled_at - signalled_at) <= OPERATOR_WINDOW
    ]
    runners = sum(bot.trades for bot in bots) + sum(not bot.trades for bot in together)
    moments = [bot.holding.signalled_at for bot in together]
    return SignalJudged(one_of_many(signalled_at, moments, runners))


def _remember_held(context: Context, bot: Bot, effect: RememberHeld) -> Fact | None:
    try:
        if effect.keeps is None:
            context.held.discard(bot.bot_id)
        else:
            context.held.add(bot.bot_id, keeps=effect.keeps)
    except LedgerFailed as error:
        return HeldNotRecorded(str(error))
    return None


def _allow_reentry(context: Context, bot: Bot) -> None:
    try:
        context.store.allow_reentry(bot.bot_id)
    except LedgerFailed as fault:
        told = bot.log.bind(event="ledger_failed")
        told.error("{}; its stop loss may keep it from entering until: execsvc release", fault)


def _note_position(context: Context, bot: Bot, effect: NotePosition) -> None:
    context.recent.position(bot.bot_id, effect.position)


def _count_restart(context: Context, _: Bot) -> None:
    context.totals.restarts += 1


def _forget(context: Context, bot: Bot) -> None:
    del context.bots[bot.bot_id]
    context.recent.forget(bot.bot_id)


_DONE: dict[Act, Callable[[Context, Bot], Fact | None]] = {
    Act.READ_LEDGER: _read_ledger,
    Act.ALLOW_REENTRY: _allow_reentry,
    Act.COUNT_RESTART: _count_restart,
    Act.FORGET: _forget,
}
_CARRIED_OUT: dict[type[Effect], Callable[[Context, Bot, Any], Fact | None]] = {
    Say: _say,
    Wake: _wake,
    Tell: _tell,
    Kill: _kill,
    Queue: _queue,
    ClaimAccount: _claim_account,
    JudgeSignal: _judge_signal,
    RememberHeld: _remember_held,
    NotePosition: _note_position,
}
