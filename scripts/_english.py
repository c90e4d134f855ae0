"""Checks that the package, its tests, scripts and pages are in plain English: texts, comments, names.

The first line of a docstring says what a thing is or does, as a noun phrase or in the imperative. A text
for a user (a log line, an error, a help) names its subject first. In the packages of TIDY, names of
functions and classes are also checked: no private words, and no name that another package uses too.
Docstrings and comments of the scripts and tests, and the prose of the pages, are checked as well.
"""

import ast
import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

OPENING = re.compile(
    r"(Who|What|Whom|Whose|When|Where|Whether|How|Why|Which|Whatever|Whoever|It|Somebody|Nobody)\b"
)
ANYWHERE = re.compile(r"\b(somebody|someone|nobody|no one)\b", re.IGNORECASE)
COMMENT_OPENING = re.compile(
    r"#:? ?(Who|What|Whom|Whose|Whether|How|Why|Whatever|Whoever|It|They)\b"
)
SENTENCE = re.compile(
    r"[.!?]\s+(Who|What|Whom|Whose|Whatever|Whoever|Somebody|Someone|Nobody|No one)\b"
)
"""The begin of a later sentence that names no subject."""
PAGE_SENTENCE = re.compile(
    r"(?:[.!?]\s+|^\s*(?:\*|[0-9]+\.)\s+|\n\n)"
    r"(Who|What|Whom|Whose|Whatever|Whoever|Somebody|Someone|Nobody|No one)\b(?!.*\n[-=~]{4})",
    re.MULTILINE,
)
"""The same on a page, where a heading may be a question."""
TEXT_OPENING = re.compile(f"(?:{OPENING.pattern[:-2]})\\b", re.IGNORECASE)
LOGGING = frozenset({"trace", "debug", "info", "warning", "error", "critical", "log", "echo"})
"""Functions whose arguments are texts for users."""
HELP = frozenset({"help", "short_help", "epilog", "description"})
"""Keywords whose arguments are texts for users."""
PRIVATE_NAMES = frozenset(
    {
        *(
            "desk",
            "errand",
            "fate",
            "front",
            "hear",
            "heard",
            "judge",
            "letter",
            "look",
            "look_again",
        ),
        *("mind", "patient", "pulse", "said", "say", "seen", "sound", "strike", "struck", "tell"),
        *("told", "verdict", "witness"),
    }
)
"""Names of functions and classes that say nothing to a stranger, in lower case."""
TIDY = (
    *("alerts", "cli", "clients", "control_plane", "doctor", "execution", "hosts", "logs", "model"),
    *(
        "paper",
        "recording",
        "replay",
        "reporting",
        "runner",
        "sandbox",
        "settings",
        "store",
        "strategies",
    ),
    *("supervisor", "workers", ""),
)
"""The packages, and the modules beside them, whose texts and names are checked."""

Line = tuple[int, str]


def docstrings(tree: ast.AST) -> Iterator[Line]:
    """Each string that is a statement of its own, with the number of its first line."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text


def comments(source: str) -> Iterator[Line]:
    """Each comment, with the number of its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def texts(tree: ast.AST) -> Iterator[Line]:
    """Each text that is logged, raised, printed or given as a help, with the number of its line."""
    for node in ast.walk(tree):
        arguments: Iterable[ast.expr] = ()
        match node:
            case ast.Raise(exc=ast.Call(args=given)):
                arguments = given
            case ast.Call(func=ast.Attribute(attr=name), args=given) if name in LOGGING:
                arguments = given
            case ast.keyword(arg=str(name), value=value) if name in HELP:
                arguments = (value,)
        for argument in arguments:
            yield from strings(argument)


def strings(node: ast.expr) -> Iterator[Line]:
    """The string that an expression writes out, its inserted values as ``{}``."""
    match node:
        case ast.Constant(value=str(text)):
            yield node.lineno, text
        case ast.JoinedStr(values=parts):
            written = (part.value if isinstance(part, ast.Constant) else "{}" for part in parts)
            yield node.lineno, "".join(map(str, written))


