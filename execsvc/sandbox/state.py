"""All parts of a sandbox except its server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from execsvc.clock import Clock
from execsvc.sandbox.bots import BotStore
from execsvc.sandbox.delivery import Halt
from execsvc.sandbox.exchange import Exchange
from execsvc.sandbox.faults import FaultBook
from execsvc.sandbox.later import Later
from execsvc.sandbox.market import Market
from execsvc.sandbox.recorded import Recorded
from execsvc.sandbox.reports import ReportStore
from execsvc.sandbox.seen import Seen
from execsvc.sandbox.service import BotService
from execsvc.sandbox.sessions import Sessions

DEFAULT_BALANCES: Mapping[str, Decimal] = {"USDT": Decimal(100_000)}


class Adapter(BaseModel):
    """The features of the sandbox's adapter: today's, unless a test wants a better one."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    deduplicate: bool = False
    receive_window: float | None = Field(default=None, gt=0)
    """Seconds after its arrival within which an order is executed, or else refused; null: never.

    For tests of a bot on a busy machine: a later execution than the bot's settlement assumes of any
    adapter is never booked.
    """
    order_lookup: Literal["absent", "refused", "answered"] = "absent"
    """The answer to ``GET /order/{client_order_id}``: no such path, 405, or an order."""
    odd_rows: list[Any] = []
    """Rows that every balance lists beside the account's own, as real exchanges have odd ones."""


@dataclass
class State:
    """The parts of one sandbox, each of them safe for threads."""

    clock: Clock
    market: Market
    exchange: Exchange
    bots: BotStore
    sessions: Sessions
    reports: ReportStore
    bot_service: BotService
    faults: FaultBook
    seen: Seen
    adapter: Adapter
    later: Later
    halt: Halt


def new_state(
    clock: Clock,
    rows: list[Any],
    balances: Mapping[str, Decimal],
    seed: int,
    recorded: Recorded | None = None,
) -> State:
    """The parts of a sandbox in which nothing has happened yet."""
    market = Market(clock, seed, recorded)
    return State(
        clock=clock,
        market=market,
        exchange=Exchange(market, clock, balances),
        bots=BotStore(clock, rows, seed),
        sessions=Sessions(clock),
        reports=ReportStore(clock),
        bot_service=BotService(clock),
        faults=FaultBook(seed),
        seen=Seen(clock),
        adapter=Adapter(),
        later=Later(),
        halt=Halt(),
    )
