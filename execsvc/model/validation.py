"""The faults that pydantic finds in a value, in words for a log line."""

from __future__ import annotations

from pydantic import ValidationError


def first_fault(error: ValidationError) -> tuple[str, str]:
    """The member at fault, dotted (empty for the value as a whole), and the reason.

    The value itself is left out: a service may have put a token into it.
    """
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    member = ".".join(str(part) for part in fault["loc"])
    return member, fault["msg"].removeprefix("Value error, ")
