"""A state directory last used on another machine: it may be old, or a copy of one in use there."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from execsvc.errors import LedgerFailed, LedgerUnavailable
from execsvc.model.bot import Mode
from execsvc.store.doubt import Doubt, moved
from execsvc.store.sqlite import machine, rows
from execsvc.store.sqlite.account import doubts
from execsvc.store.sqlite.account.account_journal import AccountJournal
from execsvc.store.sqlite.database import query, reading
from execsvc.store.sqlite.paths import ledgers


def contest_if_moved(state_dir: Path) -> list[Doubt] | None:
    """Contest every live position when ``state_dir`` comes from another machine, and record this one.

    None where it does not, or where that is unknown. Raises LedgerFailed, and then this machine is
    not recorded: the next start contests them, and until then each bot's own process does.
    """
    here = machine.this_machine()
    if here is None:
        return None
    is_moved = machine.is_of_another(state_dir)
    contested = _contest(state_dir) if is_moved else []
    if machine.recorded(state_dir) != here:
        machine.record(state_dir, here)
    return contested if is_moved else None


def _contest(state_dir: Path) -> list[Doubt]:
    by_account: dict[str, list[Doubt]] = {}
    fault: LedgerFailed | None = None
    for path in ledgers(state_dir):
        try:
            for key_id, doubt in _open_in(path):
                by_account.setdefault(key_id, []).append(doubt)
        except LedgerUnavailable as busy:
            fault = busy  # the positions of the other ledgers are contested all the same
        except LedgerFailed:
            continue  # its bot does not trade as long as its ledger cannot be read
    for key_id, found in by_account.items():
        try:
            with closing(AccountJournal(state_dir, key_id)) as journal:
                doubts.keep(journal.connection, found, "", ())
        except LedgerFailed as failed:
            fault = failed
    if fault is not None:
        raise fault
    return [doubt for found in by_account.values() for doubt in found]


def _open_in(path: Path) -> list[tuple[str, Doubt]]:
    """The live positions of one ledger, each with its account."""
    with reading(path) as connection:
        bot_id = query(connection, "SELECT bot_id FROM bot")[0]["bot_id"]
        found = query(connection, "SELECT * FROM position WHERE mode=?", (Mode.LIVE.value,))
    held = [(row["key_id"], row["symbol"], rows.position_of(row)) for row in found]
    return [
        (
            key_id,
            moved(bot_id, symbol),
        )
        for key_id, symbol, position in held
        if position.side is not None
    ]
