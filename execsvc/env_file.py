"""Reads a file in systemd's ``EnvironmentFile`` format.

Character by character as systemd's own parser does it: ``#`` and ``;`` begin a comment only at
the start of a line, single and double quotes, a backslash continues a line, nothing is expanded,
and an assignment to something that is no variable name is passed over.
"""

from __future__ import annotations

import re
from pathlib import Path

from execsvc.errors import ConfigRefused

_WHITESPACE = " \t\n\r"
_NEWLINE = "\n\r"
_UNESCAPED_IN_DOUBLE_QUOTES = '"\\`$'
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read(path: Path) -> dict[str, str]:
    """The variables that the file sets. Raises ConfigRefused when it cannot be read."""
    try:
        return parse(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ConfigRefused(f"env file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigRefused(f"env file {path}: is not UTF-8") from None


def parse(text: str) -> dict[str, str]:
    r"""The variables that ``text`` sets; the last assignment of a name stands.

    >>> parse('A=1 # no comment\n; comment\nB = "x y"\\\n z')
    {'A': '1 # no comment', 'B': 'x y z'}
    """
    parser = _Parser()
    for character in text:
        parser.feed(character)
    parser.finish()
    return parser.variables


class _Parser:
    """systemd's state machine: one method a state, each takes one character."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self._state = self._before_name
        self._name = ""
        self._value = ""
        self._kept = 0
        """Length up to which trailing white space of the value was escaped or quoted."""

    def feed(self, character: str) -> None:
        self._state(character)

    def finish(self) -> None:
        """End the file, which ends an assignment, also within quotes."""
        no_assignment = (
            self._before_name,
            self._in_name,
            self._in_comment,
            self._after_comment_backslash,
        )
        if self._state not in no_assignment:
            self._end_assignment(strip=self._state == self._in_value)

    def _before_name(self, character: str) -> None:
        if character in "#;":
            self._state = self._in_comment
        elif character not in _WHITESPACE:
            self._name, self._value, self._kept = character, "", 0
            self._state = self._in_name

    def _in_name(self, character: str) -> None:
        if character in _NEWLINE:
            self._state = self._before_name
        elif character == "=":
            self._state = self._before_value
        else:
            self._name += character

    def _before_value(self, character: str) -> None:
        """Before the value, or behind a closing quote."""
        if character in _NEWLINE:
            self._end_assignment(strip=False)
        elif character == "'":
            self._state = self._in_single_quotes
        elif character == '"':
            self._state = self._in_double_quotes
        elif character == "\\":
            self._kept = len(self._value)
            self._state = self._after_backslash
        elif character not in _WHITESPACE:
            self._kept = len(self._value)
            self._value += character
            self._state = self._in_value

    def _in_value(self, character: str) -> None:
        if character in _NEWLINE:
            self._end_assignment(strip=True)
        elif character == "\\":
            self._kept = len(self._value)
            self._state = self._after_backslash
        else:
            self._value += character

    def _after_backslash(self, character: str) -> None:
        if character not in _NEWLINE:
            self._value += character
            self._kept = len(self._value)
        self._state = self._in_value

    def _in_single_quotes(self, character: str) -> None:
        if character == "'":
            self._state = self._before_value
        else:
            self._value += character

    def _in_double_quotes(self, character: str) -> None:
        if character == '"':
            self._state = self._before_value
        elif character == "\\":
            self._state = self._after_backslash_in_double_quotes
        else:
            self._value += character

    def _after_backslash_in_double_quotes(self, character: str) -> None:
        if character in _UNESCAPED_IN_DOUBLE_QUOTES:
            self._value += character
        elif character != "\n":
            self._value += "\\" + character
        self._state = self._in_double_quotes

    def _in_comment(self, character: str) -> None:
        if character in _NEWLINE:
            self._state = self._before_name
        elif character == "\\":
            self._state = self._after_comment_backslash

    def _after_comment_backslash(self, character: str) -> None:
        # Since systemd 254 a backslash does not continue a comment.
        self._state = self._before_name if character in _NEWLINE else self._in_comment

    def _end_assignment(self, strip: bool) -> None:
        name = self._name.rstrip(_WHITESPACE)
        if strip:
            tail = self._value[self._kept :].rstrip(_WHITESPACE)
            self._value = self._value[: self._kept] + tail
        if _NAME.fullmatch(name):
            self.variables[name] = self._value
        self._state = self._before_name
