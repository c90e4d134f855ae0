"""The records of several hosts in one PostgreSQL: fenced writes, leases of hosts, claims on accounts."""
