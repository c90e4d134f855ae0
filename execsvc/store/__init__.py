"""The records that survive a process."""
