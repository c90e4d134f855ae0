"""The conformance suite tries every method of every protocol of the store."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from execsvc.store.account_store import AccountPause, AccountStore, Turn
from execsvc.store.bot_store import BotStore
from execsvc.store.claims import AccountClaims
from execsvc.store.outbox import Deliveries, Outboxes
from execsvc.store.place import RecordsPlace
from execsvc.store.service_store import Halt, HeldBots, SentAlertsRecord, ServiceStore
from execsvc.store.store import BotRecordsStore, ClaimedStore, Store

PROTOCOLS = (
    AccountClaims,
    AccountPause,
    AccountStore,
    BotRecordsStore,
    BotStore,
    ClaimedStore,
    Deliveries,
    Halt,
    HeldBots,
    Outboxes,
    RecordsPlace,
    ServiceStore,
    Store,
    SentAlertsRecord,
    Turn,
)
OF_THE_PROCESS = {"to_inherit", "while_waiting"}
"""Methods about descriptors and waits of this process, which a store may not have at all."""


def test_every_protocol_of_the_store_is_on_the_list() -> None:
    folder = Path(__file__).parents[2] / "execsvc" / "store"
    declared = {
        name
        for path in folder.glob("*.py")
        for name in re.findall(r"^class (\w+)\(.*\bProtocol\):", path.read_text(), re.M)
    }
    assert declared == {protocol.__name__ for protocol in PROTOCOLS}


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.__name__)
def test_every_method_is_called_in_the_suite(protocol: type) -> None:
    suite = "".join(path.read_text() for path in Path(__file__).parent.glob("*_conformance.py"))
    methods = {name for name, value in vars(protocol).items() if callable(value) and name[0] != "_"}
    called = {name for name in methods if re.search(rf"\.{name}\(", suite)}
    assert called == methods - OF_THE_PROCESS
