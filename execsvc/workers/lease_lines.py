"""The lines between the supervisor and the worker ``lease``: free of psycopg, which only that worker has."""

from __future__ import annotations

from pydantic import BaseModel

from execsvc.hosts.lease import LeaseState


class LeaseRequest(BaseModel):
    """One line to this worker."""

    wanted: str | None = None
    """An account whose bots are listed."""
    unwanted: str | None = None
    """An account whose bots are no longer listed."""


class LeaseReport(BaseModel):
    """One line of this worker; the claims are in the shared page."""

    state: LeaseState
    fault: str | None = None
    """The reason why the store cannot be reached or used."""
    refused: bool = False
    """True when the fault is one of the configuration, which no other try mends."""
