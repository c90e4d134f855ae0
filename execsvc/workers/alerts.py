"""The worker that sends alerts, so that the supervisor never waits for an alert service.

It takes one job a line, tries each address with back-off, and writes one JSON line for each address
that has taken a message (:class:`Delivered`). It keeps nothing: messages that were not delivered when
it dies are handed to its successor.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from loguru import logger

from execsvc.alerts.apprise_target import Target
from execsvc.alerts.messages import Delivered, DeliveryJob
from execsvc.clock import monotonic
from execsvc.exit_codes import FAULT
from execsvc.repeats import Repeats
from execsvc.settings import Settings, alert_urls
from execsvc.workers.channel import Channel, Pipes
from execsvc.workers.main_loop import run_worker

FIRST_PAUSE = 2.0
"""Seconds after a failure until the same address is tried again; doubles."""
LONGEST_PAUSE = 300.0


def run_alerts(settings: Settings, pipes: Pipes) -> int:
    """Run the worker until the supervisor is gone. Returns the exit code."""
    try:
        return run_worker(settings, "alerts", pipes, lambda channel: AlertWorker(settings, channel))
    except Exception as error:  # noqa: BLE001 (its text and its frames may hold an address)
        logger.bind(event="alert_failed").error(
            "the alerts process failed: {}", type(error).__name__
        )
        return FAULT


@dataclass
class _Address:
    """An address, and its waiting messages, oldest first."""

    target: Target
    jobs: list[DeliveryJob] = field(default_factory=list)
    not_before: float = 0.0
    failures: int = 0


class AlertWorker:
    """Sends the messages of the jobs, one after the other."""

    def __init__(self, settings: Settings, channel: Channel) -> None:
        assert settings.alert_urls is not None
        urls = alert_urls(settings.alert_urls.get_secret_value())
        targets = [Target(number, url) for number, url in enumerate(urls, 1)]
        self._addresses = {target.number: _Address(target) for target in targets}
        self._channel = channel
        self._repeats = Repeats()
        for target in targets:
            if not target.understood:
                logger.bind(event="alert_failed").error(
                    "alert URL {}: apprise does not know such a URL", target.name
                )

    def step(self) -> float | None:
        """Take the jobs, make one attempt if one is due; returns the time of the next, None at the end."""
        for line in self._channel.requests():
            self._take(DeliveryJob.model_validate_json(line))
        if self._channel.finishing:
            return None
        self._attempt()
        return self._next_attempt()

    def _take(self, job: DeliveryJob) -> None:
        """Take a job of the supervisor; one to be done now goes before all others, known or not."""
        for number in job.targets:
            address = self._addresses[number]
            known = [waiting for waiting in address.jobs if waiting.number == job.number]
            if job.now:
                address.jobs = [job, *(e for e in address.jobs if e not in known)]
                address.not_before, address.failures = 0.0, 0
            elif not known:
                address.jobs.append(job)

    def _next_attempt(self) -> float:
        """The moment at which something can be sent; infinity when nothing waits."""
        waiting = [a.not_before for a in self._addresses.values() if a.jobs]
        return min(waiting, default=float("inf"))

    def _attempt(self) -> None:
        """Send one message to the address that has waited longest for its turn."""
        now = monotonic()
        ready = [a for a in self._addresses.items() if a[1].jobs and a[1].not_before <= now]
        if not ready:
            return
        number, address = min(ready, key=lambda item: item[1].not_before)
        job = address.jobs[0]
        why = address.target.send(job.title, job.text, job.tone.value)
        if why is not None:
            self._failed(address, job, why)
            return
        address.jobs.pop(0)
        address.failures, address.not_before = 0, monotonic()
        logger.bind(event="alert_sent", target=address.target.name).info("sent: {}", job.title)
        delivered = Delivered(number=job.number, target=number)
        # The supervisor drains this pipe whenever it turns; a full one means that it does not.
        self._channel.send(delivered.model_dump_json().encode() + b"\n")

    def _failed(self, address: _Address, job: DeliveryJob, why: str) -> None:
        pause = min(FIRST_PAUSE * 2.0**address.failures, LONGEST_PAUSE)
        address.failures = min(address.failures + 1, 16)
        address.not_before = monotonic() + pause
        count = self._repeats.note(address.target.name, monotonic())
        if count is not None:
            logger.bind(event="alert_failed", target=address.target.name).warning(
                "could not be sent, tried again in {:.0f} s: {}: {}", pause, why, job.title
            )
