"""The store of several hosts: SQLite files as copies of records that the hosts share, kept equal to them."""
