"""A recipe for a container, as an engine reads it: a Dockerfile and a compose file.

Of both, no more is understood than ours say: whatever else there is, is an error.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from support.machine_parts import SOURCES

FOLDER = SOURCES / "systemd" / "container"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_WITH_OPTIONS = {"COPY", "HEALTHCHECK"}


@dataclass(frozen=True)
class Step:
    """One instruction of a Dockerfile."""

    word: str
    options: dict[str, str]
    text: str

    @property
    def command(self) -> list[str]:
        """The command that is executed: the words of the exec form, or a shell with the text."""
        if self.text.startswith("["):
            words: list[str] = json.loads(self.text)
            return words
        return ["/bin/sh", "-c", self.text]


@dataclass
class Stage:
    """The part after one FROM."""

    base: str
    name: str | None
    steps: list[Step] = field(default_factory=list)

    def all(self, word: str) -> list[Step]:
        """Every instruction of this kind, in their order."""
        return [step for step in self.steps if step.word == word]

    def only(self, word: str) -> Step:
        """The one instruction of this kind."""
        (found,) = self.all(word)
        return found

    @property
    def environment(self) -> dict[str, str]:
        """The variables that ENV sets; no value refers to another variable."""
        pairs = [pair for step in self.all("ENV") for pair in shlex.split(step.text)]
        assert all("$" not in pair for pair in pairs)
        return dict(pair.split("=", 1) for pair in pairs)


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile."""
    found: list[Stage] = []
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        assert word.isupper(), line
        if word == "FROM":
            base, *named = rest.split()
            found.append(Stage(base, named[1] if named else None))
        else:
            found[-1].steps.append(_step(word, rest.strip()))
    return found


def _step(word: str, text: str) -> Step:
    options = {}
    while word in _WITH_OPTIONS and text.startswith("--"):
        option, _, text = text.partition(" ")
        name, _, options[name] = option.partition("=")
        text = text.strip()
    if word == "HEALTHCHECK":
        kind, _, text = text.partition(" ")
        assert kind == "CMD", text
    return Step(word, options, text)


def dockerfile() -> list[Stage]:
    """The stages of our image."""
    return stages((FOLDER / "Dockerfile").read_text("utf-8"))


def compose() -> dict[str, Any]:
    """Our compose file. Raises ValueError for a key that is there twice, which YAML forbids."""
    text = (FOLDER / "compose.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=_Strict)
    return found


def service() -> dict[str, Any]:
    """The one service of our compose file."""
    (found,) = compose()["services"].values()
    assert isinstance(found, dict)
    return found


class _Strict(yaml.SafeLoader):
    """YAML 1.2 would be stricter still; this one at least takes no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(names) != len(set(names)):
            raise ValueError(f"a key is there twice among {names}")
        return super().construct_mapping(node, deep)


def seconds(duration: str) -> float:
    """A duration in the words of Docker and compose, such as ``2m30s``."""
    assert re.fullmatch(r"(\d+(ms|s|m|h))+", duration), duration
    return sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)(ms|s|m|h)", duration))


def ignored(path: Path) -> bool:
    """True when our ignore file keeps ``path``, relative to the build context, out of the image."""
    out = False
    for line in (FOLDER / "Dockerfile.dockerignore").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        if pattern.startswith("**/"):
            hit = pattern.removeprefix("**/") in path.parts
        else:
            hit = pattern == "*" or pattern in map(str, [path, *path.parents])
        out = out != hit if hit and out == line.startswith("!") else out
    return out
