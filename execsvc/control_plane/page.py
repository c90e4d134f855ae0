"""The page for people: the supervisor's documents, as HTML without other resources.

All texts on it may come from outside: they are escaped by the template, and the policy that goes
with it lets no other script run.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response
from jinja2 import Environment, PackageLoader

from execsvc import clock
from execsvc.control_plane import bot_rows

REFRESH = 3
"""Seconds between two requests of a browser that runs the script, while there are few bots."""
REFRESH_MANY = 5
MANY = 200
RELOAD = 10
"""Seconds until a browser without scripts loads the page again."""
MOST_PROBLEMS = 20
_NO_ANSWER = "The supervisor does not answer."
_POLICY = (
    "default-src 'none'; style-src 'nonce-{0}'; script-src 'nonce-{0}'; connect-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_templates = Environment(
    loader=PackageLoader("execsvc.control_plane"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["clock"] = lambda at: at[11:19]


def render_page(known: Mapping[str, Any] | None, asked: Mapping[str, str]) -> Response:
    """The page; ``known`` is the supervisor's status, None when it does not answer.

    ``asked`` may select bots: ``state``, and ``q`` for a part of a name, id, symbol or account.
    """
    nonce = secrets.token_urlsafe(16)
    now = clock.now()
    view = _no_answer() if known is None else _view(known, asked, now)
    text = _templates.get_template("page.html").render(
        nonce=nonce, now=clock.iso(now), reload=RELOAD, **view
    )
    # A name may have characters that UTF-8 cannot write.
    body = text.encode("utf-8", "replace")
    answer = Response(body, 503 if known is None else 200, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = _POLICY.format(nonce)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _no_answer() -> dict[str, Any]:
    return {
        "title": "no answer · execsvc",
        "state": "NO ANSWER",
        "tone": "bad",
        "service": None,
        "every": REFRESH,
        "problems": [{"severity": "critical", "text": _NO_ANSWER}],
    }


def _view(known: Mapping[str, Any], asked: Mapping[str, str], now: datetime) -> dict[str, Any]:
    status, problems = known["status"], known["conditions"]
    problems = sorted(problems, key=lambda problem: problem["severity"] != "critical")
    wrong = {problem["bot_id"] for problem in problems}
    chosen, sought = asked.get("state", ""), asked.get("q", "").strip()
    bots = [
        bot_rows.row(number, bot, bot["bot_id"] in wrong, now)
        for number, bot in enumerate(status["bots"])
        if bot_rows.matches(bot, chosen, sought)
    ]
    names = {bot["bot_id"]: bot["name"] for bot in status["bots"] if bot["bot_id"]}
    many = len(status["bots"]) > MANY
    return {
        "title": f"{len(problems)} wrong · execsvc" if problems else "execsvc",
        "state": status["state"],
        "tone": "good" if status["state"] == "RUNNING" else "busy",
        "service": _service(status, now),
        "every": REFRESH_MANY if many else REFRESH,
        "problems": problems[:MOST_PROBLEMS],
        "more_problems": max(len(problems) - MOST_PROBLEMS, 0),
        "total": len(status["bots"]),
        "counts": _counts(status, sought),
        "all_link": _link(q=sought),
        "chosen": chosen,
        "sought": sought,
        "bots": sorted(bots, key=lambda bot: bot["order"]),
        "has_results": any(bot.get("result") for bot in status["bots"]),
        "events": [_event(event, names) for event in known["events"]],
    }


def _service(status: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    poll = status["poll"]
    return {
        "up": bot_rows.span(status["uptime_sec"]),
        "version": status["version"],
        "pid": status["pid"],
        "listed": bot_rows.ago(poll["last_success_at"], now) or "not read yet",
        "interval": f"{poll['interval_sec']:g}",
        "failures": poll["consecutive_failures"],
        "listing_error": poll["last_error"],
    }


def _counts(status: Mapping[str, Any], sought: str) -> list[dict[str, Any]]:
    counts = Counter(status["counts"])
    return [
        {
            "state": state,
            "number": counts[state],
            "tone": bot_rows.TONES.get(state, ""),
            "link": _link(state=state, q=sought),
        }
        for state in sorted(counts, key=bot_rows.rank)
    ]


def _link(**asked: str) -> str:
    given = urlencode({name: value for name, value in asked.items() if value})
    return f"/?{given}" if given else "/"


def _event(event: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    tones = {"WARNING": "warn", "ERROR": "bad", "CRITICAL": "bad"}
    return {
        "at": event["at"],
        "bot": names.get(event["bot_id"]) or event["bot_id"],
        "text": event["text"],
        "tone": tones.get(event["level"], ""),
    }
