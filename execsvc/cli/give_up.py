"""``execsvc release BOT --abandon``: abandons a position that can never be closed."""

from __future__ import annotations

import json
import select
import sys
from datetime import datetime
from typing import Any

import click

from execsvc.cli.daemon import ask, running
from execsvc.cli.table import plain_text
from execsvc.cli.waiting import wait_while
from execsvc.clock import monotonic, now
from execsvc.errors import LedgerBusy, LedgerFailed
from execsvc.exit_codes import DONE, RESIDUE
from execsvc.settings import Settings
from execsvc.store.abandoned import Abandoned
from execsvc.store.bot_state import LedgerState
from execsvc.store.opening import open_store

_LOOK_EVERY = 0.25


class _NotDoneError(Exception):
    """The position is not abandoned; the message has the reason."""


def give_up(places: Settings, bot_id: str, *, yes: bool, as_json: bool, patience: float) -> int:
    """Abandon the position of ``bot_id``, by the daemon where one runs.

    Returns the exit code. ``patience``: seconds that it may take.
    """
    state = _readable(places, bot_id)
    if state is None:
        return RESIDUE
    if not yes:
        _confirm(bot_id, state)
    began = now()
    try:
        if running(places) is None:
            given_up = _by_hand(places, bot_id, patience)
        else:
            given_up = _by_daemon(places, bot_id, patience, began)
    except (_NotDoneError, LedgerFailed) as error:
        _say(as_json, bot_id, [], str(error))
        return RESIDUE
    _say(as_json, bot_id, given_up, None)
    return DONE


def _readable(places: Settings, bot_id: str) -> LedgerState | None:
    try:
        state = open_store(places).read(bot_id)
    except LedgerFailed as error:
        text = (
            f"execsvc: not abandoned: {error}; close the position by hand, move the file away, "
            f"then release the bot without --abandon"
        )
        click.echo(plain_text(text), err=True)
        return None
    if state is None:
        raise click.UsageError(f"bot {bot_id} has no ledger, so nothing to abandon")
    return state


def _confirm(bot_id: str, state: LedgerState) -> None:
    """Ask for confirmation. Raises click.UsageError without a terminal, click.Abort for a no."""
    if not sys.stdin.isatty():
        raise click.UsageError(
            "--abandon asks for confirmation, and there is no terminal: add --yes"
        )
    where = f" ({state.binding.symbol}, key {state.binding.key_id})" if state.binding else ""
    held = f"tracks {state.position.tracked:f}, sold short {state.position.sold_short:f}"
    text = (
        f"bot {bot_id}{where} {held}. This service does not sell or buy back any part of an abandoned "
        f"position. Abandon the position?"
    )
    click.confirm(plain_text(text), abort=True, err=True)


def _by_daemon(places: Settings, bot_id: str, patience: float, began: datetime) -> list[Abandoned]:
    ask(places, {"call": "release", "bot_id": bot_id, "how": "abandon"})
    if patience == 0:
        return []

    def going_on(answer: dict[str, Any]) -> str | None:
        if not answer["going_on"]:
            return None
        return answer["last_error"] or "its process has not ended yet"

    request = {"call": "released", "bot_id": bot_id}
    answer = wait_while(places.runtime_dir, request, "abandoning", patience, going_on)
    why = answer["failed"] or going_on(answer)
    if why is not None:
        raise _NotDoneError(why)
    state = open_store(places).read(bot_id)
    return [one for one in state.abandoned if one.at >= began] if state is not None else []


def _by_hand(places: Settings, bot_id: str, patience: float) -> list[Abandoned]:
    """Book the abandoned position in this process: no daemon runs. Raises LedgerFailed."""
    until = monotonic() + patience
    store = open_store(places)
    ledger = store.bot(bot_id)
    while True:
        try:
            ledger.open()
            break
        except LedgerBusy:
            if monotonic() >= until:
                raise
        select.select((), (), (), _LOOK_EVERY)
    try:
        longest = places.order_timeout + places.settlement_window
        left = ledger.still_possible(longest)
        if left > max(until - monotonic(), 0.0):
            raise _NotDoneError(f"an order of the bot may still execute, try again in {left:.0f} s")
        select.select((), (), (), left)
        given_up = ledger.abandon(now())
        for one in given_up:
            ledger.log(now(), "position_abandoned", one.text, {"tracked": f"{one.tracked:f}"})
    finally:
        ledger.close()
    store.held().discard(bot_id)
    return given_up


def _say(as_json: bool, bot_id: str, given_up: list[Abandoned], why: str | None) -> None:
    if as_json:
        shown = [one.shown() for one in given_up]
        click.echo(json.dumps({"bot_id": bot_id, "abandoned": shown, "not_done": why}))
    elif why is None:
        for one in given_up:
            click.echo(plain_text(f"bot {bot_id}: {one.text}"))
        if not given_up:
            click.echo(plain_text(f"bot {bot_id} was told to abandon, or held nothing"))
    if why is not None:
        click.echo(
            plain_text(f"execsvc: bot {bot_id}: the position is not abandoned: {why}"), err=True
        )
