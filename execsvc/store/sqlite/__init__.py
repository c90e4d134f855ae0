"""The records that survive a process: a ledger file for each bot, a journal file for each account.

All SQL of execsvc is in this folder; nothing above it knows that a ledger is a file.
"""
