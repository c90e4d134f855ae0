"""The one table of HTTP routes: the application and ``/openapi.json`` are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from execsvc.control_plane.documents import (
    AcceptedDocument,
    ErrorDocument,
    HealthDocument,
    StatusDocument,
)

HTML = "text/html"
PLAIN = "text/plain"
OPEN_METRICS = "application/openmetrics-text"


@dataclass(frozen=True)
class Reply:
    """One answer. ``model`` describes its JSON, None for a text or a document of no fixed shape."""

    about: str
    model: type[BaseModel] | None = None
    types: tuple[str, ...] = ("application/json",)


@dataclass(frozen=True)
class Route:
    """A path with its method, and the answers of its own."""

    path: str
    method: str
    name: str
    about: str
    replies: Mapping[int, Reply]
    needs_token: bool = True
    takes_password: bool = False
    """The second kind of authentication: a browser may send the token as a password."""
    query: Mapping[str, str] = field(default_factory=dict)
    """The query parameters of the route, each with its meaning."""


SILENT = Reply("the supervisor does not answer", ErrorDocument)
PAGE = "/"

ROUTES = (
    Route(
        PAGE,
        "GET",
        "page",
        "A page for people: faults, bots, the last events.",
        {
            200: Reply("the page", types=(HTML,)),
            503: Reply("the page without bots: the supervisor does not answer", types=(HTML,)),
        },
        takes_password=True,
        query={
            "state": "only bots in this state",
            "q": "only bots with this text in their name, id, symbol, account or strategy",
        },
    ),
    Route(
        "/health",
        "GET",
        "health",
        "The health of the service, for load balancers and monitors. Needs no token.",
        {
            200: Reply("ok, or degraded with the reasons", HealthDocument),
            503: Reply("stopping, or down: the supervisor does not answer", HealthDocument),
        },
        needs_token=False,
    ),
    Route(
        "/status",
        "GET",
        "status",
        "The service and every bot that it knows.",
        {200: Reply("the whole status", StatusDocument), 503: SILENT},
        query={"diagnostics": "1: each bot also shows what its strategy reported of its last tick"},
    ),
    Route(
        "/poll",
        "POST",
        "poll",
        "List the bots now, not at the next interval. Takes no body; calls within a second make one listing.",
        {202: Reply("the bots are listed", AcceptedDocument), 503: SILENT},
    ),
    Route(
        "/metrics",
        "GET",
        "metrics",
        "Metrics for Prometheus.",
        {
            200: Reply("the metrics", types=(PLAIN, OPEN_METRICS)),
            404: Reply("the extra metrics is not installed", ErrorDocument),
            503: SILENT,
        },
    ),
    Route(
        "/openapi.json",
        "GET",
        "openapi",
        "This document.",
        {200: Reply("an OpenAPI 3.1 document")},
    ),
)
