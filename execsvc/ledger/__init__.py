"""What survives a process: one ledger file a bot, one journal file an account.

All SQL of execsvc is in this folder; nothing above it knows that a ledger is a file.
"""
