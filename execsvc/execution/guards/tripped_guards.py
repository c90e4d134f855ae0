"""The tripped guards of a bot: logged once, shown in ``/status``, kept for the next process."""

from __future__ import annotations

from contextlib import suppress

from execsvc.clock import monotonic, now
from execsvc.errors import LedgerFailed
from execsvc.events import EventName
from execsvc.execution.guards.decisions import Trip
from execsvc.execution.guards.limits import GuardLimits, GuardName
from execsvc.execution.ports import Services
from execsvc.logs import bound
from execsvc.model.bot import Binding
from execsvc.repeats import Repeats
from execsvc.store.tripped import Tripped

_OF_A_START = frozenset({GuardName.STOP_LOSS})
"""Guards that are over when the bot is stopped and started, or released, and by no change of its
row or of the settings.
"""


class TrippedGuards:
    """The tripped guards of one bot. Nothing here raises: a tick, and an exit, must go on."""

    def __init__(self, services: Services, binding: Binding, limits: GuardLimits) -> None:
        self._limits = limits
        self._ledger = services.ledger
        self._binding = binding
        self._record = services.record
        self._reporter = services.reporter
        self._repeats = Repeats()
        self._logged: set[str] = set()
        self._tripped: dict[str, Tripped] = {}
        self._unwritten: dict[GuardName, Tripped | None] = {}
        """Changes that could not be recorded; None: the guard was cleared."""
        self._is_open = False
        self.fault: LedgerFailed | None = None
        """The error with which the guards that an earlier process left could not be read."""

    def open(self) -> None:
        """Take over the guards that an earlier process left, unless that is done."""
        if self._is_open:
            return
        try:
            found = self._ledger.tripped_guards()
        except LedgerFailed as fault:
            self.fault = fault
            return
        self.fault, self._is_open = None, True
        for guard in found:
            self._tripped.setdefault(guard.guard, guard)
            self._logged.add(guard.guard)
        self._clear_changed()
        self.clear_if_reentered()
        self._show()

    def begin_tick(self) -> None:
        """As :meth:`open`, and write again what could not be written before."""
        self.open()
        for guard, tripped in list(self._unwritten.items()):
            with suppress(LedgerFailed):
                self._write(guard, tripped)
                del self._unwritten[guard]

    def clear_if_reentered(self) -> None:
        """Clear the stop loss if the bot was stopped and started since, or was released.

        It stands while the position that it sells is open, and the release is kept until then.
        """
        if not self.shows(GuardName.STOP_LOSS):
            return
        with suppress(LedgerFailed):
            is_open = self._ledger.position(self._binding).side is not None
            if not is_open and self._ledger.may_reenter():
                self.clear(GuardName.STOP_LOSS)

    def shows(self, guard: GuardName) -> bool:
        """True while ``guard`` is tripped."""
        return guard.value in self._tripped

    def certain(self, guard: GuardName) -> Tripped | None:
        """The guard as it tripped at its limit; None otherwise."""
        found = self._tripped.get(guard.value)
        return found if found is not None and found.bound else None

    def settle(self, guard: GuardName, trip: Trip | None) -> None:
        """Update ``guard`` by its judgement: it trips, stays tripped, or is over."""
        if trip is None:
            self.clear(guard)
            return
        before = self._tripped.get(guard.value)
        if before is not None and (before.bound or not trip.certain):
            return
        limit = self._bound(guard) if trip.certain else ""
        tripped = Tripped(guard.value, limit, now(), trip.detail)
        self._tripped[guard.value] = tripped
        if tripped.bound:
            self._record_change(guard, tripped)
        if before is None and self._repeats.note(guard.value, monotonic()) is not None:
            self._logged.add(guard.value)
            self._log("WARNING", "guard_tripped", guard.value, f"no entries: {trip.detail}")
        self._show()

    def restate(self, guard: GuardName, trip: Trip) -> None:
        """Trip ``guard``, which goes by steps, or move it to another step; each step is logged."""
        before = self._tripped.get(guard.value)
        if before is not None and before.detail == trip.detail:
            return
        since = now() if before is None else before.since
        tripped = Tripped(guard.value, self._bound(guard), since, trip.detail)
        self._tripped[guard.value] = tripped
        self._record_change(guard, tripped)
        self._logged.add(guard.value)
        self._log("WARNING", "guard_tripped", guard.value, f"no entries: {trip.detail}")
        self._show()

    def clear(self, guard: GuardName) -> None:
        """``guard`` is over, if it was tripped."""
        if self._tripped.pop(guard.value, None) is None:
            return
        self._record_change(guard, None)
        if guard.value in self._logged:
            self._logged.discard(guard.value)
            self._log("INFO", "guard_cleared", guard.value, "entries are free again")
        self._show()

    def _clear_changed(self) -> None:
        """Clear the guards whose limit was changed since, so that they are judged anew."""
        names = {guard.value: guard for guard in GuardName}
        for name, tripped in list(self._tripped.items()):
            if name not in names:
                del self._tripped[name]  # of a newer service, which alone knows when it is over
            elif names[name] in _OF_A_START:
                continue
            elif tripped.bound != self._bound(names[name]):
                self.clear(names[name])

    def _bound(self, guard: GuardName) -> str:
        return f"{self._limits.of(guard)} {self._binding.quote} {self._binding.mode.value}"

    def _show(self) -> None:
        oldest_first = sorted(self._tripped.values(), key=lambda each: each.since)
        self._reporter.update(guards=[each.shown() for each in oldest_first])

    def _log(self, level: str, event: EventName, guard: str, text: str) -> None:
        self._record.log(level, event, f"guard {guard}: {text}", guard=guard)

    def _record_change(self, guard: GuardName, tripped: Tripped | None) -> None:
        """Record that ``guard`` is ``tripped``, or cleared; what cannot be written is tried again on
        each tick.
        """
        self._unwritten.pop(guard, None)
        try:
            self._write(guard, tripped)
        except LedgerFailed as fault:
            self._unwritten[guard] = tripped
            logger = bound(bot_id=self._ledger.bot_id)
            logger.bind(event="ledger_failed").error("guards: {}", fault)

    def _write(self, guard: GuardName, tripped: Tripped | None) -> None:
        if tripped is None:
            self._ledger.drop_guard(guard.value)
        else:
            self._ledger.keep_guard(tripped)
