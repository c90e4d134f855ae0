"""The answers of the control plane as models, by which ``/openapi.json`` describes them.

No answer is made of them: the supervisor's own documents are passed on as they come. The schema of a
model is published under the name of its class without ``Document``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from execsvc.workers.reports import ReportState

BotState = Literal[
    "BOOTING",
    "RUNNING",
    "STOPPING",
    "STOPPED",
    "BACKOFF",
    "HELD",
    "FAILED",
    "LIQUIDATING",
    "INVALID",
]
Time = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-02T03:04:05.000Z"])
]
"""ISO 8601, in UTC."""
Number = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["0.01998"])]
"""A decimal number as text."""
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]


def published_name(class_name: str) -> str:
    """The name under which a schema is published, by the name of its class."""
    return class_name.removesuffix("Document")


_CONFIG = ConfigDict(model_title_generator=lambda model: published_name(model.__name__))


class Document(BaseModel):
    """A part of an answer."""

    model_config = _CONFIG


class ErrorDocument(Document):
    """The reason why a request was not answered as asked."""

    error: str


class HealthDocument(Document):
    """The state of the service, and the reasons for it."""

    status: Literal["ok", "degraded", "stopping", "down"]
    service: Literal["execution-service"]
    reasons: list[str] = Field(description="one for each cause of degraded or down")


class AcceptedDocument(Document):
    """The confirmation that the bots are listed now."""

    accepted: Literal[True]


class MassStopDocument(Document):
    """A stop of many bots that waits for more listings without them."""

    bots: Count = Field(description="bots that are missing from all of these listings")
    of: Count = Field(description="bots that have a runner or an open position")
    polls: Count
    needed: Count


class PollDocument(Document):
    """The state of the listing of the bots."""

    interval_sec: Seconds
    last_success_at: Time | None
    consecutive_failures: Count
    last_error: str | None
    pending_mass_stop: MassStopDocument | None


class HaltedDocument(Document):
    """The kill switch, which is on."""

    since: str
    reason: str


class ReportsDocument(ReportState):
    """The state of the reports to BotService."""

    model_config = _CONFIG


class PositionDocument(Document):
    """A bot's position by its own ledger, in base units; ``side`` is null when it is flat."""

    side: Literal["BUY", "SELL"] | None
    tracked: Number
    sold_short: Number
    entry_price: Number | None
    opened_at: Time | None


class ResultDocument(Document):
    """A bot's realised result, in its quote currency; null where it is unknown."""

    currency: str | None
    realised: Number | None
    today: Number | None = Field(description="since midnight UTC")


class GuardDocument(Document):
    """A limit that keeps a bot from entering; never from an exit."""

    guard: str = Field(examples=["daily_loss"])
    since: Time
    detail: str


class AbandonedDocument(Document):
    """A part of a position that an operator abandoned; shown for a day."""

    at: Time
    mode: Literal["LIVE", "PAPER"]
    key_id: str
    symbol: str
    tracked: Number
    sold_short: Number


class DiagnosticsDocument(Document):
    """A strategy's report of its last tick; a member that does not apply is left out."""

    judged: Literal[True] = Field(True, description="the tick checked whether a signal begins")
    missing: str = Field("", description="the first condition for a signal that was not met")
    signal: str = Field("", description="the signal that began: its side and its kind")
    ended: str = Field("", description="the end of a signal of an earlier tick")
    refused: str = Field("", description="the reason for which an entry was refused")
    window_cut: Literal[True] = Field(
        True, description="the trades that were read did not reach back far enough"
    )
    bought: Number = Field("0", description="volume of buying takers, in quote")
    sold: Number = Field("0", description="volume of selling takers, in quote")


class BotDocument(Document):
    """One bot, or a row of BotService that cannot be used."""

    bot_id: str = Field(description="empty for a row without a usable id: there may be several")
    name: str
    strategy: str | None
    symbol: str | None
    key_id: str | None
    mode: Literal["LIVE", "PAPER"] | None
    state: BotState
    pid: int | None = Field(description="the process of the bot; null when there is none")
    started_at: Time | None
    restarts: Count
    ticks: Count = Field(description="may be two seconds old, as last_tick_at")
    last_tick_at: Time | None
    consecutive_errors: Count
    last_error: str | None
    position: PositionDocument
    result: ResultDocument
    guards: list[GuardDocument]
    abandoned: list[AbandonedDocument]
    diagnostics: DiagnosticsDocument = Field(
        DiagnosticsDocument(), description="only with ?diagnostics=1; may be two seconds old"
    )


class StatusDocument(Document):
    """The service and every bot that it knows."""

    service: Literal["execution-service"]
    version: str
    pid: int
    state: Literal["RUNNING", "STOPPING"]
    started_at: Time
    uptime_sec: Seconds
    halted: HaltedDocument | None
    poll: PollDocument
    reports: ReportsDocument | None
    running_bots: Count = Field(description="bots in state RUNNING")
    counts: dict[BotState, Count] = Field(description="the number of bots in each state")
    active_runners: list[str] = Field(description="ids of the bots that have a process")
    bots: list[BotDocument]


SCHEMAS: tuple[type[BaseModel], ...] = (
    AcceptedDocument,
    ErrorDocument,
    HealthDocument,
    StatusDocument,
)
"""The models of whole answers; the others are parts of these."""
