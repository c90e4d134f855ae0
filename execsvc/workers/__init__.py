"""The supervisor's children that run no bot: one channel, one main loop, and the work of each."""
