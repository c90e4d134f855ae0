"""The mark of a state directory whose records were taken over into PostgreSQL: its files are old since.

Two services, one by the files and one by PostgreSQL, would both trade the same accounts.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import NamedTuple

from execsvc.errors import ConfigRefused, LedgerFailed
from execsvc.store.sqlite import faults, whole_file
from execsvc.store.sqlite.paths import COPIES, journals, ledgers

FILE = "taken-over"
_DONE = "done"


class ImportMark(NamedTuple):
    """The mark."""

    import_id: str
    """The id of the import."""
    is_done: bool
    """True once the import is known to have succeeded."""


def read(state_dir: Path) -> ImportMark | None:
    """The mark; None when there is none. Raises LedgerFailed."""
    try:
        import_id, _, state = (state_dir / FILE).read_text(errors="replace").partition(" ")
        return ImportMark(import_id.strip(), state.strip() == _DONE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise faults.failed(f"{FILE} cannot be read", error) from error


def begin(state_dir: Path) -> ImportMark:
    """ImportMark the directory, unless it is marked. Returns its mark. Raises LedgerFailed."""
    found = read(state_dir)
    if found is not None:
        return found
    made = ImportMark(uuid.uuid4().hex, is_done=False)
    whole_file.replace(state_dir / FILE, f"{made.import_id}\n".encode())
    return made


def finish(state_dir: Path, import_id: str) -> None:
    """Note that the import has succeeded. Raises LedgerFailed."""
    whole_file.replace(state_dir / FILE, f"{import_id} {_DONE}\n".encode())


def unmark(state_dir: Path) -> None:
    """Remove the mark, as nothing was taken. Raises LedgerFailed."""
    whole_file.remove(state_dir / FILE)


def refuse_old_files(state_dir: Path) -> None:
    """Raise ConfigRefused when the files of the directory are not the records, or not any more."""
    if (state_dir / COPIES).is_dir():
        raise ConfigRefused(
            f"{state_dir} is of a host that shares its records in PostgreSQL: set EXECSVC_STORE_URL"
            f" (only once no other host can trade these accounts: remove {state_dir / COPIES})"
        )
    try:
        if read(state_dir) is None:
            return
    except LedgerFailed as error:
        raise ConfigRefused(f"{state_dir}: {error}") from error
    raise ConfigRefused(
        f"{state_dir} was taken over into PostgreSQL by execsvc store import: set EXECSVC_STORE_URL"
        f" (only if that import did not succeed: remove {state_dir / FILE})"
    )


def refuse_files_not_taken(state_dir: Path) -> None:
    """Raise ConfigRefused when the directory has records that PostgreSQL was never given."""
    if (ledgers(state_dir) or journals(state_dir)) and not (state_dir / FILE).exists():
        raise ConfigRefused(
            f"{state_dir} has records of a service that ran on this host alone:"
            f" execsvc store import {state_dir}"
        )
