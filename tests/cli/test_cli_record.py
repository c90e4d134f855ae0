from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.deadline import eventually
from support.environment import scrubbed
from support.exchange import Exchange

from execsvc.clients.exchange_adapter import ExchangeAdapter
from execsvc.clients.http import HttpClient
from execsvc.clock import now
from execsvc.recording.files import Recording, find
from execsvc.recording.lines import TradeLine
from execsvc.recording.writer import DayWriter
from execsvc.replay.market_recorder import MarketRecorder
from execsvc.store.opening import store_in_memory


def test_trades_are_written_once_and_errors_are_survived(
    exchange: Exchange, tmp_path: Path
) -> None:
    def trades(*stamps: int) -> None:
        row = {"price": "50000", "amount": "1", "side": "buy"}
        exchange.market(trades=[{"timestamp": 10**12 + stamp, **row} for stamp in stamps])

    said: list[str] = []
    adapter = ExchangeAdapter(
        HttpClient(exchange.url, None, 60), "k1", store_in_memory().pause("k1")
    )
    writer = DayWriter(tmp_path / "m.jsonl")
    recorder = MarketRecorder(adapter, "BTC/USDT", writer, said.append)
    for stamps in ((1,), (1, 2), (1, 2, 2), (2, 2, 3)):
        trades(*stamps)
        recorder.read_once()
    exchange.fault("refuse", call="depth", times=9)
    recorder.read_once()
    exchange.heal()
    trades(3, 4)
    recorder.read_once()
    writer.close()

    lines = list(Recording(find([tmp_path])[0]))
    assert len([line for line in lines if isinstance(line, TradeLine)]) == 4
    assert len(said) == 1
    assert "GET /market/depth" in said[0]


def test_recorder_one_stamp_of_another_time_is_not_recorded(
    exchange: Exchange, tmp_path: Path
) -> None:
    ahead = int(now().timestamp() * 1000) + 24 * 3600 * 1000
    writer = DayWriter(tmp_path / "m.jsonl")
    adapter = ExchangeAdapter(
        HttpClient(exchange.url, None, 60), "k1", store_in_memory().pause("k1")
    )
    recorder = MarketRecorder(adapter, "BTC/USDT", writer, print)
    exchange.fault("patch", call="depth", times=1, body={"timestamp": ahead})
    recorder.read_once()
    row = {"price": "50000", "amount": "1", "side": "buy"}
    exchange.market(price="50001", trades=[{"timestamp": ahead, **row}])
    recorder.read_once()
    writer.close()

    lines = list(Recording(find([tmp_path])[0]))
    assert len(lines) == 2
    assert all(line.t < ahead - 3600 * 1000 for line in lines)


@pytest.mark.daemon
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_a_whole_file(
    exchange: Exchange, tmp_path: Path, end: signal.Signals
) -> None:
    exchange.market(price=None)
    command = [sys.executable, "-m", "execsvc", "record", "--symbol", "BTC/USDT", "--key", "k1"]
    options = ["--out", str(tmp_path / "m.jsonl.gz"), "--every", "0.1"]
    url = ["--exchange-adapter-url", exchange.url, "--state-dir", str(tmp_path / "state")]
    with subprocess.Popen(
        [*command, *options, *url], env=scrubbed(), stderr=subprocess.PIPE, text=True
    ) as running:
        eventually(lambda: exchange.requests_of("trades") >= 10, "it looks again and again", 60)
        running.send_signal(end)
        _, err = running.communicate(timeout=60)

    assert running.returncode == 0
    (path,) = tmp_path.glob("m-*.jsonl.gz")
    assert len(list(Recording(path))) >= 2
    assert "books and" in err
