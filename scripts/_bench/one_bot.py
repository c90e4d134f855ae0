"""One bot as a program of its own, as supervisord or circus would run it: the same code, the same tick.

Usage: one_bot.py ROW, where ROW is the bot's row of BotService as JSON; settings come from the environment.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from execsvc import logs, settings
from execsvc.model.bot import parse_row
from execsvc.runner.job import Job, Task
from execsvc.runner.process import run


def main() -> int:
    """Runs until TERM; returns what the bot's process in the daemon would."""
    loaded = settings.load({}, None, os.environ)
    logs.setup(loaded.log_level, loaded.log_format)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    spec = parse_row(json.loads(sys.argv[1]))
    lifeline, _keeps_it_open = os.pipe()
    _nobody_reads, report = os.pipe2(os.O_NONBLOCK)
    job = Job(bot_id=spec.bot_id, task=Task.TRADE, spec=spec)
    return run(job, loaded, lifeline, report)


if __name__ == "__main__":
    os._exit(main())
