"""Rows that wait while nothing is done for them are logged, once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from loguru import logger
from support.bot_process import bot_row
from support.exchange import Exchange
from support.settings import settings

from execsvc.clients.bot_service import BotService
from execsvc.clients.http import HttpClient
from execsvc.clock import SimulatedClock, installed
from execsvc.sandbox.server import Sandbox
from execsvc.workers.channel import Channel, Pipes
from execsvc.workers.listing import ListingWorker
from execsvc.workers.unserved_rows import INTERVAL, UnservedRows


@pytest.fixture
def heard() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}", level="WARNING")
    yield lines
    logger.remove(sink)


@pytest.fixture
def unserved(sandbox: Sandbox) -> UnservedRows:
    return UnservedRows(BotService(HttpClient(sandbox.url, None, 5.0), 200, optional=5.0), 0.0)


def row(bot_id: str, status: str) -> dict[str, object]:
    return {**bot_row(bot_id), "status": status}


@pytest.mark.says("rows_wait_in_vain")
def test_rows_that_wait_at_two_looks_are_said_once(
    unserved: UnservedRows, bots: Exchange, heard: list[str]
) -> None:
    bots.list_bots(row("b1", "BOOTING"), row("b2", "BOOTING"), row("b3", "STOPPING"), bot_row("b4"))
    unserved.check(INTERVAL)
    unserved.check(INTERVAL + 1)
    assert heard == [], "they may wait for another program"
    for looks in (2, 3, 4):
        unserved.check(looks * INTERVAL)
    (line,) = heard
    assert "2 BOOTING and 1 STOPPING that wait in vain: EXECSVC_BOT_LIFECYCLE is false" in line


def test_rows_that_do_not_wait_long_are_not_told_of(
    unserved: UnservedRows, bots: Exchange, heard: list[str]
) -> None:
    for looks, status in enumerate(("BOOTING", "RUNNING", "STOPPING", "STOPPED", "BOOTING"), 1):
        bots.list_bots(row("b1", status))
        unserved.check(looks * INTERVAL)
    assert heard == []


def test_queries_that_fail_say_nothing(
    unserved: UnservedRows, bots: Exchange, heard: list[str]
) -> None:
    bots.list_bots(row("b1", "BOOTING"))
    bots.fault(call="bots", times=None, kind="status", status=500)
    for looks in (1, 2, 3):
        unserved.check(looks * INTERVAL)
    assert heard == []


@pytest.mark.parametrize(("switch", "lines"), [("false", 1), ("auto", 0)])
def test_listing_process_looks_when_the_lifecycle_is_switched_off(
    sandbox: Sandbox, bots: Exchange, heard: list[str], switch: str, lines: int
) -> None:
    bots.list_bots(row("b1", "BOOTING"))
    clock = SimulatedClock(datetime(2026, 1, 1, tzinfo=timezone.utc), 100.0)
    lifeline, requests, answers = os.pipe(), os.pipe(), os.pipe()
    with installed(clock):
        chosen = settings(bot_service_url=sandbox.url, bot_lifecycle=switch)
        channel = Channel(Pipes(lifeline[0], requests[0], answers[1]))
        worker = ListingWorker(chosen, channel)
        for _ in range(5):
            worker.step()
            clock.advance(INTERVAL)
    for descriptor in (*lifeline, *requests, *answers):
        os.close(descriptor)
    assert len(heard) == lines
