"""The hosts of a shared store as an operator sees them."""

from __future__ import annotations

import json
from typing import NamedTuple

from execsvc.store.postgresql.connection import DatabaseConnection

_STATEMENT = """
SELECT coalesce(json_agg(json_build_array(
    host_id,
    CASE
        WHEN closing THEN 'CLOSING'
        WHEN expires_at = '-infinity' THEN 'LEFT'
        WHEN expires_at <= clock_timestamp() THEN 'SILENT'
        WHEN draining THEN 'DRAINING'
        ELSE 'LIVE'
    END,
    greatest(extract(epoch FROM clock_timestamp() - beat_at), 0)::double precision,
    (SELECT coalesce(json_agg(key_id ORDER BY key_id), '[]') FROM account
        WHERE owner = host_id AND owner_epoch = epoch),
    (SELECT count(*) FROM bot_bot b JOIN account a ON a.key_id = b.key_id
        WHERE a.owner = host_id AND a.owner_epoch = epoch),
    (SELECT count(*) FROM account_intent i JOIN account a ON a.key_id = i.owner
        WHERE a.owner = host_id AND a.owner_epoch = epoch AND i.state IN ('IN_FLIGHT', 'UNKNOWN', 'ARRIVING'))
) ORDER BY host_id), '[]') FROM host
"""


class HostOverview(NamedTuple):
    """One host."""

    host_id: str
    state: str
    """LIVE; DRAINING: hands over its accounts; SILENT: its lease has run out; CLOSING: a peer is taking over;
    LEFT: its lease was ended, by itself or by a peer.
    """
    beat_age: float
    """Seconds since its last beat, by the database's clock."""
    accounts: list[str]
    """The key ids of the accounts that it has claimed."""
    bots: int
    """The count of bots with records whose account it has claimed."""
    open_orders: int


def hosts(connection: DatabaseConnection) -> list[HostOverview]:
    """All hosts that ever joined, by name. Raises LedgerFailed."""
    ((text,),) = connection.call(_STATEMENT).rows
    return [HostOverview(*row) for row in json.loads(text or "[]")]


def unowned(connection: DatabaseConnection) -> list[str]:
    """The accounts that no host has claimed, of hosts that are gone as well. Raises LedgerFailed."""
    statement = (
        "SELECT coalesce(json_agg(key_id ORDER BY key_id), '[]') FROM account a WHERE NOT EXISTS"
        " (SELECT FROM host WHERE host_id = a.owner AND epoch = a.owner_epoch)"
    )
    ((text,),) = connection.call(statement).rows
    found: list[str] = json.loads(text or "[]")
    return found
