"""The kill switch when the way to the service is gone: its socket, its folder, or the halt's own file."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest
from support.bot_process import bot_row
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.store_files import HALTED
from support.stores import store_in
from support.verdicts import assert_flat, assert_over, listed_again


def holding(daemon: Daemon, exchange: Exchange) -> Path:
    """Start it with a bot that holds; its runtime directory."""
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    return Path(daemon.environ["EXECSVC_RUNTIME_DIR"])


@pytest.mark.says("control_renewed")
@pytest.mark.parametrize("gone", ["socket", "folder", "another file"])
def test_socket_taken_away_is_made_again_and_halt_reaches_it(
    daemon: Daemon, exchange: Exchange, gone: str
) -> None:
    run = holding(daemon, exchange)
    path = run / "control.sock"
    if gone == "folder":
        shutil.rmtree(run)
    else:
        path.unlink()
        if gone == "another file":
            path.write_text("")
    done = daemon.command("halt")
    assert done.returncode == 0, done
    assert done.stdout.splitlines()[-1] == "every bot has ended flat"
    assert_flat(exchange)
    assert path.stat().st_mode & 0o777 == 0o600
    assert daemon.status()["halted"]["reason"] == "by an operator"
    assert daemon.command("resume").returncode == 0
    daemon.until_holding()
    assert daemon.stop() == 0
    assert not path.exists()
    assert_over(daemon, exchange, crumbs=2)


@pytest.mark.parametrize("command", ["stop", "status of the control plane"])
@pytest.mark.usefixtures("listing_only")
def test_socket_taken_away_other_callers_reach_the_service_again(
    daemon: Daemon, exchange: Exchange, command: str
) -> None:
    run = holding(daemon, exchange)
    (run / "control.sock").unlink()
    if command == "stop":
        done = daemon.command("stop", "b1")
        assert (done.returncode, done.stdout) == (0, "bot b1 is HELD and flat\n"), done
    else:
        assert daemon.get("/status").status_code == 503
        eventually(lambda: daemon.get("/status").status_code == 200, "/status answers")
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


@pytest.mark.says("control_lost")
def test_halt_without_any_way_to_the_socket_is_read_from_its_file(
    daemon: Daemon, exchange: Exchange
) -> None:
    run = holding(daemon, exchange)
    (run / "control.sock").unlink()
    run.chmod(0o755)  # no place any more for a socket that is ours alone
    done = daemon.command("halt", "--reason", "the exchange lies", "--timeout", "4")
    assert done.returncode == 69
    assert f"pid {daemon.pid}: the service reads halted.json at its next poll" in done.stderr
    assert_flat(exchange)
    eventually(lambda: "the control socket is gone and cannot be made again" in daemon.log)
    assert not (run / "control.sock").exists()
    run.chmod(0o700)
    eventually((run / "control.sock").exists, "it is made again")
    assert daemon.command("halt").returncode == 0
    assert daemon.status()["halted"]["reason"] == "the exchange lies"
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_socket_of_another_program_is_left_alone_until_it_is_gone(
    daemon: Daemon, exchange: Exchange
) -> None:
    path = holding(daemon, exchange) / "control.sock"
    path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as foreign:
        foreign.bind(str(path))
        foreign.listen()
        eventually(lambda: "belongs to another supervisor that is alive" in daemon.log)
        inode = path.stat().st_ino
        assert daemon.command("halt", "--no-wait", "--reason", "x").returncode == 69
        eventually(lambda: not exchange.bots_base() >= 1e-5, "it has sold")
        assert path.stat().st_ino == inode
    assert daemon.command("halt").returncode == 0
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


@pytest.mark.says("halt_restored")
def test_file_written_by_others_halts_and_its_loss_ends_no_halt(
    daemon: Daemon, exchange: Exchange
) -> None:
    holding(daemon, exchange)
    store_in(daemon.state_dir).halt().begin("copied here by hand")
    daemon.until("STOPPED")
    assert_flat(exchange)
    assert daemon.health()[1]["reasons"] == ["trading is halted: copied here by hand"]
    file = daemon.state_dir / HALTED
    file.unlink()
    eventually(file.exists, "it is written again")
    assert daemon.bot()["state"] == "STOPPED"
    file.write_text("{")  # damaged: what is in force stays in force, reason and all
    listed_again(exchange, 4)
    assert daemon.status()["halted"]["reason"] == "copied here by hand"
    assert daemon.command("resume").returncode == 0
    daemon.until_holding()
    assert not file.exists()
    assert daemon.stop() == 0
    assert_over(daemon, exchange, crumbs=2)


def test_damaged_file_halts_a_service_that_runs(daemon: Daemon, exchange: Exchange) -> None:
    holding(daemon, exchange)
    (daemon.state_dir / HALTED).write_text("{")
    daemon.until("STOPPED")
    assert_flat(exchange)
    assert "halted.json cannot be read" in daemon.health()[1]["reasons"][0]
    assert daemon.stop() == 0
    assert_over(daemon, exchange)


def test_runtime_directory_of_a_login_session_is_warned_of_at_the_start(
    daemon: Daemon, exchange: Exchange, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    session.mkdir(mode=0o700)
    run = str(session / "execsvc")
    daemon.start(XDG_RUNTIME_DIR=str(session), EXECSVC_RUNTIME_DIR=run)
    assert f"EXECSVC_RUNTIME_DIR ({run}) is emptied when the last session" in daemon.log
    assert daemon.stop() == 0
