"""One bot, in a process of its own."""
