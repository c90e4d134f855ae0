"""``execsvc strategies``: the strategies that a bot's row may name, with their parameters."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.output import WIDTH, plain_text, table
from execsvc.exit_codes import DONE
from execsvc.strategies import registry

_BOUNDS = {
    "minimum": "from {:g}",
    "exclusiveMinimum": "above {:g}",
    "maximum": "to {:g}",
    "exclusiveMaximum": "below {:g}",
}
_INDENT = " " * 4


@click.command(epilog=exit_codes((DONE, "shown")))
@click.option("--json", "as_json", is_flag=True, help="With the JSON Schema of their parameters.")
def strategies(as_json: bool) -> None:
    """Show the known strategies and their parameters, those of installed packages included."""
    known = registry.catalogue()
    if as_json:
        click.echo(json.dumps(known, indent=2, default=str))
        return
    click.echo("\n\n".join(_described(entry) for entry in known))


def _described(entry: dict[str, Any]) -> str:
    if "error" in entry:
        return plain_text(f"{entry['id']}: {entry['error']}")
    also = f" (also {', '.join(entry['aliases'])})" if entry["aliases"] else ""
    description = textwrap.fill(plain_text(entry["description"]), WIDTH)
    return "\n".join([f"{entry['id']}{also}", description, *_parameters(entry["params"])])


def _parameters(schema: dict[str, Any]) -> Iterator[str]:
    """A table with a line a parameter, each followed by its meaning."""
    members = schema.get("properties", {})
    required = schema.get("required", ())
    rows = [
        [name, _range(member), "required" if name in required else _default(member)]
        for name, member in members.items()
    ]
    heading, *lines = table(["PARAMETER", "RANGE", "DEFAULT"], rows).split("\n")
    if rows:
        yield heading
    for line, member in zip(lines, members.values(), strict=True):
        yield line
        yield from textwrap.wrap(
            plain_text(member.get("description", "")),
            WIDTH,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
        )


def _default(member: dict[str, Any]) -> str:
    """The default as JSON; one that is made anew each time is in no schema."""
    return json.dumps(member["default"]) if "default" in member else ""


def _range(member: dict[str, Any]) -> str:
    """The bounds of a parameter; a decimal's schema keeps them in one of its alternatives."""
    for schema in (member, *member.get("anyOf", ())):
        bounds = [text.format(float(schema[key])) for key, text in _BOUNDS.items() if key in schema]
        if bounds:
            return " ".join(bounds)
    return " or ".join(str(value) for value in member.get("enum", ()))
