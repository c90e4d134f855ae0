"""``execsvc release``: an operator's decision on coins that are gone, a position, or a HELD bot."""

from __future__ import annotations

import json
from typing import Any

import click

from execsvc.cli.abandon import abandon_position
from execsvc.cli.daemon import notify_daemon, wait_while, waiting_options
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import SettingsSource, bot_argument, directory_options, resolve_bot
from execsvc.cli.output import plain_text
from execsvc.errors import ConfigRefused, LedgerFailed
from execsvc.exit_codes import DONE, FAULT, REFUSED, RESIDUE, UNREACHABLE, USAGE
from execsvc.settings import Settings
from execsvc.store.abandoned import command_to_abandon
from execsvc.store.opening import open_store

_NO_DAEMON = "no daemon answers here: the decision takes effect at the next start"


@click.command(
    epilog=exit_codes(
        (DONE, "released, and carried out (with --no-wait: recorded)"),
        (FAULT, "the ledger cannot be read or written, or the daemon refuses"),
        (USAGE, "no such bot, or wrong usage"),
        (UNREACHABLE, "a daemon runs and does not answer"),
        (RESIDUE, "recorded and not carried out: the reason is on stderr"),
        (REFUSED, "the settings are refused"),
    )
)
@bot_argument
@click.option(
    "--abandon",
    is_flag=True,
    help="Book the whole position as abandoned, without a check of the account.",
)
@click.option(
    "--keep",
    is_flag=True,
    help="The coins of a contested ledger are the bot's: the bot trades on with them.",
)
@click.option("--yes", is_flag=True, help="Do not ask before a position is abandoned.")
@waiting_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@directory_options
def release(
    source: SettingsSource,
    bot: str,
    abandon: bool,
    keep: bool,
    yes: bool,
    timeout: float,
    no_wait: bool,
    as_json: bool,
) -> int:
    """Book the coins of BOT that are missing from its account as gone; end HELD and FAILED.

    A bot whose stop loss has closed its position may enter again.

    With --abandon the position is abandoned, where it can never be closed: its key is revoked, or
    its pair is delisted. Its rest at the exchange is yours to close; the bot goes on as its row
    says. With --keep the coins of a position that is contested, because the state directory may
    be older than the account, stay the bot's; without it they are booked as gone.
    """
    if abandon and keep:
        raise click.UsageError("--abandon and --keep exclude each other")
    settings = source.without_services()
    bot_id = resolve_bot(bot, settings)
    if abandon:
        return abandon_position(
            settings, bot_id, yes=yes, as_json=as_json, timeout=0.0 if no_wait else timeout
        )
    if keep:
        return _keep(settings, bot_id, as_json)
    seen = _last_row(settings, bot_id)
    done = _record_release(settings, bot_id)
    waits = not no_wait and open_store(settings).release_waits(bot_id)
    told = notify_daemon(settings, "release", bot_id)
    if not told:
        open_store(settings).held().discard(bot_id)
    cause = None
    if waits:  # the daemon may have carried it out by now
        cause = _not_carried_out(settings, bot_id, timeout) if told else _NO_DAEMON
        done = done if cause else _booked(settings, bot_id, seen)
    elif _gone_since(settings, bot_id, seen):  # carried out before this command could wait for it
        done = _booked(settings, bot_id, seen)
    _print_outcome(as_json, bot_id, done, told, cause)
    if cause is None:
        return DONE
    hint = f"if it never can be: {command_to_abandon(bot_id)}"
    click.echo(plain_text(f"execsvc: not carried out: {cause}; {hint}"), err=True)
    return RESIDUE


def _keep(settings: Settings, bot_id: str, as_json: bool) -> int:
    """Book contested coins as the bot's; the daemon is called at once, where one runs."""
    done = open_store(settings).keep(bot_id)
    told = notify_daemon(settings, "release", bot_id)
    _print_outcome(as_json, bot_id, done, told, None)
    return DONE


def _record_release(settings: Settings, bot_id: str) -> str:
    """Record that missing coins are gone; returns the record, in words."""
    try:
        return open_store(settings).release(bot_id)
    except ConfigRefused:
        return f"bot {bot_id} has no ledger, so nothing to book"


def _not_carried_out(settings: Settings, bot_id: str, timeout: float) -> str | None:
    """The reason why the release is not carried out within ``timeout`` s; None once it is."""

    def progress(answer: dict[str, Any]) -> str | None:
        if not open_store(settings).release_waits(bot_id):
            return None
        return answer.get("last_error") or "the account has not been read yet"

    request = {"call": "released", "bot_id": bot_id}
    return progress(wait_while(settings.runtime_dir, request, "releasing", timeout, progress))


def _booked(settings: Settings, bot_id: str, seen: int) -> str:
    """The result of the release, by the rows of the bot's log after ``seen``."""
    gone = _gone_since(settings, bot_id, seen)
    return (
        f"bot {bot_id}: {'; '.join(gone) if gone else 'no coins are missing, nothing was booked'}"
    )


def _gone_since(settings: Settings, bot_id: str, seen: int) -> list[str]:
    """The texts of the coins booked as gone after row ``seen`` of the bot's log."""
    try:
        rows = open_store(settings).read_log(bot_id, seen)
    except LedgerFailed:
        return []
    return [row.text for row in rows if row.event == "coins_gone"]


def _last_row(settings: Settings, bot_id: str) -> int:
    try:
        rows = open_store(settings).read_log(bot_id)
    except LedgerFailed:
        return 0
    return rows[-1].seq if rows else 0


def _print_outcome(as_json: bool, bot_id: str, done: str, told: bool, cause: str | None) -> None:
    if as_json:
        outcome = {"bot_id": bot_id, "done": done, "daemon_told": told, "not_carried_out": cause}
        click.echo(json.dumps(outcome))
        return
    click.echo(plain_text(done))
    click.echo("the running daemon was told" if told else _NO_DAEMON)
