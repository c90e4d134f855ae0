"""A process that has the program imported, and forks for each start that a test asks for.

``python start_server.py DESCRIPTOR``, DESCRIPTOR being one end of a pair of sockets. The client's request
to end ends it; so does the end of the other socket, as of a test run that is killed, and all processes that
come from it end with it: a daemon that lived on would trade at the port of its dead sandbox, which by then
the sandbox of another run may have. ``support.starting`` is its client. A process that it forks runs the
same module as ``python -m MODULE`` does, to its end, with the environment, the directory, the arguments and
the standard streams that the client gives; nothing else of the server is open in it. It lacks the start of
an interpreter, the imports, and the daemon's rehearsal, whose traces it has in its memory from the server's
own: 0.7 seconds of CPU time for each daemon.
"""

from __future__ import annotations

import io
import json
import os
import runpy
import signal
import socket
import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

IMPORTED = (
    "execsvc.cli.run",
    "execsvc.cli.sandbox",
    "execsvc.cli.status",
    "execsvc.control_plane.server",
    "execsvc.control_plane.worker",
    "support.scripted_folder",
)
"""The modules that most starts need, also for the child that serves HTTP, without one that is run."""
LONGEST_MESSAGE = 1 << 17
"""Bytes of one message."""
STREAMS = 3


def serve(door: socket.socket) -> dict[str, Any]:
    """Answer the client until its end, which ends this process. Returns, in a child alone, its request."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(door, LONGEST_MESSAGE, STREAMS)
        if not message:
            kill_all()
            os._exit(0)
        request = json.loads(message)
        if "end" in request:
            os._exit(0)
        if "wait" in request:
            pid, status = os.waitpid(request["wait"], os.WNOHANG)
            answer = {"status": status if pid else None}
        else:
            answer = {"pid": os.fork()}
            if answer["pid"] == 0:
                for stream, descriptor in enumerate(descriptors):
                    os.dup2(descriptor, stream)
                os.closerange(STREAMS, max(door.fileno(), *descriptors) + 1)
                door.detach()
                return dict(request)
        for descriptor in descriptors:
            os.close(descriptor)
        door.send(json.dumps({**answer, "cpu": sum(os.times()[:4])}).encode())


def kill_all() -> None:
    """Kill each process that comes from this one, those of the daemons as well."""
    from support.processes import find

    this = find(os.getpid())
    for process in this.children(recursive=True) if this is not None else []:
        process.send(signal.SIGKILL)


def become(request: dict[str, Any]) -> None:
    """Be the process that the request asks for, to the end of its module."""
    renew_streams()
    if request["session"]:
        os.setsid()
    os.umask(request["umask"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environ"])
    named = request["environ"].get("PYTHONPATH", "")
    # As with -m: the directory of the start, then what the environment names.
    sys.path[:1] = [request["folder"], *filter(None, named.split(os.pathsep))]
    sys.argv[1:] = request["arguments"]
    runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


def renew_streams() -> None:
    """Make the standard streams anew: what a stream is made for, a file or a pipe, stays in it."""
    for name, descriptor, mode in (("stdin", 0, "rb"), ("stdout", 1, "wb"), ("stderr", 2, "wb")):
        old = getattr(sys, name)
        made = io.TextIOWrapper(
            os.fdopen(descriptor, mode, closefd=False),
            encoding=old.encoding,
            errors=old.errors,
            line_buffering=name == "stderr",
        )
        setattr(sys, name, made)
        setattr(sys, f"__{name}__", made)


def prepare() -> None:
    """Import what the program imports, with the memory that forked processes share kept shared."""
    for name in IMPORTED:
        import_module(name)
    import setproctitle

    from execsvc.cli import run
    from execsvc.supervisor.processes.shared_heap import share_heap

    # The place of a title is found by the environment, which a child changes first.
    setproctitle.setproctitle("starts-of-tests")
    entry_points()  # for what the look into each installed package keeps: a daemon looks again
    run.rehearse()
    run.rehearse = _rehearsed
    share_heap()


def _rehearsed() -> None:
    """Do nothing: the code that a daemon rehearses before it forks came to it rehearsed."""


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])
    prepare()
    become(serve(socket.socket(fileno=int(sys.argv[1]))))
