"""A supervisor whose bots follow a script: ``python -m support.scripted FOLDER``.

Each bot does what ``FOLDER/scripts/<bot>.json`` says, read when one of its processes starts, and
keeps its position in ``FOLDER/ledgers/<bot>.json``. Every process adds a line to ``FOLDER/history``.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import setproctitle
from support.environment import scrubbed
from support.scripted_folder import Folder

from execsvc import logs
from execsvc.cli.run import _run, _serve
from execsvc.runner.job import Job, Task
from execsvc.runner.report import EXIT_CODES, End, EndKind, Snapshot, encode, send, send_last, shown
from execsvc.settings import Settings, load
from execsvc.supervisor.supervisor import Supervisor

BEAT = 0.05
_NAMES = {signal.SIGTERM: "TERM", signal.SIGINT: "INT", signal.SIGUSR2: "USR2"}


class Actor:
    """One process of a bot."""

    def __init__(self, folder: Folder, job: Job, lifeline: int, report: int) -> None:
        self.folder, self.job, self.report = folder, job, report
        self.script = folder.script(job.bot_id)
        self.snapshot = Snapshot()
        self.wakeup, write = os.pipe2(os.O_NONBLOCK)
        signal.set_wakeup_fd(write)
        for signum in _NAMES:
            signal.signal(signum, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        self.poll = select.poll()
        self.poll.register(lifeline, select.POLLIN)
        self.poll.register(self.wakeup, select.POLLIN)
        self.lifeline = lifeline

    def say(self, **changes: Any) -> None:
        state = self.folder.read(self.job.bot_id)
        position = shown(state.position) if state else self.snapshot.position
        self.snapshot = self.snapshot.model_copy(update={"position": position, **changes})
        send(self.report, self.snapshot)

    def wait(self, seconds: float) -> str | None:
        """The signal that came, if one did."""
        for descriptor, _ in self.poll.poll(seconds * 1000):
            if descriptor == self.lifeline:
                self.folder.note(self.job.bot_id, "ORPHAN")
                os._exit(0)
            return _NAMES[signal.Signals(os.read(self.wakeup, 1)[0])]
        return None

    def end(self, kind: EndKind, signal_name: str | None = None, detail: str = "") -> int:
        end = End(kind=kind, signal=signal_name, detail=detail)
        self.folder.note(self.job.bot_id, self.job.task.value, kind.value)
        send_last(self.report, self.snapshot.model_copy(update={"end": end}))
        return EXIT_CODES[kind]

    def trade(self) -> int:
        getattr(self, "act_" + self.script.get("act", "run"))()
        if self.script.get("opens"):
            assert self.job.spec is not None
            self.folder.keep(self.job.bot_id, is_open=True, binding=self.job.spec.binding)
        self.say(phase="RUNNING")
        while (came := self.wait(BEAT)) is None or self.script.get("deaf"):
            if not self.script.get("silent"):
                self.say(ticks=self.snapshot.ticks + 1)
        if came == "USR2":
            self.say(stopping_on=came)
            return self.end(EndKind.HELD, came)
        return self.stop(came)

    def stop(self, came: str) -> int:
        self.say(phase="STOPPING", stopping_on=came, on_stop=bool(self.script.get("in_on_stop")))
        for _ in range(int(self.script.get("stop_beats", 0))):
            self.wait(BEAT)
            waited = self.snapshot.turn_wait + (BEAT if self.script.get("waits_turn") else 0)
            self.say(turn_wait=waited)
        if self.script.get("residue"):
            self.say(liquidation_failed=True)
            return self.end(EndKind.RESIDUE, came, "position is open")
        self.flat()
        return self.end(EndKind.STOPPED, came)

    def liquidate(self) -> int:
        self.say(phase="STOPPING")
        for _ in range(int(self.script.get("liquidation_beats", 0))):
            if self.wait(BEAT) == "USR2":
                return self.end(EndKind.HELD, "USR2")
            self.say()
        if self.script.get("liquidation") == "fails":
            return self.end(EndKind.RESIDUE, None, "the market is closed")
        self.flat()
        return self.end(EndKind.STOPPED)

    def check(self) -> int:
        how = self.script.get("check", "fine")
        if how == "hangs":
            self.wait(3600)
        if how == "crashes":
            return 1
        if how == "refuses":
            return self.end(EndKind.REFUSED, None, "bad parameters")
        return self.end(EndKind.CHECKED)

    def flat(self) -> None:
        state = self.folder.read(self.job.bot_id)
        if state is not None:
            self.folder.keep(self.job.bot_id, is_open=False, binding=state.binding)

    def act_run(self) -> None:
        """Nothing before it runs."""

    def act_crash(self) -> None:
        os._exit(3)

    def act_run_then_crash(self) -> None:
        self.say(phase="RUNNING")
        os._exit(0)

    def act_open_then_crash(self) -> None:
        assert self.job.spec is not None
        self.folder.keep(self.job.bot_id, is_open=True, binding=self.job.spec.binding)
        os._exit(3)

    def act_refuse(self) -> None:
        os._exit(self.end(EndKind.REFUSED, None, "unknown strategy"))

    def act_fail(self) -> None:
        self.say(phase="RUNNING", consecutive_errors=10)
        os._exit(self.end(EndKind.FAILED, None, "raised ten times in a row"))

    def act_have_no_ledger(self) -> None:
        os._exit(self.end(EndKind.UNAVAILABLE, None, "database is locked"))

    def act_open_then_have_no_ledger(self) -> None:
        assert self.job.spec is not None
        self.folder.keep(self.job.bot_id, is_open=True, binding=self.job.spec.binding)
        self.act_have_no_ledger()

    def act_end_unasked(self) -> None:
        os._exit(self.end(EndKind.STOPPED))

    def act_half_line(self) -> None:
        os.write(self.report, encode(self.snapshot)[:20])
        os._exit(3)

    def act_die_before_a_word(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def act_boot_for_ever(self) -> None:
        while self.wait(BEAT) is None:
            self.say(last_error="waiting for pid 1")

    def act_litter(self) -> None:
        """Leave a process in this session, and one in a session of its own."""
        for new_session in (False, True):
            child = subprocess.Popen(
                ["sleep", "3600"], env=scrubbed(), start_new_session=new_session
            )
            self.folder.note(self.job.bot_id, "LITTER", child.pid)
        os._exit(3)

    def act_list_descriptors(self) -> None:
        # The listing of the descriptors has one itself, which is closed when it is read.
        names = [name for name in Path("/proc/self/fd").iterdir() if os.path.lexists(name)]
        links = [str(name.readlink()) for name in names]
        self.folder.note(self.job.bot_id, "DESCRIPTORS", json.dumps(sorted(links)))
        blocked = sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        self.folder.note(self.job.bot_id, "SESSION", os.getsid(0) == os.getpid(), blocked)


def work(folder: Folder, job: Job, lifeline: int, report: int) -> int:
    """A process of a bot, as the supervisor calls it."""
    setproctitle.setproctitle(f"scripted {job.bot_id} {job.task.value}")
    folder.note(job.bot_id, job.task.value)
    actor = Actor(folder, job, lifeline, report)
    if job.task is Task.TRADE:
        return actor.trade()
    return actor.liquidate() if job.task is Task.LIQUIDATE else actor.check()


def main() -> None:
    """Run the supervisor until it is told to stop."""
    folder = Folder(Path(sys.argv[1]))
    settings = load({}, None, os.environ)
    logs.setup(settings.log_level, settings.log_format)

    def run(job: Job, _: Settings, lifeline: int, report: int) -> int:
        return work(folder, job, lifeline, report)

    def reload() -> Settings:
        changes = folder.path / "reload.json"
        overrides = json.loads(changes.read_text()) if changes.exists() else {}
        return load(overrides, None, os.environ)

    _run(Supervisor(settings, run, _serve, folder, reload))


if __name__ == "__main__":
    main()