def names(tree: ast.AST) -> Iterator[Line]:
    """Each function and class, with the number of its line."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.lineno, node.name


def faults(source: str, *, is_tidy: bool) -> Iterator[Line]:
    """Each fault of a file, with the number of its line."""
    tree = ast.parse(source)
    prose = [*docstrings(tree), *comments(source)]
    for number, text in docstrings(tree):
        if opening := OPENING.match(text.lstrip()):
            yield number, f"a docstring begins with {opening[0]!r}"
    for number, text in comments(source):
        if opening := COMMENT_OPENING.match(text):
            yield number, f"a comment begins with {opening[1]!r}"
    if is_tidy:
        prose += texts(tree)
        yield from tidy_faults(tree)
    for number, text in prose:
        for opening in SENTENCE.finditer(text):
            line = number + text[: opening.start(1)].count("\n")
            yield line, f"a sentence begins with {opening[1]!r}"
        if word := ANYWHERE.search(text):
            yield (
                number + text[: word.start()].count("\n"),
                f"{word[0]!r}: say which person or part",
            )


def tidy_faults(tree: ast.AST) -> Iterator[Line]:
    """Each fault of texts and names in a file of a tidy package."""
    for number, text in texts(tree):
        if opening := TEXT_OPENING.match(text.lstrip()):
            yield number, f"a text for users begins with {opening[0]!r}"
    for number, name in names(tree):
        if name.strip("_").lower() in PRIVATE_NAMES:
            yield number, f"{name}: name what it does or is"


def package_of(module: Path) -> str:
    """The package below execsvc of a module's path; empty for a module beside the packages."""
    return module.parts[0] if len(module.parts) > 1 else ""


def namesakes(trees: dict[Path, ast.AST]) -> Iterator[tuple[Path, int, str]]:
    """Each class of a tidy package whose name a class of another module has, too."""
    places: dict[str, list[Path]] = defaultdict(list)
    for module, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module)
    for module, tree in trees.items():
        if package_of(module) in TIDY:
            for number, name in names(tree):
                others = [str(other) for other in places.get(name, ()) if other != module]
                if others:
                    yield module, number, f"class {name} is also in {', '.join(others)}"


def page_faults(text: str) -> Iterator[Line]:
    """Each fault of the prose of a page."""
    for opening in PAGE_SENTENCE.finditer(text):
        line = 1 + text[: opening.start(1)].count("\n")
        yield line, f"a sentence begins with {opening[1]!r}"


def beside(root: Path) -> Iterator[Path]:
    """The Python of the scripts and the tests."""
    yield from (root / "scripts").rglob("*.py")
    yield from (root / "tests").rglob("*.py")


def pages(root: Path) -> Iterator[Path]:
    """The pages, and the change log."""
    yield from root.glob("*.rst")
    for folder in ("execsvc", "systemd", "tests"):
        yield from (root / folder).rglob("*.rst")


def main() -> int:
    """Print each fault; the exit code is 1 if there is one."""
    package = Path(__file__).parent.parent / "execsvc"
    found: list[tuple[Path, int, str]] = []
    trees: dict[Path, ast.AST] = {}
    for path in sorted(package.rglob("*.py")):
        module, source = path.relative_to(package), path.read_text()
        trees[module] = ast.parse(source)
        is_tidy = package_of(module) in TIDY
        found += [(path, *fault) for fault in faults(source, is_tidy=is_tidy)]
    found += [(package / module, number, fault) for module, number, fault in namesakes(trees)]
    for path in beside(package.parent):
        found += [(path, *fault) for fault in faults(path.read_text(), is_tidy=False)]
    for path in pages(package.parent):
        found += [(path, *fault) for fault in page_faults(path.read_text())]
    for path, number, fault in sorted(found):
        sys.stdout.write(f"{path.relative_to(package.parent)}:{number}: {fault}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
