"""The machine on which a state directory was last used: a copy on another one may be old."""

from __future__ import annotations

from pathlib import Path

from execsvc.store.sqlite import faults, whole_file

FILE = "machine"
_MACHINE_ID = Path("/etc/machine-id")


def this_machine() -> str | None:
    """The id of this machine (machine-id(5)); None where it has none, as in many containers."""
    try:
        text = _MACHINE_ID.read_text(errors="replace").strip()
    except OSError:
        return None
    return text if len(text) == 32 and text.isalnum() else None


def recorded(state_dir: Path) -> str | None:
    """The machine that ``state_dir`` was last used on; None before the first. Raises LedgerFailed."""
    path = state_dir / FILE
    try:
        return path.read_text(errors="replace").strip() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise faults.failed(f"{path.name} cannot be read", error) from error


def record(state_dir: Path, machine: str) -> None:
    """Let ``state_dir`` be of ``machine`` from now on. Raises LedgerFailed."""
    whole_file.replace(state_dir / FILE, f"{machine}\n".encode())


def is_of_another(state_dir: Path) -> bool:
    """True when ``state_dir`` was last used on another machine. Raises LedgerFailed."""
    before, here = recorded(state_dir), this_machine()
    return before is not None and here is not None and before != here
