"""``execsvc sandbox``: a local BotService and paper exchange on one port."""

from __future__ import annotations

from pathlib import Path

import click

from execsvc.cli.exit_codes import exit_codes
from execsvc.errors import ConfigRefused
from execsvc.exit_codes import DONE, REFUSED, UNREACHABLE
from execsvc.recording.files import Recording
from execsvc.sandbox.feeds import RecordedFeed
from execsvc.sandbox.server import read_bots, serve_forever


@click.command(
    epilog=exit_codes(
        (DONE, "ended by SIGTERM or SIGINT"),
        (UNREACHABLE, "the port is taken"),
        (REFUSED, "the file of bots cannot be used"),
    )
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8099,
    show_default=True,
    help="Port of 127.0.0.1 to listen on; 0: any free one.",
)
@click.option(
    "--bots",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A JSON array of bot rows; without it there are none.",
)
@click.option(
    "--market",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A recording to serve as the market, of every symbol; without it the market is synthetic.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 10_000),
    default=1.0,
    show_default=True,
    metavar="N",
    help="Speed of the market, as a multiple of the recorded speed.",
)
def sandbox(port: int, bots: Path | None, market: Path | None, speed: float) -> None:
    """Run a local BotService and paper exchange on one port, for trials and for tests."""
    try:
        rows = [] if bots is None else read_bots(bots)
    except (OSError, ValueError) as error:
        raise ConfigRefused(f"--bots: {error}") from None
    recorded = None if market is None else RecordedFeed(Recording(market), speed)
    serve_forever(port, rows, click.echo, recorded)
