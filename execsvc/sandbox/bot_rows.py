"""BotService's calls on one bot: its row, its start and stop, its sessions."""

from __future__ import annotations

from typing import Any

from execsvc.sandbox.faults import Call, Match
from execsvc.sandbox.sessions import UnknownSession
from execsvc.sandbox.state import State
from execsvc.sandbox.strikes import Act, strike
from execsvc.sandbox.wire import Reply, Request, json_reply, refusal

_CONFIGURATION = ("name", "status", "global_settings", "pipeline")
"""The members that ``PUT /bots/{id}`` replaces."""
_LOCKED = frozenset({"BOOTING", "STOPPING"})
"""The statuses in which a row cannot be deleted."""


def get_bot(state: State, request: Request) -> Reply:
    """``GET /bots/{id}``."""
    return _row(state.bots.get(request.segments[1]))


def add_bot(state: State, request: Request) -> Reply:
    """``POST /bots``."""
    return json_reply(state.bots.add(_object(request)), 201)


def change_bot(state: State, request: Request) -> Reply:
    """``PUT /bots/{id}``: replaces name, status and the whole configuration."""
    sent = _object(request)
    usual = {"name": None, "status": "STOPPED", "global_settings": None, "pipeline": None}
    members = {name: sent.get(name, usual[name]) for name in _CONFIGURATION}
    return _row(state.bots.change(request.segments[1], members))


def remove_bot(state: State, request: Request) -> Reply:
    """``DELETE /bots/{id}``: 405 while it starts or stops."""
    row = state.bots.get(request.segments[1])
    if row is not None and row.get("status") in _LOCKED:
        return refusal(f"Bot is {row['status']}, it cannot be deleted", 405)
    return json_reply({"done": True}) if state.bots.remove(request.segments[1]) else _row(None)


def start_bot(state: State, request: Request) -> Reply:
    """``POST /bots/{id}/start``: opens a session, which it answers, and sets RUNNING."""
    bot_id = request.segments[1]

    def act() -> Reply:
        session = state.sessions.start(bot_id)
        state.bots.change(bot_id, {"status": "RUNNING"})
        return json_reply(session)

    return _struck(state, "start_bot", bot_id, act)


def stop_bot(state: State, request: Request) -> Reply:
    """``POST /bots/{id}/stop``: ends the session, which it answers, and sets STOPPED.

    Without a session STOPPED is set all the same, and the answer is a 400.
    """
    bot_id = request.segments[1]

    def act() -> Reply:
        session = state.sessions.stop(bot_id)
        state.bots.change(bot_id, {"status": "STOPPED"})
        if session is None:
            return refusal("No active session found to stop", 400)
        return json_reply(session)

    return _struck(state, "stop_bot", bot_id, act)


def sessions(state: State, request: Request) -> Reply:
    """``GET /bots/{id}/sessions``: the newest first."""
    bot_id = request.segments[1]
    return _struck(state, "sessions", bot_id, lambda: json_reply(state.sessions.of(bot_id)))


def session(state: State, request: Request) -> Reply:
    """``GET /sessions/{id}``: with its orders, the oldest first."""
    try:
        return json_reply(state.sessions.get(request.segments[1]))
    except UnknownSession:
        return refusal("Session not found", 404)


def statistics(state: State, request: Request) -> Reply:
    """``GET /bots/{id}/stats``."""
    bot_id = request.segments[1]
    if state.bots.get(bot_id) is None:
        return _row(None)
    return json_reply(state.sessions.statistics(bot_id))


def _struck(state: State, call: Call, bot_id: str, act: Act) -> Reply:
    def sound() -> Reply:
        return _row(None) if state.bots.get(bot_id) is None else act()

    return strike(state, state.faults.take(call, Match(bot_id=bot_id)), sound)


def _row(row: dict[str, Any] | None) -> Reply:
    return refusal("Bot not found", 404) if row is None else json_reply(row)


def _object(request: Request) -> dict[str, Any]:
    value = request.parsed()
    if not isinstance(value, dict):
        raise ValueError("body is not an object")
    return value
