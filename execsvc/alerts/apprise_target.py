"""The only import of apprise: sends one message to one address, within a deadline.

An address holds a secret. No text of apprise about it, in a log or in an exception, leaves this
module: an address is named by its number and its scheme.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import apprise

from execsvc.masking import masked

DEADLINE = 10.0
"""Seconds that one attempt may take, even if the other side does not answer."""


class DeadlinePassed(BaseException):
    """The deadline has passed. Not an Exception: plug-ins of apprise catch those."""


class Target:
    """One address; ``number`` is its place among the URLs, from 1. Of the main thread only."""

    def __init__(self, number: int, url: str) -> None:
        _silence()
        self.number = number
        self.name = f"{number} ({url.partition('://')[0].lower()})"
        asset = apprise.AppriseAsset(app_id="execsvc", app_desc="execsvc", async_mode=False)
        self._apprise = apprise.Apprise(asset=asset)
        self.understood = bool(_guarded(lambda: self._apprise.add(url)))

    def send(self, title: str, text: str, tone: str) -> str | None:
        """Send one message. Returns the reason why it failed, None when the other side took it."""
        if not self.understood:
            return "apprise does not know such a URL"
        try:
            with _deadline(DEADLINE):
                taken = _guarded(
                    lambda: self._apprise.notify(
                        masked(text),
                        title=masked(title),
                        notify_type=tone,
                        body_format=apprise.NotifyFormat.TEXT,
                    )
                )
        except DeadlinePassed:
            return f"no answer within {DEADLINE:g} s"
        return None if taken else "refused, or not reachable"


def _guarded(call: Callable[[], Any]) -> Any:
    """The result of ``call``; False for whatever a plug-in of apprise raises: its text is secret."""
    try:
        return call()
    except Exception:  # noqa: BLE001 (code of others, about an address that must stay secret)
        return False


def _silence() -> None:
    """Silence the loggers of apprise and its libraries, which name the address."""
    logging.disable(logging.CRITICAL)


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raise DeadlinePassed in this block after so long; a read time-out counts from byte to byte only."""
    before = signal.signal(signal.SIGALRM, _deadline_passed)
    # Again and again: a plug-in that swallowed the first is interrupted by the next.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _deadline_passed(_signum: int, _frame: FrameType | None) -> None:
    raise DeadlinePassed
