"""``execsvc replay``: a strategy on recorded markets."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from execsvc.cli.conditions import takes_conditions
from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.table import table
from execsvc.errors import ConfigRefused
from execsvc.exit_codes import DONE, REFUSED
from execsvc.recording.files import find
from execsvc.replay import batch, outputs
from execsvc.replay.picture import NoPicture, draw
from execsvc.replay.report import HEADER, cells, report
from execsvc.replay.result import Conditions
from execsvc.replay.run import Job, Replay
from execsvc.replay.run import replay as make
from execsvc.strategies import registry

_TABLE_WIDTH = 120


@click.command(
    epilog=exit_codes(
        (DONE, "replayed"), (REFUSED, "a recording, a strategy or parameters cannot be used")
    )
)
@click.option("--strategy", required=True, metavar="ID", help="As execsvc strategies lists it.")
@click.option(
    "--params",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A JSON object of parameters; several are compared.",
)
@click.option(
    "--grid", multiple=True, metavar="NAME=V,V", help="Parameters to vary; several cross."
)
@click.option(
    "--data",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A recording, or a directory of them.",
)
@takes_conditions
@click.option(
    "--phases",
    type=click.IntRange(1, 1000),
    default=1,
    metavar="N",
    help="Replay at N phases of the interval; the table has mean and spread.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write report.json, trades.csv and a picture there.",
)
@click.option("--skip-bad", is_flag=True, help="Leave out bad lines, and count them.")
@click.argument("more", nargs=-1, metavar="[FILE | NAME=V,V]...")
def replay(
    strategy: str,
    files: tuple[Path, ...],
    grid: tuple[str, ...],
    data: tuple[Path, ...],
    phases: int,
    out: Path | None,
    skip_bad: bool,
    more: tuple[str, ...],
    conditions: Conditions,
) -> None:
    """Run a strategy on recorded markets: the code that trades, on a simulated clock.

    More recordings after --data, and more axes after --grid, may just be added.
    """
    paths = find([*data, *(Path(each) for each in more if "=" not in each)])
    variants = batch.variants(files, [*grid, *(each for each in more if "=" in each)])
    for variant in variants:
        registry.check(strategy, variant.params)
    moments = batch.phases(conditions.interval, phases, conditions.phase)
    single = len(variants) == len(moments) == 1
    jobs = [
        Job(
            path,
            strategy,
            variant.params,
            conditions.model_copy(update={"phase": moment}),
            skip_bad,
            single and out is not None,
        )
        for path in paths
        for variant in variants
        for moment in moments
    ]
    if single:
        made = [_reported(job) for job in jobs]
    else:
        made = _tabulated(jobs, [v.varied for _ in paths for v in variants for _ in moments])
    if out is not None:
        _write(out, made)


def _reported(job: Job) -> Replay:
    """Replay and report one recording, with a bar of its progress on a terminal."""
    with click.progressbar(
        length=1000, label=job.path.name, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        made = make(job, lambda part: bar.update(round(part * 1000) - bar.pos))
    click.echo(report(made.result) + "\n")
    click.echo(_pace(made), err=True)
    return made


def _tabulated(jobs: list[Job], variant_of: list[str]) -> list[Replay]:
    with click.progressbar(
        batch.run_all(jobs),
        length=len(jobs),
        label="replays",
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
    ) as bar:
        made = list(bar)
    rows = batch.rows(variant_of, made)
    click.echo(table(HEADER, [cells(row) for row in rows], _TABLE_WIDTH))
    return made


def _pace(made: Replay) -> str:
    ticks = made.result.ticks
    return (
        f"{ticks} ticks in {made.seconds:.2f} s ({ticks / made.seconds:.0f} a second); "
        f"the strategy took {made.strategy_seconds / made.seconds:.0%} of it"
    )


def _write(out: Path, made: list[Replay]) -> None:
    try:
        outputs.write(out, [each.result for each in made])
        for each in made:
            if each.points:
                name = each.result.recording.removesuffix(".gz").removesuffix(".jsonl")
                draw(out / f"{name}.png", each.result, each.points)
    except OSError as error:
        raise ConfigRefused(f"--out {out}: {error.strerror or error}") from None
    except NoPicture as error:
        click.echo(f"execsvc: {error}", err=True)
