"""The parent of every other process: one thread, one selector; it never waits on the network."""
