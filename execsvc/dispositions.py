"""The signals that this process ignores because its parent had decided so."""

from __future__ import annotations

import signal


def not_ignored(*signums: signal.Signals) -> set[signal.Signals]:
    """The signals of ``signums`` that were not ignored when this process started.

    A shell starts a command in the background of a script with INT ignored, and nohup with HUP: a Ctrl-C
    is then meant for another process, and the end of the terminal for none. A signal that was ignored
    stays ignored. A set of signals to block and to wait for has to leave it out: while a signal is
    blocked, the kernel keeps it pending even where it is ignored.
    """
    return {signum for signum in signums if signal.getsignal(signum) is not signal.SIG_IGN}
