"""The address of the PostgreSQL that hosts share: a URL or the name of a libpq service, and a password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from psycopg import Error, pq

from execsvc.errors import ConfigRefused
from execsvc.settings import Settings

_URLS = ("postgresql://", "postgres://")
_KEPT_ALIVE = {
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "8000",
    "target_session_attrs": "read-write",
}
"""Options of libpq that find out about a dead server, or one that is a standby now; the URL's own win."""
_OF_A_HOST = ("host", "hostaddr", "port")


class Address(NamedTuple):
    """The place of a PostgreSQL: one set of libpq's options for each host that may be it."""

    name: str
    """The address in words, without secrets."""
    attempts: tuple[Mapping[str, str], ...]

    def conninfos(self, application_name: str) -> Iterator[bytes]:
        """The connection string of each host, for a connection that shows ``application_name``."""
        for options in self.attempts:
            named = {**options, "application_name": application_name}
            yield " ".join(f"{key}={_quoted(value)}" for key, value in named.items()).encode()


def address(place: str, password: str | None = None) -> Address:
    """The address of ``place``, a URL or the name of a service in libpq's service file.

    ``password`` is used where ``place`` has none; without either, libpq reads PGPASSFILE or ``~/.pgpass``.
    Raises ConfigRefused; what was refused is not quoted, as a password may be in it.
    """
    if not place.startswith(_URLS):
        options = {"service": place}
    else:
        try:
            parsed = pq.Conninfo.parse(place.encode())
        except (Error, UnicodeError):
            raise ConfigRefused(
                "the URL of the store is not postgresql://… (blanks and signs in it as %20, %40 …)"
            ) from None
        options = {
            option.keyword.decode(): option.val.decode()
            for option in parsed
            if option.val is not None
        }
    if password is not None:
        options.setdefault("password", password)
    whole = {**_KEPT_ALIVE, **options}
    return Address(_in_words(options), tuple(_split(whole)))


def address_of(settings: Settings) -> Address:
    """The address that ``settings`` name. Raises ConfigRefused."""
    if settings.store_url is None:
        raise ConfigRefused("EXECSVC_STORE_URL: is not set")
    password = settings.store_password
    return address(
        settings.store_url.get_secret_value(),
        None if password is None else password.get_secret_value(),
    )


def _split(options: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The options of each host of a list: libpq has no time-out a host where it does not wait itself."""
    lists = {key: options[key].split(",") for key in _OF_A_HOST if options.get(key)}
    count = max((len(each) for each in lists.values()), default=1)
    if any(len(each) not in (1, count) for each in lists.values()):
        raise ConfigRefused("the URL of the store has not as many ports as hosts")
    for place in range(count):
        own = {key: each[place % len(each)] for key, each in lists.items()}
        yield {**options, **{key: value for key, value in own.items() if value}}


def _in_words(options: Mapping[str, str]) -> str:
    if "service" in options:
        return f"PostgreSQL service {options['service']}"
    hosts = options.get("host") or options.get("hostaddr") or "localhost"
    database = options.get("dbname") or options.get("user") or ""
    return f"PostgreSQL {hosts}/{database}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
