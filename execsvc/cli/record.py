"""``execsvc record``: records a live market for replay."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

import click

from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import SettingsSource, adapter_options
from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.service_http import adapter_http
from execsvc.clock import monotonic
from execsvc.dispositions import not_ignored
from execsvc.errors import ConfigRefused, StopRequested
from execsvc.exit_codes import DONE, REFUSED, UNREACHABLE
from execsvc.recording.writer import DayWriter
from execsvc.replay.market_recorder import MarketRecorder
from execsvc.store.opening import open_store

EndSignals = set[signal.Signals]


@click.command(
    epilog=exit_codes(
        (DONE, "ended by Ctrl-C or SIGTERM; the file is whole"),
        (UNREACHABLE, "the file cannot be written"),
        (REFUSED, "the configuration is refused"),
    )
)
@click.option("--symbol", required=True, metavar="BASE/QUOTE", help="The market.")
@click.option("--key", required=True, metavar="KEY_ID", help="The account whose key is used.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="NAME.jsonl or NAME.jsonl.gz; each UTC day has a file NAME-YYYY-MM-DD.",
)
@click.option(
    "--every",
    type=click.FloatRange(0.1, 60),
    default=1.0,
    show_default=True,
    metavar="SEC",
    help="Time from one read of the market to the next.",
)
@adapter_options
def record(source: SettingsSource, symbol: str, key: str, out: Path, every: float) -> None:
    """Record book and trades of a live market, until Ctrl-C, in the format that replay reads."""
    settings = source.without_services()
    if not settings.exchange_adapter_url:
        raise ConfigRefused("EXECSVC_EXCHANGE_ADAPTER_URL: is required")
    end_signals = {signal.SIGTERM, *not_ignored(signal.SIGINT)}
    http = adapter_http(settings, partial(_raise_if_signalled, end_signals))
    adapter = ExchangeAdapter(http, key, open_store(settings).pause(key))
    writer = DayWriter(out)
    # Taken only between two lines, and while waiting: a line is written whole.
    signal.pthread_sigmask(signal.SIG_BLOCK, end_signals)
    try:
        _record_until_signal(MarketRecorder(adapter, symbol, writer, _warn), every, end_signals)
    except StopRequested:
        click.echo(f"{writer.books} books and {writer.trades} trades written", err=True)
    finally:
        writer.close()


def _record_until_signal(recorder: MarketRecorder, every: float, end_signals: EndSignals) -> None:
    due = monotonic()
    while True:
        recorder.read_once()
        due = max(due + every, monotonic())
        if signal.sigtimedwait(end_signals, max(due - monotonic(), 0)) is not None:
            raise StopRequested


def _raise_if_signalled(end_signals: EndSignals, interruptible: bool) -> None:
    """Raise StopRequested after a signal to end; called during a wait on the network."""
    if interruptible and signal.sigpending() & end_signals:
        raise StopRequested


def _warn(text: str) -> None:
    click.echo(f"execsvc: {text}", err=True)
