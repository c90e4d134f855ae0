"""The process that sends alerts, so that the supervisor never waits for an alert service.

It reads one job a line, tries each address with back-off, and writes one JSON line for each address
that has taken a message, and ``{}`` in between as a heartbeat. It keeps nothing: messages that were
not delivered when it dies are handed to its successor.
"""

from __future__ import annotations

import json
import os
import select
import signal
from dataclasses import dataclass, field

import setproctitle
from loguru import logger

from execsvc import logs
from execsvc.alerts.carrier import Target
from execsvc.alerts.messages import LARGEST_JOB, DeliveryJob
from execsvc.clock import monotonic
from execsvc.repeats import Repeats
from execsvc.settings import Settings, alert_urls
from execsvc.workers.lines import Lines

BEAT = 5.0
FIRST_PAUSE = 2.0
"""Seconds after a failure until the same address is tried again; doubles."""
LONGEST_PAUSE = 300.0


def send_for_ever(settings: Settings, lifeline: int, jobs: int, answers: int) -> int:
    """Run the alerts child; returns when the lifeline ends."""
    setproctitle.setproctitle("execsvc: alerts")
    logs.setup(settings.log_level, settings.log_format)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    assert settings.alert_urls is not None
    urls = alert_urls(settings.alert_urls.get_secret_value())
    sender = _Sender([Target(n, url) for n, url in enumerate(urls, 1)], answers)
    try:
        _work(sender, lifeline, jobs)
    except BrokenPipeError:
        return 0  # the supervisor is gone
    except Exception as error:  # noqa: BLE001 (its text and its frames may hold an address)
        logger.bind(event="alert_failed").error(
            "the alerts process failed: {}", type(error).__name__
        )
        return 1
    return 0


def _work(sender: _Sender, lifeline: int, jobs: int) -> None:
    os.set_blocking(jobs, False)
    lines = Lines(jobs, LARGEST_JOB)
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(jobs, select.POLLIN)
    while True:
        sender.beat()
        wait = min(max(sender.next_attempt() - monotonic(), 0.0), BEAT)
        ready = {descriptor for descriptor, _ in poll.poll(wait * 1000)}
        if lifeline in ready:
            return
        for line in lines.read():
            sender.take(DeliveryJob.model_validate_json(line))
        if lines.ended:
            return
        sender.attempt()


@dataclass
class _Address:
    """An address, and its waiting messages, oldest first."""

    target: Target
    jobs: list[DeliveryJob] = field(default_factory=list)
    not_before: float = 0.0
    failures: int = 0


class _Sender:
    def __init__(self, targets: list[Target], answers: int) -> None:
        self._addresses = {n: _Address(target) for n, target in enumerate(targets, 1)}
        self._answers = answers
        self._repeats = Repeats()
        self._spoke_at = float("-inf")
        for target in targets:
            if not target.understood:
                logger.bind(event="alert_failed").error(
                    "alert URL {}: apprise does not know such a URL", target.name
                )

    def take(self, job: DeliveryJob) -> None:
        """Take a job of the supervisor; one to be done now goes before all others, known or not."""
        for number in job.targets:
            address = self._addresses[number]
            known = [waiting for waiting in address.jobs if waiting.number == job.number]
            if job.now:
                address.jobs = [job, *(e for e in address.jobs if e not in known)]
                address.not_before, address.failures = 0.0, 0
            elif not known:
                address.jobs.append(job)

    def next_attempt(self) -> float:
        """The moment at which something can be sent; infinity when nothing waits."""
        waiting = [a.not_before for a in self._addresses.values() if a.jobs]
        return min(waiting, default=float("inf"))

    def attempt(self) -> None:
        """Send one message to the address that has waited longest for its turn."""
        now = monotonic()
        ready = [a for a in self._addresses.items() if a[1].jobs and a[1].not_before <= now]
        if not ready:
            return
        number, address = min(ready, key=lambda item: item[1].not_before)
        job = address.jobs[0]
        why = address.target.bring(job.title, job.text, job.tone.value)
        if why is not None:
            self._failed(address, job, why)
            return
        address.jobs.pop(0)
        address.failures, address.not_before = 0, monotonic()
        logger.bind(event="alert_sent", target=address.target.name).info("sent: {}", job.title)
        self._say({"sent": job.number, "target": number})

    def beat(self) -> None:
        """Write a heartbeat."""
        if monotonic() - self._spoke_at >= BEAT:
            self._say({})

    def _failed(self, address: _Address, job: DeliveryJob, why: str) -> None:
        pause = min(FIRST_PAUSE * 2.0**address.failures, LONGEST_PAUSE)
        address.failures = min(address.failures + 1, 16)
        address.not_before = monotonic() + pause
        count = self._repeats.note(address.target.name, monotonic())
        if count is not None:
            logger.bind(event="alert_failed", target=address.target.name).warning(
                "could not be sent, tried again in {:.0f} s: {}: {}", pause, why, job.title
            )

    def _say(self, message: dict[str, int]) -> None:
        # The supervisor drains this pipe whenever it turns; a full one means that it does not.
        os.write(self._answers, json.dumps(message).encode() + b"\n")
        self._spoke_at = monotonic()
