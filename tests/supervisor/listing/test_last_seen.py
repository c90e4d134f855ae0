"""The known facts of rows that are BOOTING, or were seen STOPPED, from one listing to the next."""

from __future__ import annotations

from support.bot_process import bot_row

from execsvc.clients.bot_service import BOOTING, RUNNING, Listing
from execsvc.model.bot import parse_row
from execsvc.supervisor.listing.last_seen import PATIENCE, LastSeen

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


def test_row_that_was_found_booting_while_its_query_fails_is_kept_as_such() -> None:
    """Its row was asked for by itself, once: later listings lack it, and it still waits for its start."""
    seen = LastSeen()
    seen.completed(listing(RUNNING))
    for status in (BOOTING, None, None):
        found = seen.completed(listing(status, SILENT))
        assert (found.booting, set(found.bots)) == (("b1",), {"b1"})


MISSING = {"b1"}


def test_bot_that_is_missing_while_nobody_says_who_boots_is_unknown_for_a_while() -> None:
    seen = LastSeen()
    seen.completed(listing(BOOTING))
    seen.completed(listing(RUNNING))
    silent = listing(None, SILENT)
    seen.completed(silent)
    assert seen.unknown(silent, MISSING, 100.0) == MISSING
    assert seen.unknown(silent, MISSING, 100.0 + PATIENCE - 1) == MISSING
    assert seen.unknown(silent, MISSING, 100.0 + PATIENCE) == set()
    assert seen.unknown(listing(RUNNING, SILENT), set(), 101.0 + PATIENCE) == set()
    assert seen.unknown(silent, MISSING, 102.0 + PATIENCE) == MISSING
    assert seen.unknown(listing(None), MISSING, 103.0 + PATIENCE) == set()


def test_bot_whose_row_tells_that_it_has_ended_is_known() -> None:
    seen = LastSeen()
    seen.completed(listing(BOOTING))
    seen.completed(listing(RUNNING))
    ended = listing(None, SILENT).model_copy(update={"ended": ("b1",)})
    assert seen.unknown(ended, MISSING, 100.0) == set()
    seen.stopped("b1", at=99.0)
    assert seen.unknown(listing(None, SILENT), MISSING, 100.0) == set()


def test_service_that_has_never_listed_a_booting_bot_has_no_unknown_bots() -> None:
    silent = listing(None, SILENT)
    assert LastSeen().unknown(silent, MISSING, 100.0) == set()
    seen = LastSeen()
    seen.completed(listing(RUNNING))
    assert seen.unknown(silent, MISSING, 100.0) == set()


def test_service_that_does_not_know_the_status_has_no_unknown_bots() -> None:
    silent = listing(None, SILENT)
    seen = LastSeen()
    seen.completed(listing(BOOTING))
    seen.completed(listing(RUNNING))
    refused = silent.model_copy(update={"unsupported": (BOOTING,)})
    assert seen.unknown(refused, MISSING, 100.0) == set()
