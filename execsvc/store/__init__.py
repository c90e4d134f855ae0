"""The records that survive a process: protocols named by meaning, and SQLite files that keep them.

Callers know :class:`BotStore`, :class:`AccountStore` and :class:`ServiceStore`; what a store is made of is
chosen in :mod:`execsvc.store.opening` alone. The unit of ownership is the account.
"""
