"""A stub of the exchange for a rehearsal: a forked process that answers the first calls of a bot."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

_PRICE = 50_000.0
_FEE = 0.001
"""A fee of 0 would be one to settle by balances, and those of the stub never move."""
_LIFETIME_MS = 10_000
_LEVELS = 50
_TRADES = 200


@contextmanager
def serve() -> Iterator[str]:
    """Run the stub for the length of a block; yields its address.

    Raises OSError.

    The child listens, not this process, in which an operator might take the port for the control
    plane.
    """
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        _open(write_end)
    os.close(write_end)
    try:
        port = os.read(read_end, 16).decode()
        if not port:
            raise OSError("the stub exchange did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.close(read_end)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _open(write_end: int) -> NoReturn:
    """Answer calls until the process is killed, or until ten seconds without a call."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            os.write(write_end, str(listener.getsockname()[1]).encode())
            os.close(write_end)
            _answer(listener)
    finally:
        os._exit(0)


def _answer(listener: socket.socket) -> None:
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    clients: dict[int, socket.socket] = {}
    while ready := waiting.poll(_LIFETIME_MS):
        for descriptor, _ in ready:
            client = clients.get(descriptor)
            if client is None:
                client, _ = listener.accept()
                clients[client.fileno()] = client
                waiting.register(client, select.POLLIN)
            elif request := client.recv(65536):
                while request.startswith(b"POST") and request.endswith(b"\r\n\r\n"):
                    request += client.recv(65536)  # the body comes by itself
                client.sendall(_answer_to(request))
            else:
                waiting.unregister(descriptor)
                clients.pop(descriptor).close()


def _answer_to(request: bytes) -> bytes:
    target, _, rest = request.partition(b" HTTP/1.1\r\n")
    body = json.dumps(_content(target.decode("latin-1"), rest.rpartition(b"\r\n\r\n")[2])).encode()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    return f"{head}{len(body)}\r\n\r\n".encode() + body


def _content(target: str, body: bytes) -> dict[str, Any]:
    if "/balance/" in target:
        held = (("BTC", 1.0), ("USDT", 10_000.0))
        return {"assets": [{"asset": asset, "free": n, "locked": 0.0} for asset, n in held]}
    if "/market/ticker" in target:
        limits = {"min_notional": 5.0, "min_amount": 0.00001}
        return {"symbol": "BTC/USDT", "price": _PRICE, "limits": limits}
    if "/market/depth" in target:
        steps = [round(0.5 * (n + 1), 2) for n in range(_LEVELS)]
        bids = [[_PRICE - step, 0.1] for step in steps]
        asks = [[_PRICE + step, 0.1] for step in steps]
        return {"symbol": "BTC/USDT", "timestamp": None, "bids": bids, "asks": asks}
    if "/market/trades" in target:
        trade = {"timestamp": 1_700_000_000_000, "price": _PRICE, "amount": 0.1, "side": "buy"}
        return {"symbol": "BTC/USDT", "trades": [trade] * _TRADES}
    return _filled(json.loads(body))


def _filled(order: dict[str, Any]) -> dict[str, Any]:
    amount = order["amount"]
    details = {
        "id": "1",
        "clientOrderId": order["client_order_id"],
        "symbol": order["symbol"],
        "side": order["side"],
        "amount": amount,
        "filled": amount,
        "average": _PRICE,
        "cost": amount * _PRICE,
        "status": "closed",
        "fees": [{"currency": "USDT", "cost": amount * _PRICE * _FEE}],
    }
    return {"status": "filled", "order_id": "1", "details": details}
