"""A third party's package of strategies, installed by nothing but a path."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent, indent

import execsvc

_HEAD = """
import ctypes, os, resource, signal, subprocess, sys, threading, time
from decimal import Decimal
from pydantic import BaseModel
from execsvc.strategies.base import NoState, Strategy

class Anything(BaseModel):
    model_config = {"extra": "allow"}

class Third(Strategy):
    Params = Anything
    def enter(self, ctx):
        if ctx.position.side is None:
            ctx.buy(Decimal("0.01"), "entry")
        return ctx.position.side == "BUY"
    def execute(self, ctx):
        self.enter(ctx)
"""


class Plugins:
    """Strategies as source text, and the environment under which they are found."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "third"
        info = self._folder / "third-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third\nVersion: 1.0\n")
        self._entries = info / "entry_points.txt"
        self._entries.write_text("[execsvc.strategies]\n")

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a daemon that is to find them."""
        package = Path(execsvc.__file__).parents[1]
        return {"PYTHONPATH": os.pathsep.join([str(self._folder), str(package)])}

    def add(self, strategy_id: str, body: str, before: str = "") -> str:
        """A strategy whose class has ``body``; ``before`` runs at import. Returns its id."""
        text = f"{_HEAD}\n{dedent(before)}\nclass Made(Third):\n    id = {strategy_id!r}\n"
        (self._folder / f"third_{strategy_id}.py").write_text(text + indent(dedent(body), "    "))
        with self._entries.open("a") as entries:
            entries.write(f"{strategy_id} = third_{strategy_id}:Made\n")
        return strategy_id
