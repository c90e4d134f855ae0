"""The control socket in the file system: made, checked from time to time, and made again."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

from execsvc.settings import SOCKET_NAME, runtime_directory
from execsvc.supervisor.control.single_instance import BACKLOG, Taken


class ControlListener:
    """A listening unix socket, mode 0600, at ``control.sock`` of the runtime directory.

    Clients find the socket by its path alone, and the path can be removed: by a clean-up of ``/tmp``,
    or by the end of a login session, which empties ``$XDG_RUNTIME_DIR``.
    """

    def __init__(self, runtime_dir: Path) -> None:
        self._runtime_dir = runtime_dir
        self._path = runtime_dir / SOCKET_NAME
        self.socket = self._listening()
        self._inode = self._found()

    def is_reachable(self) -> bool:
        """True while the path leads to this very socket."""
        return self._inode is not None and self._found() == self._inode

    def renew(self) -> None:
        """Make the socket again, in the directory as it is now; the old one stays open until then.

        Raises Taken while another supervisor listens at the path, ConfigRefused when the directory
        is not of this user alone, OSError when it cannot be written to.
        """
        runtime_directory(self._runtime_dir)
        fresh = self._listening()
        self.socket.close()
        self.socket, self._inode = fresh, self._found()

    def remove(self) -> None:
        """Remove the path, if it leads to this socket: new connections fail from now on."""
        if self.is_reachable():
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _listening(self) -> socket.socket:
        if _answers(self._path):
            raise Taken(f"{self._path} belongs to another supervisor that is alive")
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            listener.bind(str(self._path))
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(mask)
        listener.setblocking(False)
        return listener

    def _found(self) -> tuple[int, int] | None:
        """Device and inode of the socket at the path; None when there is none.

        No other file has them while this socket is open, which keeps the inode.
        """
        try:
            seen = self._path.lstat()
        except OSError:
            return None
        return (seen.st_dev, seen.st_ino) if stat.S_ISSOCK(seen.st_mode) else None


def _answers(path: Path) -> bool:
    """True when a process listens there, even if it does not accept connections."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(str(path))
        except BlockingIOError:
            return True  # its queue is full, so a process listens
        except OSError:
            return False
    return True
