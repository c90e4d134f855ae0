"""The package as setup.cfg declares it, and the imports that the layers allow."""

from __future__ import annotations

import ast
import configparser
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

import pytest
from support.environment import scrubbed
from support.requirements import needs, require

import execsvc

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "execsvc"
TOP_LEVEL = {
    "setup.cfg",
    "setup.py",
    "execsvc",
    "tests",
    "systemd",
    "scripts",
    "README.rst",
    "CHANGELOG.rst",
}
ONLY_IN: dict[str, str | tuple[str, ...]] = {
    "requests": "clients/session.py",
    "sqlite3": ("store/sqlite/", "store/replicated/"),
    "flask": "control_plane/",
    "gunicorn": "control_plane/",
    "jinja2": "control_plane/",
    "apprise": "alerts/apprise_target.py",
    "prometheus_client": "control_plane/exposition.py",
    "logging_journald": "logs/journal.py",
    "psycopg": "store/postgresql/",
    "time": "clock.py",
}
"""The one place, or the few places, within the package that may import a library."""


@pytest.fixture(scope="module")
def config() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


@functools.cache
def imports() -> tuple[tuple[str, str], ...]:
    """Each file of the package, with each top-level module that it imports when it runs."""
    return tuple(_imports())


def _imports() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        where = path.relative_to(PACKAGE).as_posix()
        waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.Import):
                yield from ((where, alias.name.split(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield where, node.module.split(".")[0]
            elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
                waiting.extend(ast.iter_child_nodes(node))


@needs("checkout")
def test_nothing_else_stands_at_the_top() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        env=scrubbed(),
        capture_output=True,
        text=True,
        check=True,
    )

    found = {name.split("/")[0] for name in tracked.stdout.splitlines()}

    assert {name for name in found if not name.startswith(".")} <= TOP_LEVEL


def test_every_file_that_is_no_module_is_installed(config: configparser.ConfigParser) -> None:
    patterns = lines(config["options.package_data"]["*"])
    data = [
        path.name
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]

    assert "py.typed" in data
    assert any(name.endswith(".sql") for name in data)
    assert [name for name in data if not any(fnmatch(name, p) for p in patterns)] == []


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}

    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_floors_name_everything(config: configparser.ConfigParser) -> None:
    contract = config["importlinter:contract:floors"]
    floors = set(re.findall(r"\w+", contract["layers"]))
    # A folder that an update left with nothing but compiled files is no package.
    there = {path.stem for path in PACKAGE.iterdir() if path.is_file() or any(path.glob("*.py"))}

    assert floors == {name for name in there if name not in {"__init__", "py"}}
    assert contract["exhaustive"] == "True"


@pytest.mark.parametrize(("library", "place"), ONLY_IN.items())
def test_a_library_is_imported_in_its_place_only(
    library: str, place: str | tuple[str, ...]
) -> None:
    importers = {where for where, module in imports() if module == library}

    assert importers
    assert {where for where in importers if not where.startswith(place)} == set()


def test_what_is_imported_is_required_and_the_other_way_round(
    config: configparser.ConfigParser,
) -> None:
    extras = config["options.extras_require"]
    runtime = [config["options"]["install_requires"]]
    runtime += [text for name, text in extras.items() if name not in ("test", "lint", "bench")]
    names = {re.split("[<>=]", line)[0] for text in runtime for line in lines(text)}
    required = {name.replace("-", "_") for name in names} - {"psycopg_binary"}  # psycopg imports it
    imported = {module for _, module in imports()} - set(sys.stdlib_module_names) - {"execsvc"}
    imported -= {"pydantic_core"}  # pydantic's own other half, of one exact version

    assert imported == required


def test_only_tests_of_the_store_know_what_a_store_is_made_of() -> None:
    knowing = {
        str(path.relative_to(ROOT / "tests"))
        for path in (ROOT / "tests").rglob("*.py")
        if re.search(r"^ *(from|import) execsvc\.store\.sqlite", path.read_text(), re.M)
    }
    support = {"claimed_memory.py", "stores.py", "store_files.py", "store_backends.py"}
    assert {name for name in knowing if not name.startswith("store/")} == {
        f"support/{name}" for name in support
    }


def test_every_requirement_has_a_lower_bound(config: configparser.ConfigParser) -> None:
    extras = config["options.extras_require"]
    required = [config["options"]["install_requires"], *extras.values()]

    assert [
        r
        for text in required
        for r in lines(text)
        if not re.fullmatch(r"[\w-]+>=[\d.]+(,<[\d.]+)?", r)
    ] == []


def test_a_bot_loads_nothing_of_the_control_plane() -> None:
    """Its modules are those of the supervisor, which it is forked from."""
    loaded = "import sys, execsvc.cli.run; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    process = subprocess.run(
        [sys.executable, "-c", loaded], env=scrubbed(), capture_output=True, text=True
    )
    names = set(process.stdout.split())

    assert "pydantic" in names
    assert names & {"prometheus_client", "flask", "gunicorn", "psycopg"} == set()


@pytest.fixture
def installed() -> metadata.Distribution:
    require("installed package")
    return metadata.distribution("execsvc")


def test_the_installed_package_is_this_one(installed: metadata.Distribution) -> None:
    scripts = {entry.name: entry.value for entry in installed.entry_points}

    assert installed.version == execsvc.__version__
    assert scripts["execsvc"] == "execsvc.cli:main"
    assert installed.metadata["Requires-Python"] == ">=3.10"


def test_built_in_strategies_are_not_declared_a_second_time(
    installed: metadata.Distribution,
) -> None:
    assert {entry.group for entry in installed.entry_points} == {"console_scripts"}
