"""A session of requests for one service, without the features that a call to it does not need."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from execsvc.clients.call_timer import CallTimer
from execsvc.clients.connections import Connections

FAULTS = (requests.RequestException, OSError, ValueError)
"""The exceptions for all faults on the network."""


class Session(requests.Session):
    """A session without environment, cookies and redirects; every call goes to ``base_url``."""

    def __init__(self, base_url: str, headers: dict[str, str], timer: CallTimer) -> None:
        super().__init__()
        self._sent = CaseInsensitiveDict(headers)
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.adapters.clear()
        self._service = urlsplit(base_url)
        self._timer = timer
        self.mount(self._origin, _Adapter(self._connections(), len(self._origin)))

    def ask(
        self, method: str, url: str, body: bytes | None, key: str | None = None
    ) -> requests.Response:
        """The answer to one request, its body yet to be read. Raises one of FAULTS.

        ``key`` goes along as ``Idempotency-Key``: the same one says that it is the same request.

        The request is put together here: requests would take as long for that as the call takes,
        and would turn %2E%2E into .. and resolve it.
        """
        request = requests.PreparedRequest()
        request.method, request.url, request.body = method, url, body
        request.headers = self._sent.copy()
        if body is not None:
            request.headers["Content-Type"] = "application/json"
            request.headers["Content-Length"] = str(len(body))
        if key is not None:
            request.headers["Idempotency-Key"] = key
        return self.send(request, stream=True, allow_redirects=False, proxies={})

    def keep_fresh(self, url: str) -> _FreshAdapter:
        """Use a connection of its own for every call to ``url``."""
        known = self.adapters.get(url)
        if isinstance(known, _FreshAdapter):
            return known
        fresh = _FreshAdapter(self._connections(orders=True), len(self._origin))
        self.mount(url, fresh)
        return fresh

    def connect(self, url: str) -> None:
        """Make the connection of the next call to ``url``. Raises one of FAULTS."""
        self.keep_fresh(url).connect()

    def resolve_redirects(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """None: even an unfollowed redirect would be read to its end, whatever its size."""
        return iter(())

    @property
    def _origin(self) -> str:
        return f"{self._service.scheme}://{self._service.netloc}"

    def _connections(self, orders: bool = False) -> Connections:
        secure = self._service.scheme == "https"
        host = self._service.hostname or ""
        return Connections(host, self._service.port, secure, self._timer, orders)


class _Adapter(HTTPAdapter):
    """An adapter with our own connections instead of urllib3's."""

    def __init__(self, connections: Connections, origin: int) -> None:
        self._connections = connections
        self._origin = origin
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the connections exist."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The connections of this adapter, which has one server only."""
        return self._connections

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Do nothing: the process's own TLS settings verify."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """The path and the query, to the letter."""
        return (request.url or "")[self._origin :]

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """The status, the headers and the body of ``resp``, without cookies."""
        response = requests.Response()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw = resp
        response.request, response.url = req, req.url or ""
        return response

    def close(self) -> None:
        """Close the connection."""
        self._connections.close()


class _FreshAdapter(_Adapter):
    """A connection of its own for each call.

    One that was kept alive may be closed by the server just as the request goes out, and then it
    would be unknown whether an order arrived.
    """

    _is_made = False

    def connect(self) -> None:
        """Make the connection of the next call, which goes out on it or not at all. Raises OSError."""
        self._is_made = False
        self._connections.connect()
        self._is_made = True

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """As in requests, on a connection that was never used. Raises OSError."""
        if self._is_made:
            self._is_made = False
            self._connections.keep_to_connection()
        else:
            self._connections.close()
        return super().send(*args, **kwargs)
