"""The time for which coins that a bot tracks were seen to be missing from its account."""

from __future__ import annotations

from execsvc.clock import Moment, iso
from execsvc.model.bot import Binding
from execsvc.store.bot_facts import Missing
from execsvc.store.sqlite import moments, rows
from execsvc.store.sqlite.bot.bot_tables import BotTables
from execsvc.store.sqlite.database import has_table, query, transaction

SCHEMA = "bot/missing.sql"


def read(ledger: BotTables, binding: Binding) -> Missing | None:
    """The record of missing coins; None when none were missing at the last read. Raises LedgerFailed."""
    place = _place(binding)
    found = query(
        ledger.connection,
        "SELECT gap_since FROM position WHERE mode=? AND key_id=? AND symbol=?",
        place,
    )
    since = rows.time(found[0]["gap_since"]) if found else None
    if since is None:
        return None
    if has_table(ledger.connection, "missing"):
        kept = query(
            ledger.connection,
            "SELECT counted, seen_at FROM missing "
            "WHERE mode=? AND key_id=? AND symbol=? AND since=?",
            (*place, iso(since)),
        )
        seen_at = rows.time(kept[0]["seen_at"]) if kept else None
        if seen_at is not None:
            seen = moments.of(ledger.connection, moments.place("missing", binding), seen_at)
            return Missing(since, float(kept[0]["counted"]), seen)
    return Missing(since, 0.0, Moment(since))


def keep(ledger: BotTables, binding: Binding, missing: Missing | None) -> None:
    """Record the missing coins that a read has shown; None: none are missing. Raises LedgerFailed.

    Not durable, as this happens at every read; after a power loss the next reads show them again.
    """
    place = _place(binding)
    since = None if missing is None else iso(missing.since)
    with transaction(ledger.connection, durable=False) as tx:
        tx.execute(
            "UPDATE position SET gap_since=? WHERE mode=? AND key_id=? AND symbol=?",
            (since, *place),
        )
        if missing is not None and has_table(tx, "missing"):
            values = (*place, since, missing.counted, iso(missing.seen.at))
            tx.execute("INSERT OR REPLACE INTO missing VALUES (?,?,?,?,?,?)", values)
            moments.store(tx, moments.place("missing", binding), missing.seen)


def _place(binding: Binding) -> tuple[str, str, str]:
    return binding.mode.value, binding.key_id, binding.symbol
