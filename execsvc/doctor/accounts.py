"""The accounts: a check that no other service of this machine trades one of them."""

from __future__ import annotations

from collections.abc import Iterator

from execsvc.clients.bot_service import Listing
from execsvc.doctor.finding import Finding, fault, passed, warning
from execsvc.doctor.unit import Unit
from execsvc.errors import LedgerFailed
from execsvc.model.bot import Mode
from execsvc.settings import Settings
from execsvc.store.opening import open_store
from execsvc.store.store import Store

_CHECK = "accounts"


def check(settings: Settings, listing: Listing | None, unit: Unit | None) -> list[Finding]:
    """The findings about the accounts of the bots that are listed."""
    store = open_store(settings)
    reason = store.claims_unusable()
    if reason is not None:
        what = f"another service of this machine on the same account would not be noticed: {reason}"
        if unit is None or not unit.is_loaded:
            return [passed(_CHECK, what)]
        do = "systemd-tmpfiles --create /etc/tmpfiles.d/execsvc.conf, then restart the service"
        return [warning(_CHECK, what, do)]
    bots = [] if listing is None else listing.bots.values()
    keys = sorted({bot.binding.key_id for bot in bots if bot.binding.mode is Mode.LIVE})
    findings = [finding for key_id in keys for finding in _account(store, key_id)]
    return findings or [
        passed(_CHECK, f"no other service of this machine trades the {len(keys)} accounts listed")
    ]


def _account(store: Store, key_id: str) -> Iterator[Finding]:
    try:
        found = store.holder(key_id)
    except LedgerFailed as error:
        yield warning(
            _CHECK, f"account {key_id} cannot be examined: {error}", "run this again as root"
        )
        return
    if found is not None and not found.is_ours:
        yield fault(
            _CHECK,
            f"account {key_id} is traded by {found.text}: its bots are FAILED here",
            "let one service have all bots of the account, then: execsvc release BOT",
        )
