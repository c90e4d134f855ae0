"""Decisions of an operator that the service cannot make: a contested order, coins that are gone.

A decision is written to the account's journal, which many processes may write; the owner of the bot's
ledger (its runner, or the process that liquidates it) reads it there.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from execsvc.clock import now
from execsvc.errors import ConfigRefused, LedgerFailed
from execsvc.model.bot import Mode
from execsvc.model.market import plain
from execsvc.model.order import Fill, OrderState
from execsvc.store.doubt import Doubt
from execsvc.store.orders import JournalRow
from execsvc.store.sqlite.account import doubts, releases
from execsvc.store.sqlite.account.account_journal import AccountJournal
from execsvc.store.sqlite.bot import reentry
from execsvc.store.sqlite.database import query, reading
from execsvc.store.sqlite.paths import journal_path, journals, ledger_path
from execsvc.store.sqlite.service.survey import read

OpensAccount = Callable[[Path, str], AccountJournal]
"""Opens the journal of an account for writing."""


def settle(
    state_dir: Path, bot_id: str, filled: Decimal, opens: OpensAccount = AccountJournal
) -> str:
    """Decide the oldest contested order of ``bot_id``: ``filled`` base units were filled.

    For a buy, ``filled`` is the quantity that arrived, after a fee in base. Returns a line for the
    operator. Raises ConfigRefused when there is nothing to decide or the quantity is impossible.
    """
    key_ids, unreadable = _accounts(state_dir)
    for key_id in key_ids:
        journal = opens(state_dir, key_id)
        try:
            contested = journal.contested(bot_id)
            if contested:
                _decide(journal, contested[0], filled)
                return _settled_text(contested, filled)
        finally:
            journal.close()
    if unreadable is not None:
        raise unreadable
    raise ConfigRefused(f"no order of bot {bot_id} is contested")


def release(state_dir: Path, bot_id: str, opens: OpensAccount = AccountJournal) -> str:
    """Ask the owner of the ledger of ``bot_id`` to book missing coins as gone at once.

    The kept answers about sizes that the market takes are forgotten with it, and neither a back-off of
    entries nor a stop loss that has closed a position keeps the bot from entering any more. A
    contested ledger that holds nothing is decided here: no process would ever do that for a bot that is
    flat and not listed. Returns a line for the operator. Raises ConfigRefused when the bot has no
    ledger.
    """
    state = read(state_dir, bot_id)
    decided = (
        [] if state is not None and state.is_open else _decide_doubts(state_dir, bot_id, opens)[0]
    )
    trades_on = "; its coins are no longer contested, and its account trades on" if decided else ""
    if state is None:
        if decided:
            return f"bot {bot_id} has no ledger{trades_on}"
        raise ConfigRefused(f"bot {bot_id} has no ledger")
    if state.binding is None:
        return f"bot {bot_id} has no open position{trades_on}"
    if state.binding.mode is Mode.PAPER:
        reentry.allow(ledger_path(state_dir, bot_id))
        return f"bot {bot_id} trades on paper, where no coins go missing{trades_on}"
    journal = opens(state_dir, state.binding.key_id)
    try:
        releases.ask(journal.connection, bot_id, now())
    finally:
        journal.close()
    if not state.is_open:
        forgotten = "the order sizes that it learnt are forgotten"
        return f"bot {bot_id} has no open position; {forgotten}{trades_on}"
    return f"bot {bot_id}: coins that are missing will be booked as gone"


def keep(state_dir: Path, bot_id: str, opens: OpensAccount = AccountJournal) -> str:
    """Decide that the contested coins of ``bot_id`` belong to the bot. Returns a line for the operator.

    Raises ConfigRefused when none are contested.
    """
    decided, unreadable = _decide_doubts(state_dir, bot_id, opens)
    if decided:
        symbols = ", ".join(doubt.symbol for doubt in decided)
        return f"bot {bot_id}: its ledger's {symbols} is the bot's own, and the bot trades on"
    if unreadable is not None:
        raise unreadable
    raise ConfigRefused(f"no coins of bot {bot_id} are contested")


def release_waits(state_dir: Path, bot_id: str) -> bool:
    """True while a release of ``bot_id`` is not carried out and it has an open position.

    Raises LedgerFailed.
    """
    state = read(state_dir, bot_id)
    if state is None or state.binding is None or not state.is_open:
        return False
    path = journal_path(state_dir, state.binding.key_id)
    if not path.exists():
        return False
    with reading(path) as connection:
        return releases.is_asked(connection, bot_id)


def _decide_doubts(
    state_dir: Path, bot_id: str, opens: OpensAccount
) -> tuple[list[Doubt], LedgerFailed | None]:
    """Forget the doubts about ``bot_id`` on every account. Returns them, and the fault of a journal."""
    key_ids, unreadable = _accounts(state_dir)
    decided: list[Doubt] = []
    for key_id in key_ids:
        journal = opens(state_dir, key_id)
        try:
            decided += doubts.decide(journal.connection, bot_id)
        finally:
            journal.close()
    return decided, unreadable


def _accounts(state_dir: Path) -> tuple[list[str], LedgerFailed | None]:
    """The accounts that have a journal, and the fault of one that cannot be read."""
    keys: list[str] = []
    unreadable: LedgerFailed | None = None
    for path in journals(state_dir):
        try:
            with reading(path) as connection:
                keys += [row[0] for row in query(connection, "SELECT key_id FROM account")]
        except LedgerFailed as error:
            unreadable = error
    return keys, unreadable


def _decide(journal: AccountJournal, row: JournalRow, filled: Decimal) -> None:
    intent = row.intent
    if not 0 <= filled <= intent.amount:
        raise ConfigRefused(f"--filled must be from 0 to {plain(intent.amount)}")
    state = OrderState.EXECUTED if filled else OrderState.NOT_EXECUTED
    fill = Fill(filled=filled, average=row.fill.average or intent.price)
    journal.outcome(intent.client_order_id, state, fill, now(), "decided by an operator")
    if journal.row(intent.client_order_id).state is not state:
        raise LedgerFailed(f"order {intent.client_order_id} was not settled")


def _settled_text(contested: list[JournalRow], filled: Decimal) -> str:
    intent = contested[0].intent
    more = f"; {len(contested) - 1} more contested" if len(contested) > 1 else ""
    return (
        f"order {intent.client_order_id} ({intent.side.value} {plain(intent.amount)} "
        f"{intent.symbol}) settled as filled {plain(filled)}{more}"
    )
