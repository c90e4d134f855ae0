"""Sockets that call the timer of their call before every wait, and the connections made of them."""

from __future__ import annotations

import errno
import functools
import os
import socket
import ssl
import struct
from typing import TYPE_CHECKING, Any

import certifi
from urllib3.util import wait_for_write

from execsvc.clients.call_timer import CallTimer, Stage
from execsvc.clock import monotonic

if TYPE_CHECKING:
    from typing_extensions import Buffer

CONNECT_TIMEOUT = 5.0
"""Seconds for making a connection, within those of the call."""


class TimedSocket(socket.socket):
    """A TCP socket; each wait is a slice of the call's time."""

    timer: CallTimer

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """As in socket, but never beyond the deadline of the call."""
        while True:
            self.settimeout(self.timer.slice())
            try:
                return super().recv_into(*args, **kwargs)
            except TimeoutError:
                continue

    def sendall(self, data: Buffer, flags: int = 0) -> None:
        """As in socket, but never beyond the deadline of the call."""
        rest = memoryview(data).cast("B")
        while rest:
            self.settimeout(self.timer.slice())
            self.timer.stage = Stage.SENT
            try:
                rest = rest[super().send(rest, flags) :]
            except TimeoutError:
                continue


class TimedTLSSocket(ssl.SSLSocket):
    """A TLS socket; each wait is a slice of the call's time."""

    timer: CallTimer

    def do_handshake(self, block: bool = False) -> None:
        """Perform the handshake; nothing of the request leaves before that is done."""
        while True:
            self.settimeout(self.timer.slice())
            try:
                return super().do_handshake(block)
            except TimeoutError:
                continue

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """As in socket, but never beyond the deadline of the call."""
        while True:
            self.settimeout(self.timer.slice())
            try:
                return super().recv_into(*args, **kwargs)
            except TimeoutError:
                continue

    def sendall(self, data: Buffer, flags: int = 0) -> None:
        """As in socket, but never beyond the deadline of the call."""
        rest = memoryview(data).cast("B")
        while rest:
            self.settimeout(self.timer.slice())
            self.timer.stage = Stage.SENT
            try:
                rest = rest[super().send(rest, flags) :]
            except TimeoutError:
                # OpenSSL wants the same bytes again, which is what the next pass offers.
                continue


@functools.cache
def ssl_context() -> ssl.SSLContext:
    """The TLS settings of the process, made once: its certificates take 10 ms and 1 MB.

    Trusts what the system trusts, and certifi's list for systems that have none.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    context.sslsocket_class = TimedTLSSocket
    return context


def connect(host: str, port: int, timer: CallTimer) -> TimedSocket:
    """A connection to the first address of ``host`` that takes one. Raises OSError.

    The resolver of the C library cannot be interrupted: that wait alone is not in slices.
    """
    timer.stage = Stage.CONNECTING
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    until = monotonic() + CONNECT_TIMEOUT
    failure: OSError = OSError(f"{host} has no address")
    for place, (family, kind, protocol, _, address) in enumerate(addresses):
        # An equal part each: the first may be of an address family without a route.
        part = (until - monotonic()) / (len(addresses) - place)
        try:
            return _connected(TimedSocket(family, kind, protocol), address, timer, part)
        except OSError as error:
            failure = error
    raise failure


def reset_when_closed(plain: socket.socket, resets: bool) -> None:
    """Let the end of the connection be a reset, which drops what the kernel has not delivered yet.

    That holds for a process that is killed as well. Else the kernel goes on sending what was
    written, for a quarter of an hour, and the request arrives when the line is back.
    """
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", resets, 0))


def give_up_after(plain: socket.socket, seconds: float) -> None:
    """Let the kernel give the connection up when what was written is not taken for so long."""
    milliseconds = max(int(seconds * 1000), 1)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


def _connected(plain: TimedSocket, address: Any, timer: CallTimer, seconds: float) -> TimedSocket:
    plain.timer = timer
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setblocking(False)
        number = plain.connect_ex(address)
        if number == errno.EINPROGRESS:
            number = _outcome(plain, monotonic() + seconds)
        if number:
            raise OSError(number, os.strerror(number))
    except BaseException:
        plain.close()
        raise
    return plain


def _outcome(plain: TimedSocket, until: float) -> int:
    """The result of a connection in progress: an error number, or 0."""
    while not wait_for_write(plain, plain.timer.slice()):
        if monotonic() >= until:
            raise TimeoutError(f"no connection within {CONNECT_TIMEOUT:g} s")
    return plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def wrap(plain: socket.socket, name: str, timer: CallTimer) -> ssl.SSLSocket:
    """TLS over ``plain`` with the server that ``name`` names, verified. Raises OSError."""
    secure = ssl_context().wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False)
    vars(secure)["timer"] = timer
    try:
        secure.do_handshake()
    except BaseException:
        secure.close()
        raise
    return secure
