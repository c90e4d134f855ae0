"""The store in SQLite: a ledger file for each bot, a journal file for each account.

All SQL of execsvc is in this folder; nothing outside it knows that a ledger is a file.
"""
