"""All parts of a sandbox except its server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from execsvc.clock import Clock
from execsvc.sandbox.bot_service import BotServiceState
from execsvc.sandbox.bots import BotRows
from execsvc.sandbox.exchange import PaperExchange
from execsvc.sandbox.faults import FaultRules
from execsvc.sandbox.feeds import RecordedFeed
from execsvc.sandbox.market import Market
from execsvc.sandbox.reports import ReportStore
from execsvc.sandbox.request_log import RequestLog
from execsvc.sandbox.sessions import Sessions
from execsvc.sandbox.waits import DelayedCalls, StopSignal
from execsvc.sandbox.wire import HttpReply, HttpRequest

DEFAULT_BALANCES: Mapping[str, Decimal] = {"USDT": Decimal(100_000)}


class AdapterFeatures(BaseModel):
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
class SandboxState:
    """The parts of one sandbox, each of them safe for threads."""

    clock: Clock
    market: Market
    exchange: PaperExchange
    bots: BotRows
    sessions: Sessions
    reports: ReportStore
    bot_service: BotServiceState
    faults: FaultRules
    request_log: RequestLog
    adapter: AdapterFeatures
    delayed_calls: DelayedCalls
    stop_signal: StopSignal


def new_state(
    clock: Clock,
    rows: list[Any],
    balances: Mapping[str, Decimal],
    seed: int,
    recorded: RecordedFeed | None = None,
) -> SandboxState:
    """The parts of a sandbox in which nothing has happened yet."""
    market = Market(clock, seed, recorded)
    return SandboxState(
        clock=clock,
        market=market,
        exchange=PaperExchange(market, clock, balances),
        bots=BotRows(clock, rows, seed),
        sessions=Sessions(clock),
        reports=ReportStore(clock),
        bot_service=BotServiceState(clock),
        faults=FaultRules(seed),
        request_log=RequestLog(clock),
        adapter=AdapterFeatures(),
        delayed_calls=DelayedCalls(),
        stop_signal=StopSignal(),
    )


Call = Callable[[SandboxState, HttpRequest], HttpReply]
"""The function that answers a request of one route."""
Routes = dict[tuple[str, ...], Call]
"""By method and segments of the path, ``*`` for any one, the call that answers."""
