"""The order of the tests: were the longest begun last, all workers would wait for it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

FOLDERS = ("vm/test_install.py", "tests/vm/")
"""Each a machine that is booted once for those that one worker runs."""


def spread(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """The same in another order: each worker begins with something long.

    A worker gets an equal part of the list, from the front on, and takes over what others have
    left when it is done.
    """
    groups: list[list[pytest.Item]] = [[] for _ in range(max(workers, len(FOLDERS)))]
    rest: list[pytest.Item] = []
    long = 0
    for item in items:
        folder = next((n for n, name in enumerate(FOLDERS) if name in str(item.path)), None)
        if folder is not None:
            groups[folder].append(item)
        elif item.get_closest_marker("long"):
            groups[-1 - long % max(workers - len(FOLDERS), 1)].append(item)
            long += 1
        else:
            rest.append(item)
    ordered: list[pytest.Item] = []
    for number, group in enumerate(groups):
        end = len(items) * (number + 1) // len(groups)
        room = max(end - len(ordered) - len(group), 0)
        ordered += [*group, *rest[:room]]
        rest = rest[room:]
    return ordered + rest
