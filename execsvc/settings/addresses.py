"""Addresses as an operator writes them: of the services that are called, and of the own ports."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from pydantic import BaseModel, ConfigDict

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*\.?"
_HOST = rf"(?:{_NAME}|\[[0-9A-Fa-f:.]+\])"
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_HOST})(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?P<prefix>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*)",
    re.IGNORECASE,
)
_BIND = re.compile(rf"(?P<host>{_HOST}):(?P<port>[0-9]{{1,5}})")
_LAST_PORT = 65535


class Bind(BaseModel):
    """The address at which the HTTP side listens; port 0 lets the system choose."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int

    @classmethod
    def parse(cls, value: Any) -> Any:
        """The address in ``host:port``, an IPv6 host in brackets. Raises ValueError."""
        if not isinstance(value, str):
            return value
        match = _BIND.fullmatch(value)
        if match is None or int(match["port"]) > _LAST_PORT or not _is_host(match["host"]):
            raise ValueError("is not host:port, with an IPv6 address in brackets")
        return cls(host=match["host"].strip("[]"), port=int(match["port"]))

    @property
    def is_loopback(self) -> bool:
        """True when only this machine can reach it; a name but ``localhost`` may be anywhere."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def service_url(value: str) -> str:
    """``value`` without a trailing slash, when it is the URL of a service. Raises ValueError."""
    match = _URL.fullmatch(value)
    if match is None or not _is_host(match["host"]):
        raise ValueError("is not http(s)://host[:port][/prefix]")
    if match["port"] is not None and not 1 <= int(match["port"]) <= _LAST_PORT:
        raise ValueError("has a port that is not within 1 to 65535")
    if {".", ".."} & set(match["prefix"].split("/")):
        raise ValueError("has . or .. in its prefix")
    return match["scheme"].lower() + value[len(match["scheme"]) :].rstrip("/")


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return len(host) <= 253
    try:
        return bool(ipaddress.IPv6Address(host.strip("[]")))
    except ValueError:
        return False
