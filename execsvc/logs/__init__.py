"""The log: loguru to stderr or to journald, set up once in each process, one record an entry.

On a terminal it is coloured text. Elsewhere a record is one line, or one entry of the journal, no
matter what its message and traceback hold: no text from outside can forge a second one.
"""

from execsvc.logs.install import bound, name_bot, setup
from execsvc.logs.render import plain_value

__all__ = ["bound", "name_bot", "plain_value", "setup"]
