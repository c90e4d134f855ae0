"""``scripts/soak --hosts 3``: random accidents of three simulated hosts, for so many steps."""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter

from support.host_events import LINKS
from support.hosts_world import HOSTS, KEYS, HostsWorld

STEPS_OF_A_LIFE = 2000
"""Steps until all is mended and looked at, and another world begins."""
CLOCK_STEPS = (-3600.0, -60.0, -10.0, 10.0, 60.0, 3600.0)
PAUSES = (1.0, 5.0, 9.0, 11.0, 13.0, 20.0, 60.0)
OUTAGES = (1.0, 6.0, 10.0, 30.0)
LOST_SECONDS = (0.0, 1.0, 5.0, 15.0)
WAITS = (0.01, 0.1, 0.5, 1.0, 3.0)
MENDING = 300.0
"""Seconds within which all accounts have an owner again, and no intent is open."""


def random_step(world: HostsWorld, fate: random.Random) -> None:
    """Let one thing happen, and some time pass."""
    name = fate.choice(HOSTS)
    chance = fate.random()
    if chance < 0.5:
        world.order(name, fate.choice(KEYS))
    elif chance < 0.56:
        world.link(name, fate.choice(("good", "good", "good", *LINKS)))
    elif chance < 0.585:
        world.pause(name, fate.choice(PAUSES), clock_runs=fate.random() < 0.7)
    elif chance < 0.595:
        world.restart(name)
    elif chance < 0.605:
        world.drain(name)
    elif chance < 0.62:
        world.undrain(name)
    elif chance < 0.63:
        world.set_database_clock(fate.choice(CLOCK_STEPS))
    elif chance < 0.6325:
        world.stop_database(fate.choice(OUTAGES))
    elif chance < 0.634:
        world.fail_over(fate.choice(LOST_SECONDS))
    world.advance(fate.choice(WAITS))


def life(seed: int, steps: int) -> HostsWorld:
    """One world after so many steps, mended at the end; it ends at its first violation."""
    fate = random.Random(seed)
    world = HostsWorld(fate)
    for _ in range(steps):
        random_step(world, fate)
        if world.violations:
            return world
    world.heal(MENDING)
    return world


def main() -> int:
    """Run; 1 when anything was violated."""
    parser = argparse.ArgumentParser(prog="scripts/soak")
    parser.add_argument("--hosts", type=int, choices=(len(HOSTS),), required=True)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = random.randrange(1_000_000) if given.seed is None else given.seed
    counts: Counter[str] = Counter()
    violated = 0
    print(f"seed {seed}, {given.steps} steps", flush=True)
    for begin in range(0, given.steps, STEPS_OF_A_LIFE):
        steps = min(STEPS_OF_A_LIFE, given.steps - begin)
        world = life(seed, steps)
        counts.update(world.counts)
        if world.violations:
            violated += 1
            repeat = f"scripts/soak --hosts {given.hosts} --steps {steps} --seed {seed}"
            print(f"VIOLATION ({repeat} repeats it):", *world.violations[:5], sep="\n  ")
        seed += 1
    for name, times in sorted(counts.items()):
        print(f"{times:7}  {name}")
    print(f"{violated:7}  violations")
    return 1 if violated else 0


if __name__ == "__main__":
    sys.exit(main())
