"""The alerts that were sent of conditions that are not over, kept across a start of the service.

A condition whose alert was delivered is not reported again, and its end is reported. A condition
whose alert was handed to the sending process, without a delivery on record, may have been delivered
just before the service died: it is reported again while it stands, and its end is reported as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from loguru import logger
from pydantic import BaseModel, TypeAdapter, ValidationError

from execsvc.alerts.messages import AlertMessage
from execsvc.alerts.tracker import Change
from execsvc.errors import LedgerFailed
from execsvc.model.condition import Kind
from execsvc.store.service_store import SentAlertsRecord


class SentAlert(BaseModel):
    """One condition in an alert that was sent. ``sure``: an address has taken the alert."""

    kind: Kind
    line: str
    sure: bool = True


_FORM = TypeAdapter(dict[str, SentAlert])


class SentAlerts:
    """The sent alerts, kept by the store. A lost or damaged one is only sent once more."""

    def __init__(self, kept: SentAlertsRecord) -> None:
        self._kept = kept
        self._alerts: dict[str, SentAlert] = {}
        try:
            content = kept.read()
            if content is not None:
                self._alerts = _FORM.validate_json(content)
        except (LedgerFailed, ValidationError):
            logger.bind(event="alerts_forgotten").warning(
                "{} cannot be read: alerts that were sent may be sent again", kept.place
            )

    @property
    def by_key(self) -> Mapping[str, SentAlert]:
        """The sent alerts by the key of their condition."""
        return self._alerts

    def of(self, kind: Kind) -> frozenset[str]:
        """The bots of which an alert of ``kind`` was delivered, or may have been."""
        return frozenset(
            key.partition(":")[2] for key, alert in self._alerts.items() if alert.kind is kind
        )

    def handed(self, message: AlertMessage) -> None:
        """Record that ``message`` is with the sending process, which may deliver it at any moment."""
        new = {
            key: SentAlert(kind=message.kind, line=line, sure=False)
            for key, line in message.lines.items()
            if message.change is not Change.OVER and key not in self._alerts
        }
        if new:
            self._alerts.update(new)
            self._write()

    def delivered(self, message: AlertMessage) -> None:
        """Record that the first address has taken ``message``."""
        for key, line in message.lines.items():
            if message.change is Change.OVER:
                self._alerts.pop(key, None)
            else:
                self._alerts[key] = SentAlert(kind=message.kind, line=line)
        self._write()

    def _write(self) -> None:
        """Replace the kept alerts; no other record depends on them."""
        try:
            self._kept.write(_FORM.dump_json(self._alerts))
        except (LedgerFailed, ValueError) as error:
            logger.bind(event="alerts_not_written").warning(
                "{} cannot be written: {}", self._kept.name, type(error.__cause__ or error).__name__
            )
