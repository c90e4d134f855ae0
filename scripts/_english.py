"""Checks that the docstrings and comments of the package execsvc are in plain English.

The first line of a docstring says what a thing is or does, as a noun phrase or in the imperative.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

OPENING = re.compile(
    r"(Who|What|Whom|Whose|When|Where|Whether|How|Why|Which|Whatever|Whoever|It|Somebody|Nobody)\b"
)
ANYWHERE = re.compile(r"\b(somebody|someone|nobody|no one)\b", re.IGNORECASE)

Line = tuple[int, str]


def docstrings(source: str) -> Iterator[Line]:
    """Each string that is a statement of its own, with the number of its first line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text


def comments(source: str) -> Iterator[Line]:
    """Each comment, with the number of its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def faults(source: str) -> Iterator[Line]:
    """Each fault of a file, with the number of its line."""
    for number, text in docstrings(source):
        if opening := OPENING.match(text.lstrip()):
            yield number, f"a docstring begins with {opening[0]!r}"
    for number, text in [*docstrings(source), *comments(source)]:
        if word := ANYWHERE.search(text):
            yield (
                number + text[: word.start()].count("\n"),
                f"{word[0]!r}: say which person or part",
            )


def main() -> int:
    """Print each fault; the exit code is 1 if there is one."""
    package = Path(__file__).parent.parent / "execsvc"
    found = 0
    for path in sorted(package.rglob("*.py")):
        for number, fault in sorted(faults(path.read_text())):
            sys.stdout.write(f"{path.relative_to(package.parent)}:{number}: {fault}\n")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
