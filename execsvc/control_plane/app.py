"""What the service answers over HTTP: two documents and one request, all of it JSON."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request
from loguru import logger
from werkzeug.exceptions import HTTPException

from execsvc.errors import Unavailable

Ask = Callable[[dict[str, Any]], dict[str, Any]]
Answer = tuple[dict[str, Any], int]

SERVICE = "execution-service"
LARGEST_BODY = 64 * 1024
_HEALTHY = ("ok", "degraded")
_SILENT = "the supervisor does not answer"


def create_app(ask: Ask, token: str | None) -> Flask:
    """The application; ``ask`` passes a request on to the supervisor, and raises Unavailable.

    With a ``token``, everything but ``/health`` wants it as a bearer token.
    """
    app = Flask("execsvc", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY

    def authorise() -> Response | None:
        if token is None or request.path == "/health" or _bears(token):
            return None
        refusal = _error("a bearer token is required", 401)
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal

    def health() -> Answer:
        try:
            document = ask({"call": "health"})
        except Unavailable:
            return {"status": "down", "service": SERVICE, "reasons": [_SILENT]}, 503
        return document, 200 if document.get("status") in _HEALTHY else 503

    def status() -> Answer:
        return ask({"call": "status"}), 200

    def poll() -> Answer:
        return ask({"call": "poll"}), 202

    for path, method, view in (
        ("/health", "GET", health),
        ("/status", "GET", status),
        ("/poll", "POST", poll),
    ):
        # Without the automatic OPTIONS every method but ours is a wrong one.
        app.add_url_rule(path, None, view, methods=[method], provide_automatic_options=False)
    app.before_request(authorise)
    app.after_request(_never_cached)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Unavailable, _silent)
    app.register_error_handler(Exception, _failed)
    return app


def _bears(token: str) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # As bytes: compare_digest takes text only if it is ASCII.
    same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
    return same and scheme.lower() == "bearer"


def _error(message: str, code: int) -> Response:
    answer = jsonify({"error": message})
    answer.status_code = code
    return answer


def _refused(error: HTTPException) -> Response:
    """Whatever Flask refuses by itself: an unknown path, a wrong method, a body too large."""
    answer = _error((error.name or "error").lower(), error.code or 500)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _silent(error: Unavailable) -> Response:
    return _error(_SILENT, 503)


def _failed(error: Exception) -> Response:
    """Our own fault: the traceback is for the log, and for nobody outside."""
    logger.opt(exception=error).error("{} {} failed", request.method, request.path)
    return _error("internal server error", 500)


def _never_cached(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
