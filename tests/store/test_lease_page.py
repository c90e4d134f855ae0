"""The page with a host's lease, and the claims that processes read from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from execsvc.clock import monotonic
from execsvc.errors import ClaimLost, LedgerUnavailable
from execsvc.store.lease_page import NAME, HostLeaseView, LeasePage
from execsvc.store.page_claims import PageClaims


@pytest.fixture
def page(tmp_path: Path) -> LeasePage:
    """The page of the process that made it."""
    made = LeasePage(tmp_path / NAME)
    made.create()
    return made


def lease(seconds: float, **fences: int) -> HostLeaseView:
    """A lease of the host ``a`` for so many seconds, with these claims."""
    until = monotonic() + seconds
    holders = dict.fromkeys(fences, "a") | {"k9": "b"}
    return HostLeaseView(until, until + 4, "run", fences, holders, frozenset({"order-1"}))


def test_lease_page_shows_another_process_what_was_written_last(
    page: LeasePage, tmp_path: Path
) -> None:
    reader = LeasePage(tmp_path / NAME)
    assert reader.read() == HostLeaseView()
    for view in (lease(8, k1=1), lease(8, k1=1, k2=5), HostLeaseView(), lease(8, k1=2)):
        page.write(view)
        assert reader.read() == view == LeasePage(tmp_path / NAME).read()


def test_lease_page_of_a_writer_that_was_restarted_shows_its_first_write(
    page: LeasePage, tmp_path: Path
) -> None:
    page.write(lease(8, k1=1))
    reader = LeasePage(tmp_path / NAME)
    reader.read()
    after = lease(8, k2=1)
    LeasePage(tmp_path / NAME).write(after)
    assert reader.read() == after


@pytest.mark.parametrize("place", [0, 20, 36, 64, 70])
def test_lease_page_half_written_is_never_believed(
    place: int, page: LeasePage, tmp_path: Path
) -> None:
    page.write(lease(8, k1=1))
    with (tmp_path / NAME).open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 0xFF]))
    with pytest.raises(LedgerUnavailable):
        LeasePage(tmp_path / NAME).read()


def test_lease_page_that_was_not_made_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable):
        LeasePage(tmp_path / NAME).read()


def test_page_claims_tell_a_good_claim_from_one_that_waits_and_a_lost_one(page: LeasePage) -> None:
    claims = PageClaims(page, "a")
    page.write(lease(8, k1=3))
    assert (claims.take("k1"), claims.fence("k1"), claims.paused("k1")) == (None, 3, None)
    claims.check("k1", 3)
    with pytest.raises(ClaimLost):
        claims.check("k1", 2)
    with pytest.raises(ClaimLost):
        claims.check("k2", 0)

    page.write(lease(-1, k1=3))
    assert claims.take("k1") is None
    assert (claims.paused("k1") or "").startswith("WAITING_STORE")
    with pytest.raises(LedgerUnavailable):
        claims.check("k1", 3)

    page.write(lease(-5, k1=3))
    assert (claims.take("k1") or "").startswith("WAITING_STORE")


def test_page_claims_name_the_host_that_has_an_account(page: LeasePage) -> None:
    claims = PageClaims(page, "a")
    page.write(lease(8, k1=3))
    assert claims.take("k9") == "account k9 is with host b"
    assert claims.take("k5") == "account k5 waits for a host that takes it"
    holder = claims.holder("k1")
    assert holder is not None
    assert holder.is_ours
    assert claims.may_decide("order-1")
    assert not claims.may_decide("order-2")
