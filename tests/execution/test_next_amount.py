"""The amount of the next order, and what is dust, given what earlier orders were answered."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from execsvc.execution.sizes.known_sizes import KnownSizes, known_of
from execsvc.execution.sizes.next_amount import is_dust, last_amount, next_amount, usable_funds
from execsvc.model.market import Limits
from execsvc.model.order import Side
from execsvc.model.refusal import Refusal, SizeAnswer

D = Decimal
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
PRICE = D(50000)
LIMITS = Limits(min_notional=D(5), min_amount=D("0.00001"))
TAKEN = None
SIZE, STEP, LARGE, SMALL, WORTH = (
    Refusal.SIZE,
    Refusal.STEP,
    Refusal.TOO_LARGE,
    Refusal.TOO_SMALL,
    Refusal.WORTH,
)


def known(*answers: tuple[str, Refusal | None], age: timedelta = timedelta(0)) -> KnownSizes:
    """The sizes known by these answers, a second apart, the last of them ``age`` ago."""
    made = [
        SizeAnswer(str(n), Side.SELL, D(amount), PRICE, refusal, NOW + timedelta(seconds=n))
        for n, (amount, refusal) in enumerate(answers)
    ]
    return known_of(made, NOW + timedelta(seconds=len(made)) + age, PRICE)


def amount(
    wanted: str, found: KnownSizes, limits: Limits = LIMITS, *, opens: bool = False
) -> str | None:
    chosen = next_amount(D(wanted), limits.decimals, limits, PRICE, found, opens)
    return None if chosen is None else f"{chosen.normalize():f}"


def test_next_amount_without_refusals_is_all_that_is_wanted() -> None:
    assert amount("0.0199876", known()) == "0.01998"


def test_next_amount_after_one_word_for_all_is_the_next_round_number_down() -> None:
    assert amount("0.01998", known(("0.01998", SIZE))) == "0.01"
    assert amount("0.01998", known(("0.01998", SIZE), ("0.01", SIZE))) == "0.005"
    assert amount("0.0172", known(("0.0172", SIZE)), opens=True) == "0.01"


def test_next_amount_after_a_round_number_was_taken_shows_by_its_decimals_which_it_was() -> None:
    found = known(("0.04998", SIZE), ("0.02", TAKEN))
    assert amount("0.02998", found) == "0.01999", "no larger than what was taken, and as fine"
    assert amount("0.00998", found) == "0.00998"


def test_next_amount_above_a_learnt_maximum_is_the_largest_that_was_taken() -> None:
    found = known(("0.01998", SIZE), ("0.01", SIZE), ("0.005", TAKEN), ("0.00498", TAKEN))
    assert (found.maximum, found.decimals) == (D("0.01"), None)
    assert amount("0.01998", found) == "0.005"
    assert amount("0.0049", found) == "0.0049"


def test_next_amount_after_a_step_was_proven_too_fine_has_a_decimal_less() -> None:
    found = known(("0.01998", SIZE), ("0.01", TAKEN), ("0.00998", SIZE))
    assert (found.maximum, found.decimals) == (None, 4)
    assert amount("0.00998", found) == "0.0099"


@pytest.mark.parametrize(
    ("word", "expected"), [(STEP, "0.0199"), (LARGE, "0.01"), (SIZE, "0.01"), (WORTH, "0.01")]
)
def test_next_amount_is_steered_by_the_meaning_of_the_word(word: Refusal, expected: str) -> None:
    assert amount("0.01998", known(("0.01998", word))) == expected


def test_next_amount_searches_an_unpublished_step_by_halves() -> None:
    anything = Limits()
    assert amount("1234.56789012", known(("1234.56789012", STEP)), anything) == "1234.56"
    found = known(("1234.56789012", STEP), ("1234.56", STEP))
    assert amount("1234.56789012", found, anything) == "1230"


def test_next_amount_of_an_entry_tries_how_large_it_may_be() -> None:
    found = known(("0.0172", LARGE), ("0.01", TAKEN))
    assert amount("0.02", found, opens=True) == "0.0136"
    assert amount("0.02", found) == "0.01", "an exit has no time for that"
    found = known(("0.0172", LARGE), ("0.01", TAKEN), ("0.0105", LARGE))
    assert amount("0.02", found, opens=True) == "0.01", "that is close enough"


def test_next_amount_leaves_no_rest_that_is_too_small() -> None:
    large_minimum = Limits(min_amount=D("0.002"))
    found = known(("0.0061", LARGE), ("0.005", TAKEN))
    assert amount("0.0061", found, large_minimum) == "0.003"


def test_next_amount_is_none_when_every_smaller_one_was_refused() -> None:
    refused = ("0.00039", "0.0002", "0.0001")
    assert amount("0.00039", known(*((each, SIZE) for each in refused))) is None


def test_next_amount_heeds_what_is_not_proven_for_half_an_hour_only() -> None:
    answers = (("0.01998", SIZE), ("0.01", SIZE))
    assert amount("0.01998", known(*answers, age=timedelta(minutes=29))) == "0.005"
    assert amount("0.01998", known(*answers, age=timedelta(minutes=31))) == "0.01998"


@pytest.mark.parametrize("word", [LARGE, STEP])
def test_next_amount_forgets_what_is_proven_after_a_week(word: Refusal) -> None:
    day = timedelta(days=1)
    assert amount("0.01998", known(("0.01998", word), age=6.9 * day)) != "0.01998"
    assert amount("0.01998", known(("0.01998", word), age=7 * day)) == "0.01998"


def test_known_of_believes_the_market_that_takes_more_than_before() -> None:
    found = known(("0.01", LARGE), ("0.0099", STEP), ("0.02001", TAKEN))
    assert (found.maximum, found.decimals) == (None, None)


def test_known_of_does_not_take_a_lowered_maximum_for_a_step() -> None:
    found = known(("0.03", LARGE), ("0.02", TAKEN), ("0.0199", SIZE))
    assert found.decimals == 3, "a step explains it, until another amount is taken"
    found = known(("0.03", LARGE), ("0.02", TAKEN), ("0.0199", SIZE), ("0.00999", TAKEN))
    assert (found.maximum, found.decimals) == (D("0.0199"), None)


def test_is_dust_by_the_published_minima() -> None:
    for tracked, price, dust in (
        ("0.0000099", None, True),
        ("0.00001", None, False),
        ("0.00009", 50000, True),
        ("0.0001", 50000, False),
        ("0.00010999", 47000, True),
    ):
        assert is_dust(D(tracked), LIMITS, price and D(price), KnownSizes()) is dust


def test_is_dust_in_tens() -> None:
    tens = Limits(min_amount=D(10))
    assert is_dust(D("9.99"), tens, None, KnownSizes())
    assert not is_dust(D(15), tens, None, KnownSizes())


def test_is_dust_never_by_what_an_entry_bought_under_a_maximum() -> None:
    """0.0172 was wanted, 0.01 was bought: 0.00999 is no dust."""
    for found in (
        known(("0.0172", SIZE), ("0.01", TAKEN)),
        known(("0.0172", SIZE), ("0.017", SIZE), ("0.01", TAKEN)),
    ):
        assert not is_dust(D("0.00999"), LIMITS, PRICE, found)
        assert amount("0.00999", found) == "0.00999"


def test_is_dust_by_a_learnt_step_only_once_the_whole_was_refused() -> None:
    learnt = (("0.01998", STEP), ("0.019", TAKEN), ("0.0009", STEP))
    assert not is_dust(D("0.00098"), Limits(), PRICE, known(*learnt))
    assert last_amount(D("0.00098"), Limits(), PRICE, known(*learnt)) == D("0.00098")
    assert is_dust(D("0.00098"), Limits(), PRICE, known(*learnt, ("0.00098", STEP)))


def test_is_dust_by_a_word_that_may_mean_a_maximum_only_once_half_was_refused() -> None:
    answers = (("0.01998", SIZE), ("0.01", TAKEN), ("0.00998", SIZE), ("0.0099", SIZE))
    found = known(*answers, ("0.009", SIZE))
    assert not is_dust(D("0.00998"), LIMITS, PRICE, found)
    assert last_amount(D("0.00998"), LIMITS, PRICE, found) == D("0.005")
    assert is_dust(D("0.00998"), LIMITS, PRICE, known(*answers, ("0.009", SIZE), ("0.005", SIZE)))


@pytest.mark.parametrize(
    ("tracked", "word", "dust"),
    [
        ("0.00019", SMALL, True),
        ("0.00019", WORTH, True),  # half of it would be below the published minimum
        ("0.00101", SMALL, False),  # worth ten times the minimum: that cannot be meant
        ("0.00101", WORTH, False),
        ("0.00019", LARGE, False),
        ("0.00019", SIZE, False),
    ],
)
def test_is_dust_by_a_refusal_of_the_whole(tracked: str, word: Refusal, dust: bool) -> None:
    found = known((tracked, word))
    assert is_dust(D(tracked), LIMITS, PRICE, found) is dust
    assert not is_dust(D(tracked) / 2 + D("0.00005"), LIMITS, PRICE, found), "not itself refused"


def test_known_of_a_refusal_for_the_worth_finds_a_maximum_of_worth() -> None:
    answers = [
        SizeAnswer("1", Side.SELL, D("0.01"), PRICE, WORTH, NOW),
        SizeAnswer("2", Side.SELL, D("0.005"), PRICE, None, NOW),
    ]
    for price, maximum in ((PRICE, "0.01"), (PRICE * 2, "0.005"), (PRICE / 2, "0.02")):
        assert known_of(answers, NOW, price).maximum == D(maximum)


def test_believed_part_of_a_balance_shrinks_with_each_refusal_for_it() -> None:
    balance = Refusal.BALANCE
    for refusals, part in enumerate(("1", "0.95", "0.9", "0.75", "0.5", "0.25", "0.25")):
        found = known(*[("0.01", balance)] * refusals)
        assert usable_funds(D(10), Side.SELL, found) == 10 * D(part)
        assert usable_funds(D(10), Side.BUY, found) == 10
    found = known(("0.01", balance), ("0.01", TAKEN))
    assert usable_funds(D(10), Side.SELL, found) == 10
