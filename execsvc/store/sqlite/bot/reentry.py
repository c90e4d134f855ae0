"""The mark that lets a bot enter again after a stop loss: from a stop by its user, or a release.

A file beside the bot's ledger, because only the bot's own process writes that. The supervisor makes it
when BotService does not list the bot as running any more, ``execsvc release`` for a bot on paper; the
bot's process removes it. The file need not survive a power failure: entries then stay blocked.
"""

from __future__ import annotations

from pathlib import Path

from execsvc.store.sqlite import faults

SUFFIX = ".reentry"


def allow(ledger: Path) -> None:
    """Let the bot of the file ``ledger`` enter again. Raises LedgerFailed."""
    if not ledger.exists():
        return
    try:
        ledger.with_suffix(SUFFIX).touch(mode=0o600)
    except OSError as error:
        raise faults.failed(f"{ledger.stem}{SUFFIX} cannot be written", error) from error


def is_allowed(ledger: Path) -> bool:
    """True when the next process of the bot of the file ``ledger`` lets it enter again."""
    return ledger.with_suffix(SUFFIX).exists()


def take(ledger: Path) -> bool:
    """Remove the mark; True when there was one, so that the bot may enter again. Raises LedgerFailed."""
    mark = ledger.with_suffix(SUFFIX)
    try:
        mark.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise faults.failed(f"{mark.name} cannot be removed", error) from error
    return True
