"""What is known of rows that are BOOTING, or were seen STOPPED, from one listing to the next."""

from __future__ import annotations

from support.bot_process import bot_row

from execsvc.clients.bot_service import BOOTING, RUNNING, Listing
from execsvc.model.bot import parse_row
from execsvc.supervisor.last_seen import LastSeen

SILENT = (BOOTING,)


def listing(status: str | None, unanswered: tuple[str, ...] = ()) -> Listing:
    """A listing with the bot b1 in ``status``; None: without it."""
    rows = {} if status is None else {"b1": parse_row(bot_row())}
    booting = ("b1",) if status == BOOTING else ()
    return Listing(bots=rows, invalid={}, nameless=[], booting=booting, unanswered=unanswered)


def test_booting_row_is_kept_while_its_query_fails() -> None:
    seen = LastSeen()
    seen.completed(listing(BOOTING))
    assert seen.completed(listing(None, SILENT)).booting == ("b1",)


def test_row_that_was_seen_stopped_is_not_kept() -> None:
    seen = LastSeen()
    seen.completed(listing(BOOTING))
    seen.stopped("b1", at=10.0)
    for began in (11.0, 12.0):
        found = seen.completed(seen.current(listing(None, SILENT), began))
        assert (found.booting, found.bots) == ((), {})


def test_listing_from_before_a_row_was_seen_stopped_does_not_show_it() -> None:
    seen = LastSeen()
    seen.stopped("b1", at=10.0)
    found = seen.completed(seen.current(listing(BOOTING), began=9.0))
    assert (found.booting, found.bots) == ((), {})
    assert seen.completed(seen.current(listing(None, SILENT), began=11.0)).booting == ()


def test_row_that_is_listed_after_it_was_seen_stopped_was_started_again() -> None:
    for status in (BOOTING, RUNNING):
        seen = LastSeen()
        seen.stopped("b1", at=10.0)
        shown = listing(status)
        assert seen.current(shown, began=10.5) == shown
        seen.completed(shown)
        kept = seen.completed(seen.current(listing(None, SILENT), began=11.0))
        assert ("b1" in kept.booting) == (status == BOOTING)
