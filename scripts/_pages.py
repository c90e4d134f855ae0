"""The tables of the pages, made from the code; and the links between the pages.

``write`` puts the tables between their markers, ``check`` says which are not current, ``links`` which
links lead nowhere. Exit code 1 when there is something to say. A second argument is another root.
"""

from __future__ import annotations

import ast
import configparser
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import click

import execsvc
from execsvc.cli import COMMANDS, program
from execsvc.cli import help as tables
from execsvc.cli.help import TableRow

PAGES = (
    "README.rst",
    "systemd/README.rst",
    "systemd/container/README.rst",
    "execsvc/strategies/README.rst",
    "tests/README.rst",
)
_WIDTH = 72
"""Characters of a line of a description."""
_TABLE = re.compile(
    r"^\.\. made by scripts/pages: (?P<name>[^\n]+)\n.*?^\.\. end of what is made$",
    re.MULTILINE | re.DOTALL,
)


def _settings() -> str:
    table = tables.settings_table()
    return _drawn(("variable", "default", "changed by", "meaning"), table.rows, (0, 1))


def _events(of: str) -> str:
    rows = [row for row in tables.events_table().rows if row.cells[2] == of]
    shown = [row._replace(cells=(*row.cells[:2], " ".join(row.details))) for row in rows]
    return _drawn(("event", "level", "fields", "when"), shown, (0, 2))


def _metrics() -> str:
    rows = tables.metrics_table().rows
    shown = [row._replace(cells=(*row.cells, " ".join(row.details))) for row in rows]
    return _drawn(("metric", "kind", "labels", "meaning"), shown, (0, 2))


def _exit_codes(of: str) -> str:
    rows = [row for row in tables.exit_codes_table().rows if row.cells[1] == of]
    return _drawn(("code", "meaning"), [row._replace(cells=row.cells[:1]) for row in rows])


def _commands() -> str:
    with click.Context(program) as context:
        found = [(program.get_command(context, name), about) for name, about in COMMANDS.items()]
    rows = [TableRow((_call(command),), about) for command, about in found if command is not None]
    return _drawn(("execsvc …", "purpose"), rows, (0,))


def _call(command: click.Command) -> str:
    """The command with its arguments, as it is called."""
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    return " ".join([command.name or "", *(one.human_readable_name for one in arguments)])


def _packages() -> str:
    rows = []
    for path in sorted(Path(execsvc.__file__).parent.glob("*/__init__.py")):
        told = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        rows.append(TableRow((f"{path.parent.name}/",), " ".join(told.split("\n\n")[0].split())))
    return _drawn(("package", "is"), rows, (0,), escaped=_unchanged)


def _floors() -> str:
    """The layers of import-linter, as a literal block."""
    config = configparser.ConfigParser()
    config.read(Path(__file__).resolve().parents[1] / "setup.cfg", "utf-8")
    layers = config["importlinter:contract:floors"]["layers"].strip().split("\n")
    return "\n".join(["::", "", *(f"    {layer}" for layer in layers)])


TABLES: dict[str, Callable[[], str]] = {
    "settings": _settings,
    "events of a bot": lambda: _events("bot"),
    "events of the service": lambda: _events("service"),
    "metrics": _metrics,
    "commands": _commands,
    "exit codes of the commands": lambda: _exit_codes("command"),
    "exit codes of a bot": lambda: _exit_codes("bot"),
    "packages": _packages,
    "import floors": _floors,
}


def _escaped(text: str) -> str:
    """``text`` without a character that reStructuredText takes for markup."""
    return re.sub(r"([*`|\\]|_(?=\W|$))", r"\\\1", text)


def _unchanged(text: str) -> str:
    return text


def _drawn(
    heading: Sequence[str],
    rows: Sequence[TableRow],
    literal: Sequence[int] = (),
    escaped: Callable[[str], str] = _escaped,
) -> str:
    """A simple table of reStructuredText; ``literal`` columns, and a last one of wrapped prose."""
    lines: list[list[str]] = []
    for row in rows:
        first, *rest = textwrap.wrap(escaped(row.about), _WIDTH, break_on_hyphens=False) or [""]
        cells = [_cell(cell, index in literal) for index, cell in enumerate(row.cells)]
        lines.append([*cells, first])
        lines += [[*("" for _ in cells), line] for line in rest]
    widths = [max(map(len, column)) for column in zip(heading, *lines, strict=True)]
    bar = "  ".join("=" * width for width in widths)
    return "\n".join([bar, _line(heading, widths), bar, *(_line(x, widths) for x in lines), bar])


def _cell(cell: str | int | None, literal: bool) -> str:
    text = "" if cell is None else str(cell)
    return f"``{text}``" if literal and text else text


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(map(str.ljust, cells, widths)).rstrip()


def _current(text: str) -> str:
    """A page with each of its tables as the code makes it. Raises KeyError for an unknown table."""

    def made(found: re.Match[str]) -> str:
        name = found["name"]
        return f".. made by scripts/pages: {name}\n\n{TABLES[name]()}\n\n.. end of what is made"

    return _TABLE.sub(made, text)


def _write(root: Path) -> Iterator[str]:
    for page in PAGES:
        text = (root / page).read_text("utf-8")
        current = _current(text)
        if current != text:
            (root / page).write_text(current, "utf-8")
            yield f"{page}: written"


def _check(root: Path) -> Iterator[str]:
    shown: list[str] = []
    for page in PAGES:
        text = (root / page).read_text("utf-8")
        tables = list(_TABLE.finditer(text))
        shown += [found["name"] for found in tables]
        for found in tables:
            if found["name"] not in TABLES:
                yield f"{page}: no table of {found['name']} is known"
            elif _current(found[0]) != found[0]:
                yield f"{page}: the table of {found['name']} is not current (scripts/pages writes it)"
    for name in TABLES:
        if shown.count(name) != 1:
            yield f"the table of {name} is on {shown.count(name)} pages"


def _links(root: Path) -> Iterator[str]:
    """Links to files that are not there, and to headings that their page does not have."""
    from docutils import nodes
    from docutils.core import publish_doctree

    trees = {
        (root / page).resolve(): publish_doctree((root / page).read_text("utf-8")) for page in PAGES
    }
    for page, tree in trees.items():
        uris = [node["refuri"] for node in tree.findall(nodes.reference) if "refuri" in node]
        uris += [node["uri"] for node in tree.findall(nodes.image)]
        for uri in uris:
            parts = urlsplit(uri)
            if parts.scheme:
                continue
            target = (page.parent / parts.path).resolve()
            known = trees[target].ids if target in trees else {}
            if not target.exists() or (parts.fragment and parts.fragment not in known):
                yield f"{page.relative_to(root.resolve())}: {uri} leads nowhere"


def main(verb: str, root: str = ".") -> int:
    """Carry out one of the three verbs; return the exit code."""
    found = list({"write": _write, "check": _check, "links": _links}[verb](Path(root)))
    sys.stdout.writelines(f"{line}\n" for line in found)
    return int(bool(found) and verb != "write")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
