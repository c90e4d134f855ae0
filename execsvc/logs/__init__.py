"""The log: loguru to stderr or to journald, set up once in each process, one record an entry.

On a terminal it is coloured text. Elsewhere a record is one line, or one entry of the journal,
whatever its message and traceback hold: nothing that came from outside can forge a second one.
"""

from execsvc.logs.install import bound, name_bot, setup
from execsvc.logs.render import plain_value

__all__ = ["bound", "name_bot", "plain_value", "setup"]
