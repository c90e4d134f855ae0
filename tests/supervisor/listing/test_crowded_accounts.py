"""The arithmetic of many bots on one account."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from support.bot_process import bot_row

from execsvc import settings
from execsvc.clients.bot_service import Listing
from execsvc.model.bot import BotSpec, parse_row
from execsvc.supervisor.listing.crowded_accounts import CrowdedAccounts
from execsvc.supervisor.listing.reconciler import ListingReconciler

URLS = {
    "EXECSVC_BOT_SERVICE_URL": "http://127.0.0.1:1",
    "EXECSVC_EXCHANGE_ADAPTER_URL": "http://127.0.0.1:1",
    "EXECSVC_SHUTDOWN_TIMEOUT": "10",
    "EXECSVC_STOP_TIMEOUT": "5",
}


def rows(count: int, **changes: str) -> list[BotSpec]:
    return [parse_row(bot_row(f"b{n}", **changes)) for n in range(count)]


def test_an_account_with_too_many_bots_is_named_once_and_again_when_it_has_more() -> None:
    crowded, chosen = CrowdedAccounts(), settings.load({}, None, URLS)
    assert crowded.warnings(chosen, rows(20)) == []
    (line,) = crowded.warnings(chosen, rows(21))
    assert "account k1 has 21 live bots" in line
    assert "EXECSVC_SHUTDOWN_TIMEOUT is 10 s" in line
    assert crowded.warnings(chosen, rows(21)) == []
    assert len(crowded.warnings(chosen, rows(22))) == 1


def test_paper_bots_take_no_turns_and_other_accounts_have_their_own() -> None:
    crowded, chosen = CrowdedAccounts(), settings.load({}, None, URLS)
    apart = rows(15) + rows(15, key="k2") + rows(40, mode="PAPER")
    assert crowded.warnings(chosen, apart) == []


@pytest.mark.says("account_crowded")
def test_it_is_said_when_a_listing_shows_it() -> None:
    bots: Any = SimpleNamespace(listed=lambda _: None, known=set, gone=lambda _: None, at_stake=set)
    reconciler = ListingReconciler(settings.load({}, None, URLS), cast(Any, bots), lambda: None)
    listed = {row.bot_id: row for row in rows(21)}
    reconciler.take(Listing(bots=listed, invalid={}, nameless=[]), unchanged=False, began=0.0)
