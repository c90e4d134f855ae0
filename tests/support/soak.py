"""``scripts/soak``: the random fates of ``test_random_fates``, for as long as is wanted."""

from __future__ import annotations

import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from support.requirements import lacking
from support.world import (
    BOTS,
    CLOCK_STEPS,
    KEYS,
    LISTING_FAULTS,
    MARKETS,
    ODD_ROWS,
    ORDER_FAULTS,
    READ_FAULTS,
    REPORT_CALLS,
    REPORT_FAULTS,
    World,
)

from execsvc.sandbox.dialects import Dialect

STEPS = 40
"""Steps of one life of the world; each ends with every bot stopped and the books compared."""


def main() -> int:
    """Run for so many minutes; 1 when anything was violated."""
    minutes = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1_000_000)
    until = time.monotonic() + minutes * 60
    counts: Counter[str] = Counter()
    violations = 0
    lack = lacking("C compiler")
    if lack is not None:
        print(f"the clock makes no steps: {lack.reason}", flush=True)
    print(f"seed {seed}, {minutes:g} minutes", flush=True)
    while time.monotonic() < until:
        fate = random.Random(seed)
        try:
            _one_life(fate, counts, until)
        except Exception:  # noqa: BLE001 - whatever went wrong is what we look for
            violations += 1
            print(f"VIOLATION with seed {seed} (scripts/soak {minutes:g} {seed} repeats it):")
            traceback.print_exc()
        seed += 1
    for what, times in sorted(counts.items()):
        print(f"{times:7}  {what}")
    print(f"{violations:7}  violations")
    return 1 if violations else 0


def _one_life(fate: random.Random, counts: Counter[str], until: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), line=True, clock=lacking("C compiler") is None)
        try:
            for _ in range(STEPS):
                if time.monotonic() >= until:
                    break
                step = _step(world, fate)
                print(f"  {step}", file=sys.stderr, flush=True)
                world.check()
            world.settle()
        finally:
            for key in KEYS:
                counts["orders"] += len(world.exchange.orders(key))
            counts.update(world.counts)
            world.close()


def _step(world: World, fate: random.Random) -> str:
    (happens,) = fate.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
    return happens(world, fate)


def _bot_runs(world: World, fate: random.Random) -> str:
    bot, key, hold = fate.choice(BOTS), fate.choice(KEYS), fate.choice([1, 2, 60])
    world.list_bot(bot, key, hold)
    world.tick()
    return f"{bot} runs on {key}, holds {hold} s"


def _bot_stops(world: World, fate: random.Random) -> str:
    bot = fate.choice(BOTS)
    world.drop_bot(bot)
    world.tick()
    return f"{bot} is dropped"


def _order_fails(world: World, fate: random.Random) -> str:
    rule, side = fate.choice(ORDER_FAULTS), fate.choice([None, "buy", "sell"])
    world.order_fault(rule, side)
    world.tick()
    return f"order fault {rule} {side}"


def _reads_fail(world: World, fate: random.Random) -> str:
    rule, call = fate.choice(READ_FAULTS), fate.choice(["balance", "ticker"])
    world.read_fault(rule, call, fate.randint(1, 8))
    return f"{call} fault {rule}"


def _listings_fail(world: World, fate: random.Random) -> str:
    rule = fate.choice(LISTING_FAULTS)
    world.listing_fault(rule, fate.randint(1, 3))
    return f"listing fault {rule}"


def _reports_fail(world: World, fate: random.Random) -> str:
    rule, call = fate.choice(REPORT_FAULTS), fate.choice(REPORT_CALLS)
    world.report_fault(rule, call, fate.randint(1, 3))
    return f"{call} fault {rule}"


def _runner_dies(world: World, fate: random.Random) -> str:
    which = fate.randint(0, 9)
    world.kill_runner(which)
    return f"kill of runner {which}"


def _child_dies(world: World, fate: random.Random) -> str:
    which = fate.randint(0, 9)
    world.kill_any(which)
    return f"kill of child {which}"


def _service_ends(world: World, fate: random.Random) -> str:
    how = fate.choice(["kill", "stop", "hold"])
    world.restart(how)
    return f"service: {how}"


def _market_changes(world: World, fate: random.Random) -> str:
    terms, words = fate.choice(MARKETS), fate.choice(list(Dialect))
    world.market(terms, words)
    world.tick()
    return f"market {terms} in the words of {words.value}"


def _rows_get_odd(world: World, fate: random.Random) -> str:
    rows = fate.choice(ODD_ROWS)
    world.odd_rows(rows)
    world.tick()
    return f"odd rows {rows}"


def _line_is_cut(world: World, fate: random.Random) -> str:
    seconds = fate.choice([0.5, 1.5, 3, 8])
    world.cut_line(seconds)
    return f"line cut for {seconds} s"


def _clock_steps(world: World, fate: random.Random) -> str:
    seconds = fate.choice(CLOCK_STEPS)
    if world.clock is None:
        return "no step of the clock"
    world.move_clock(seconds)
    return f"the clock is {seconds} s ahead"


_WEIGHTS: dict[Callable[[World, random.Random], str], int] = {
    _bot_runs: 30,
    _bot_stops: 10,
    _order_fails: 25,
    _reads_fail: 10,
    _listings_fail: 5,
    _reports_fail: 5,
    _runner_dies: 8,
    _child_dies: 6,
    _service_ends: 6,
    _market_changes: 10,
    _rows_get_odd: 5,
    _line_is_cut: 6,
    _clock_steps: 6,
}


if __name__ == "__main__":
    sys.exit(main())
