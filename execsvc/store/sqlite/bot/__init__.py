"""The file of one bot: its tables, and the process that owns it."""
