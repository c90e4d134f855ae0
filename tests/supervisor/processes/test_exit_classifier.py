"""The meaning of the end of a trading process."""

from __future__ import annotations

import pytest

from execsvc.runner.report import End, EndKind, Snapshot
from execsvc.supervisor.processes.exit_classifier import (
    Ending,
    Meaning,
    classify,
    described,
    one_of_many,
)


def ended(kind: EndKind, signal: str | None = None, detail: str = "") -> Snapshot:
    return Snapshot(end=End(kind=kind, signal=signal, detail=detail))


def judge(
    snapshot: Snapshot, code: int = 0, asked: bool = False, killed: str | None = None
) -> Ending:
    return classify(snapshot, code, asked=asked, killed_for=killed)


@pytest.mark.parametrize("kind", EndKind)
def test_whatever_it_says_it_was_told(kind: EndKind) -> None:
    assert judge(ended(kind), asked=True).meaning is Meaning.ASKED


@pytest.mark.parametrize("signal", ["TERM", "INT"])
@pytest.mark.parametrize("kind", [EndKind.STOPPED, EndKind.RESIDUE])
def test_a_signal_that_was_not_ours_is_an_operators(kind: EndKind, signal: str) -> None:
    ending = judge(ended(kind, signal))
    assert ending.meaning is Meaning.OPERATOR
    assert not ending.keeps
    assert ending.detail == f"ended on {signal}"


def test_usr2_keeps_the_position() -> None:
    ending = judge(ended(EndKind.HELD, "USR2"))
    assert ending.meaning is Meaning.OPERATOR
    assert ending.keeps


def test_the_lifeline_cannot_have_ended_while_we_live() -> None:
    assert judge(ended(EndKind.STOPPED, "LIFELINE")).meaning is Meaning.CRASHED


@pytest.mark.parametrize("kind", [EndKind.STOPPED, EndKind.RESIDUE, EndKind.CHECKED])
def test_an_end_nobody_asked_for_is_a_crash(kind: EndKind) -> None:
    assert judge(ended(kind)).meaning is Meaning.CRASHED


def test_exit_code_zero_without_a_word_is_a_crash() -> None:
    ending = judge(Snapshot(phase="RUNNING"), 0)
    assert ending == (Meaning.CRASHED, "ended unexpectedly, exit code 0", False)


def test_failed_and_refused_carry_their_reason() -> None:
    assert judge(ended(EndKind.FAILED, detail="disk"), 70)[:2] == (Meaning.FAILED, "disk")
    assert judge(ended(EndKind.REFUSED, detail="ratio"), 78)[:2] == (Meaning.REFUSED, "ratio")


def test_a_strategy_that_gave_up_while_signalled_has_failed() -> None:
    assert judge(ended(EndKind.FAILED, "TERM", "gave up")).meaning is Meaning.FAILED


def test_a_crash_in_the_middle_of_an_operators_stop_is_still_the_operators_stop() -> None:
    snapshot = Snapshot(phase="STOPPING", stopping_on="TERM")
    assert judge(snapshot, -9, killed="on_stop took too long").meaning is Meaning.OPERATOR


def test_a_kill_of_ours_is_a_crash_with_its_reason() -> None:
    ending = judge(Snapshot(phase="RUNNING"), -9, killed="no heartbeat for 60 s")
    assert ending[:2] == (Meaning.CRASHED, "no heartbeat for 60 s")


def test_codes_in_words() -> None:
    assert described(1) == "ended unexpectedly, exit code 1"
    assert described(-9) == "killed by SIGKILL"
    assert described(-64) == "killed by SIGRTMAX"
    assert described(-99) == "killed by signal 99"


@pytest.mark.parametrize(
    ("moments", "runners", "many"),
    [
        ([10.0], 1, False),  # one of one is an operator's word
        ([10.0, 10.5], 2, True),
        ([10.0, 10.5], 3, True),
        ([10.0, 10.5], 4, False),  # exactly half
        ([10.0, 12.0], 2, True),
        ([10.0, 12.1], 2, False),
        ([10.0, 8.0, 12.0], 5, True),
        ([10.0] * 4, 100, False),
        ([10.0] * 5, 100, True),
        ([10.0, 1.0, 20.0, 30.0, 40.0, 50.0], 6, False),
    ],
)
def test_many(moments: list[float], runners: int, many: bool) -> None:
    assert one_of_many(10.0, moments, runners) is many
