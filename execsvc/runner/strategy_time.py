"""The time of a strategy: UTC that no change of a clock affects while a bot goes on."""

from __future__ import annotations

from datetime import datetime, timedelta

from execsvc.clock import Moment, moment
from execsvc.model.bot import Binding
from execsvc.model.position import Position
from execsvc.store.bot_store import BotStore

_SAME = timedelta(seconds=1)
"""Two readings of one moment that are no farther apart are the same: no clock was set in between."""


class StrategyTime:
    """UTC as it was when the bot first ran in this boot, and CLOCK_BOOTTIME from there on.

    A strategy takes the difference of two times, one of which an earlier process may have noted. So
    that a step of the wall clock never is such a difference, the time goes on in a new process of
    the same boot where the last one left it. In another boot it is the wall clock again, and never
    earlier than it was.
    """

    def __init__(self, ledger: BotStore, binding: Binding) -> None:
        self._ledger = ledger
        self._binding = binding
        self._here = moment()
        self._origin = _begun(ledger.strategy_time(), self._here)
        self._opened: tuple[datetime, datetime] | None = None

    def now(self) -> datetime:
        """Aware UTC."""
        return self._at(moment().boottime)

    def kept(self) -> Moment:
        """The present moment, as the ledger keeps it for the next process."""
        boottime = moment().boottime
        return _to_milliseconds(Moment(self._at(boottime), boottime, self._here.boot_id))

    def of(self, position: Position) -> Position:
        """``position`` with ``opened_at`` in this time. Raises LedgerFailed."""
        if position.opened_at is None:
            return position
        if self._opened is None or self._opened[0] != position.opened_at:
            self._opened = position.opened_at, self._translated(position.opened_at)
        return position.model_copy(update={"opened_at": self._opened[1]})

    def _translated(self, opened_at: datetime) -> datetime:
        opened = self._ledger.opened(self._binding, opened_at)
        if opened.boot_id == self._here.boot_id:
            at = self._at(opened.boottime)
        else:
            at = self._origin.at - max(self._here.at - opened.at, timedelta(0))
        return opened_at if abs(at - opened_at) < _SAME else at

    def _at(self, boottime: float) -> datetime:
        return self._origin.at + timedelta(seconds=boottime - self._origin.boottime)


def _begun(kept: Moment | None, here: Moment) -> Moment:
    """The time from which a process that begins ``here`` goes on."""
    if kept is None:
        return _to_milliseconds(here)
    if kept.boot_id == here.boot_id and kept.boottime <= here.boottime:
        return kept
    return _to_milliseconds(here._replace(at=max(here.at, kept.at)))


def _to_milliseconds(exact: Moment) -> Moment:
    """A moment that the ledger keeps as it is, less than 1 ms before ``exact``."""
    rest = exact.at.microsecond % 1000
    return exact._replace(
        at=exact.at - timedelta(microseconds=rest), boottime=exact.boottime - rest / 1e6
    )
