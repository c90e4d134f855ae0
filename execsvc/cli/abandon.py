"""``execsvc release BOT --abandon``: abandons a position that can never be closed."""

from __future__ import annotations

import json
import select
import sys
from datetime import datetime
from typing import Any

import click

from execsvc.cli.daemon import call_daemon, running_service, wait_while
from execsvc.cli.output import plain_text
from execsvc.clock import monotonic, now
from execsvc.errors import LedgerBusy, LedgerFailed
from execsvc.exit_codes import DONE, RESIDUE
from execsvc.settings import Settings
from execsvc.store.abandoned import Abandoned
from execsvc.store.bot_state import LedgerState
from execsvc.store.opening import open_store

_POLL_INTERVAL = 0.25


class _NotDoneError(Exception):
    """The position is not abandoned; the message has the reason."""


def abandon_position(
    settings: Settings, bot_id: str, *, yes: bool, as_json: bool, timeout: float
) -> int:
    """Abandon the position of ``bot_id``, by the daemon where one runs.

    Returns the exit code. ``timeout``: seconds that it may take.
    """
    state = _readable_state(settings, bot_id)
    if state is None:
        return RESIDUE
    if not yes:
        _confirm(bot_id, state)
    began = now()
    try:
        if running_service(settings) is None:
            abandoned = _abandon_here(settings, bot_id, timeout)
        else:
            abandoned = _abandon_by_daemon(settings, bot_id, timeout, began)
    except (_NotDoneError, LedgerFailed) as error:
        _print_outcome(as_json, bot_id, [], str(error))
        return RESIDUE
    _print_outcome(as_json, bot_id, abandoned, None)
    return DONE


def _readable_state(settings: Settings, bot_id: str) -> LedgerState | None:
    try:
        state = open_store(settings).read(bot_id)
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


def _abandon_by_daemon(
    settings: Settings, bot_id: str, timeout: float, began: datetime
) -> list[Abandoned]:
    call_daemon(settings, {"call": "release", "bot_id": bot_id, "how": "abandon"})
    if timeout == 0:
        return []

    def progress(answer: dict[str, Any]) -> str | None:
        if not answer["going_on"]:
            return None
        return answer["last_error"] or "its process has not ended yet"

    request = {"call": "released", "bot_id": bot_id}
    answer = wait_while(settings.runtime_dir, request, "abandoning", timeout, progress)
    cause = answer["failed"] or progress(answer)
    if cause is not None:
        raise _NotDoneError(cause)
    state = open_store(settings).read(bot_id)
    return [one for one in state.abandoned if one.at >= began] if state is not None else []


def _abandon_here(settings: Settings, bot_id: str, timeout: float) -> list[Abandoned]:
    """Book the abandoned position in this process: no daemon runs. Raises LedgerFailed."""
    until = monotonic() + timeout
    store = open_store(settings)
    ledger = store.bot(bot_id)
    while True:
        try:
            ledger.open()
            break
        except LedgerBusy:
            if monotonic() >= until:
                raise
        select.select((), (), (), _POLL_INTERVAL)
    try:
        longest = settings.order_timeout + settings.settlement_window
        left = ledger.still_possible(longest)
        if left > max(until - monotonic(), 0.0):
            raise _NotDoneError(f"an order of the bot may still execute, try again in {left:.0f} s")
        select.select((), (), (), left)
        abandoned = ledger.abandon(now())
        for one in abandoned:
            ledger.log(now(), "position_abandoned", one.text, {"tracked": f"{one.tracked:f}"})
    finally:
        ledger.close()
    store.held().discard(bot_id)
    return abandoned


def _print_outcome(
    as_json: bool, bot_id: str, abandoned: list[Abandoned], cause: str | None
) -> None:
    if as_json:
        shown = [one.shown() for one in abandoned]
        click.echo(json.dumps({"bot_id": bot_id, "abandoned": shown, "not_done": cause}))
    elif cause is None:
        for one in abandoned:
            click.echo(plain_text(f"bot {bot_id}: {one.text}"))
        if not abandoned:
            click.echo(plain_text(f"bot {bot_id} was told to abandon, or held nothing"))
    if cause is not None:
        click.echo(
            plain_text(f"execsvc: bot {bot_id}: the position is not abandoned: {cause}"), err=True
        )
