"""The error tree, cut by what the caller does about an error.

An error is raised, never returned: unknown is not zero, and unreachable is not empty.
"""

from __future__ import annotations


class ExecsvcError(Exception):
    """Root of every error that execsvc raises on purpose."""


class ConfigRefused(ExecsvcError):
    """A configuration that cannot be used: do not start."""

    def __init__(self, *faults: str) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class Unavailable(ExecsvcError):
    """A read that gave no usable answer: skip this pass, a read may be tried again.

    ``retry_after`` is the number of seconds the service asked us to stay away, if it did.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class Banned(Unavailable):
    """An exchange refuses every call: ``retry_after`` is the number of seconds until its ban ends."""


class CallRefused(Unavailable):
    """The service answered 400, 404, 405, 422 or 501: it may not know such a call."""


class NotFound(CallRefused):
    """The service answered 404; its caller knows whether that is about the object or about the
    path.
    """


class OrderRefused(ExecsvcError):
    """An order that was definitely not executed, or was never sent."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class GuardRefused(OrderRefused):
    """An entry beyond a limit of the settings: it was not sent; exits are not limited.

    ``guards`` names those that refused it, as ``/status`` does.
    """

    def __init__(self, message: str, guards: tuple[str, ...]) -> None:
        self.guards = guards
        super().__init__(message)


class OutcomeUnknown(ExecsvcError):
    """An order that may or may not have executed: settle it, never send it again.

    ``filled_at_least`` is a lower bound in base units, when the answer stated one.
    """

    def __init__(
        self, message: str, filled_at_least: str = "0", retry_after: float | None = None
    ) -> None:
        self.filled_at_least = filled_at_least
        self.retry_after = retry_after
        super().__init__(message)

    def reworded(self, message: str) -> OutcomeUnknown:
        """The same error, with another message."""
        return type(self)(message, self.filled_at_least, self.retry_after)


class OutcomeContradicted(OutcomeUnknown):
    """A final answer to an order that cannot be true in all its parts: the balance decides."""


class LedgerFailed(ExecsvcError):
    """The ledger or journal cannot be read or written: without a record, do not trade."""


class LedgerUnavailable(LedgerFailed):
    """The ledger or journal cannot be read or written at present, but its file is sound: try again.

    Another program holds the database's lock, a disk is full or read-only, or the machine has no
    descriptor or memory to give.
    """


class WriteUnknown(LedgerUnavailable):
    """A write to a database whose answer was lost: it may be recorded, now or later.

    Its records are not to be used before the database has been asked.
    """


class ClaimLost(LedgerFailed):
    """Another service has claimed the account since this process began: nothing was recorded.

    The records have another owner by now, whose own writes they are to show.
    """


class LedgerBusy(LedgerFailed):
    """Another process holds the ledger; ``pid`` is its process id when it is known."""

    def __init__(self, message: str, pid: int | None) -> None:
        self.pid = pid
        super().__init__(message)


class StopRequested(BaseException):
    """A wait or a read was cut short because this process is to stop.

    Derived from BaseException so that a strategy's ``except Exception`` does not swallow it.
    """
