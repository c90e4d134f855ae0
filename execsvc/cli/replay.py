"""``execsvc replay``: a strategy on recorded markets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import update_wrapper
from pathlib import Path
from typing import Any

import click

from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.output import table
from execsvc.errors import ConfigRefused
from execsvc.exit_codes import DONE, REFUSED
from execsvc.model.risk import percent_of
from execsvc.recording.files import find
from execsvc.replay import batch, outputs
from execsvc.replay.picture import NoPicture, draw
from execsvc.replay.report import HEADER, cells, report
from execsvc.replay.result import Conditions
from execsvc.replay.run import Replay, ReplayJob
from execsvc.replay.run import replay as make
from execsvc.strategies import registry

Command = Callable[..., Any]


def number(text: str) -> Decimal:
    """A decimal number, zero or more. Raises ValueError."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not value.is_finite() or value < 0:
        raise ValueError(text)
    return value


def balance(text: str) -> tuple[Decimal, Decimal]:
    """``BASE,QUOTE``: two such numbers. Raises ValueError."""
    base, _, quote = text.partition(",")
    return number(base), number(quote)


def percent(text: str) -> Decimal | None:
    """A stop loss in percent, as a row says it; None for 0. Raises ValueError."""
    return percent_of(text)


_OPTIONS = [
    click.option(
        "--interval",
        type=click.FloatRange(0.05, 3600),
        default=5.0,
        show_default=True,
        metavar="SEC",
        help="Time from one tick to the next.",
    ),
    click.option(
        "--phase",
        type=click.FloatRange(0),
        default=0.0,
        metavar="SEC",
        help="Time from the first line to the first tick.",
    ),
    click.option(
        "--fee",
        type=number,
        default="0.001",
        show_default=True,
        metavar="F",
        help="Part of an order that is taken as its fee.",
    ),
    click.option(
        "--latency",
        type=click.FloatRange(0, 60_000),
        default=100.0,
        show_default=True,
        metavar="MS",
        help="Time from an order to its fill.",
    ),
    click.option(
        "--balance",
        type=balance,
        default="1,10000",
        show_default=True,
        metavar="BASE,QUOTE",
        help="Balances of the account at the start.",
    ),
    click.option(
        "--allocation", type=number, metavar="QUOTE", help="The bot's account_allocation."
    ),
    click.option(
        "--min-amount",
        type=number,
        default="0.00001",
        show_default=True,
        metavar="BASE",
        help="The smallest order the exchange takes.",
    ),
    click.option(
        "--min-notional",
        type=number,
        default="5",
        show_default=True,
        metavar="QUOTE",
        help="The smallest value of an order.",
    ),
    click.option(
        "--symbol",
        default="BASE/QUOTE",
        show_default=True,
        metavar="BASE/QUOTE",
        help="Name of the market.",
    ),
    click.option(
        "--max-order-notional",
        type=number,
        metavar="QUOTE",
        help="As EXECSVC_MAX_ORDER_NOTIONAL: no larger entry.",
    ),
    click.option(
        "--max-orders-per-minute",
        type=click.IntRange(1),
        metavar="N",
        help="As EXECSVC_MAX_ORDERS_PER_MINUTE: no more entries.",
    ),
    click.option(
        "--daily-loss-limit",
        type=number,
        metavar="QUOTE",
        help="As EXECSVC_DAILY_LOSS_LIMIT: no entry after that.",
    ),
    click.option(
        "--stop-loss",
        type=percent,
        metavar="P",
        help="The row's stop_loss: sell P percent below the entry price, and enter no more.",
    ),
]


def condition_options(command: Command) -> Command:
    """Give ``command`` these options, and ``conditions`` made of them."""

    def wrapped(**values: Any) -> Any:
        given = {name: values.pop(name) for name in Conditions.model_fields}
        given["latency"] /= 1000
        return command(conditions=Conditions(**given), **values)

    taking: Command = update_wrapper(wrapped, command)
    for option in reversed(_OPTIONS):
        taking = option(taking)
    return taking


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
@condition_options
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
        ReplayJob(
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
        made = [_replay_one(job) for job in jobs]
    else:
        made = _replay_many(jobs, [v.varied for _ in paths for v in variants for _ in moments])
    if out is not None:
        _write(out, made)


def _replay_one(job: ReplayJob) -> Replay:
    """Replay and report one recording, with a bar of its progress on a terminal."""
    with click.progressbar(
        length=1000, label=job.path.name, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        made = make(job, lambda part: bar.update(round(part * 1000) - bar.pos))
    click.echo(report(made.result) + "\n")
    click.echo(_speed_text(made), err=True)
    return made


def _replay_many(jobs: list[ReplayJob], variant_of: list[str]) -> list[Replay]:
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


def _speed_text(made: Replay) -> str:
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
