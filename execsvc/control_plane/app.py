"""The answers over HTTP: documents and a request in JSON, metrics, and a page."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from flask import Flask, Response, jsonify, request
from loguru import logger
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from execsvc.control_plane import openapi
from execsvc.control_plane.page import render_page
from execsvc.control_plane.routes import PAGE, ROUTES
from execsvc.errors import Unavailable

Ask = Callable[[dict[str, Any]], dict[str, Any]]
Answer = tuple[dict[str, Any], int]
Exposition = Callable[[dict[str, Any], str], tuple[bytes, str]]

SERVICE = "execution-service"
LARGEST_BODY = 64 * 1024
_HEALTHY = ("ok", "degraded")
_TRUE = ("1", "true", "yes")
_OPEN = frozenset(route.path for route in ROUTES if not route.needs_token)
_BROWSER = 'Basic realm="execsvc", charset="UTF-8"'
_NO_ANSWER = "the supervisor does not answer"
_NO_METRICS = "metrics are not installed: pip install 'execsvc[metrics]'"


def create_app(ask: Ask, token: str | None) -> Flask:
    """The application; ``ask`` passes a request on to the supervisor, and raises Unavailable.

    With a ``token``, everything but ``/health`` requires it as a bearer token; the page takes it as
    the password that a browser asks for as well, with any user name.
    """
    app = Flask("execsvc", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    views = _views(ask, guarded=token is not None)
    for route in ROUTES:
        # Without the automatic OPTIONS every other method is answered with 405.
        app.add_url_rule(
            route.path,
            route.name,
            views[route.name],
            methods=[route.method],
            provide_automatic_options=False,
        )
    if token is not None:
        app.before_request(partial(_authorise, token))
    app.before_request(_refuse_redirect)
    app.after_request(_forbid_caching)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Unavailable, _no_answer)
    app.register_error_handler(Exception, _failed)
    return app


def _views(ask: Ask, *, guarded: bool) -> dict[str, Callable[[], Answer | Response]]:
    """The view of each route, by its name; ``guarded``: a token is set."""
    # At the first scrape, so that a start does not import its library.
    exposition = cache(_exposition)
    description = cache(openapi.document)

    def health() -> Answer:
        try:
            document = ask({"call": "health"})
        except Unavailable:
            return {"status": "down", "service": SERVICE, "reasons": [_NO_ANSWER]}, 503
        return document, 200 if document.get("status") in _HEALTHY else 503

    def page() -> Response:
        try:
            return render_page(ask({"call": "page"}), request.args)
        except Unavailable:
            return render_page(None, request.args)

    return {
        "page": page,
        "health": health,
        "status": lambda: (ask(_status_asked()), 200),
        "poll": lambda: (ask({"call": "poll"}), 202),
        "metrics": lambda: _metrics(exposition(), ask),
        "openapi": lambda: (description(guarded), 200),
    }


def _status_asked() -> dict[str, Any]:
    """The call for the whole status, with diagnostics where the query asks for them."""
    wanted = request.args.get("diagnostics", "").lower() in _TRUE
    return {"call": "status", "diagnostics": True} if wanted else {"call": "status"}


def _authorise(token: str) -> Response | None:
    """The refusal of a request that lacks the token."""
    if request.path in _OPEN or _has_bearer(token):
        return None
    if request.path != PAGE:
        return _unauthorised("a bearer token is required", "Bearer")
    if _has_password(token):
        return None
    return _unauthorised("the token is required, as the password; any user name", _BROWSER)


def _refuse_redirect() -> Response | None:
    """A 404 instead of a redirect, which would be HTML: ``//health`` is no path of ours."""
    redirects = isinstance(request.routing_exception, RequestRedirect)
    return _error("not found", 404) if redirects else None


def _metrics(exposition: Exposition | None, ask: Ask) -> Response:
    if exposition is None:
        return _error(_NO_METRICS, 404)
    text, content_type = exposition(ask({"call": "metrics"}), request.headers.get("Accept", ""))
    return Response(text, content_type=content_type)


def _exposition() -> Exposition | None:
    """The function that makes the text of ``/metrics``; None where its library is not installed."""
    try:
        from execsvc.control_plane.exposition import exposition
    except ModuleNotFoundError as missing:
        if missing.name != "prometheus_client":
            raise
        return None
    return exposition


def _has_bearer(token: str) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # As bytes: compare_digest takes text only if it is ASCII.
    same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
    return same and scheme.lower() == "bearer"


def _has_password(token: str) -> bool:
    given = request.authorization
    if given is None or given.type != "basic":
        return False
    password = (given.password or "").encode("utf-8", "replace")
    return hmac.compare_digest(password, token.encode())


def _unauthorised(message: str, scheme: str) -> Response:
    refusal = _error(message, 401)
    refusal.headers["WWW-Authenticate"] = scheme
    return refusal


def _error(message: str, code: int) -> Response:
    answer = jsonify({"error": message})
    answer.status_code = code
    return answer


def _refused(error: HTTPException) -> Response:
    """The answer for requests that Flask refuses: an unknown path, a wrong method, a large body."""
    answer = _error((error.name or "error").lower(), error.code or 500)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _no_answer(error: Unavailable) -> Response:
    return _error(_NO_ANSWER, 503)


def _failed(error: Exception) -> Response:
    """The answer for a fault of our own: the traceback goes to the log, and to no client."""
    event = logger.bind(event="request_failed").opt(exception=error)
    event.error("{} {} failed", request.method, request.path)
    return _error("internal server error", 500)


def _forbid_caching(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
