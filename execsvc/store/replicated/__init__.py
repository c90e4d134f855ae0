"""The store of several hosts: SQLite files as copies of records that the hosts share, kept equal to them.

The shared records (:class:`execsvc.store.postgresql.remote.Remote`) are the truth. A host keeps a copy of
each account that it has claimed and of the account's bots, in the files and by the code of the SQLite store.
Triggers of a connection note the rows that it changes (:mod:`capture`). Just before a durable transaction
commits, the last state of each noted row is sent under the claim on the account; the answer decides between
commit and rollback (:mod:`replica`). Transactions that are not durable go with the next durable one, or after
a few seconds. A copy is made anew for each claim, in one transaction (:mod:`copies`), and a bot's
also at each opening. Bots of other hosts are read from the shared records (:mod:`elsewhere`). A copy does
not wait for the disk: after a loss of power none is used again.

A bot is written under the claim on the account that it is bound to, also on paper; a bot that was never bound
to an account is written under none. Only the host of the first account binds a bot to another one.
"""
