"""The task of a process that books a position as abandoned, at an operator's request."""

from __future__ import annotations

from execsvc.clock import now
from execsvc.runner.record import Record
from execsvc.runner.report import End, EndKind, shown
from execsvc.runner.reporter import Reporter
from execsvc.runner.waits import Waits
from execsvc.settings import Settings
from execsvc.store.bot_store import BotStore


def give_up_position(
    ledger: BotStore, settings: Settings, record: Record, reporter: Reporter, waits: Waits
) -> End:
    """Book every position of the owned ``ledger`` as abandoned; the exchange is not read.

    Waits until an order of the bot that is open cannot execute any more: decided earlier, it would
    disturb the next order of its account. Raises LedgerFailed.
    """
    reporter.update(phase="STOPPING")
    longest = settings.order_timeout + settings.settlement_window
    with waits.uninterrupted():
        left = ledger.still_possible(longest)
        if left > 0:
            reporter.update(last_error=f"waiting {left:.0f} s for an order that may still execute")
            waits.wait(left)
        given_up = ledger.abandon(now())
    for one in given_up:
        record.say("CRITICAL", "position_abandoned", one.text, tracked=one.tracked)
    bound = ledger.binding()
    if bound is not None:
        reporter.update(position=shown(ledger.position(bound)), contested=0)
    return End(kind=EndKind.STOPPED)
