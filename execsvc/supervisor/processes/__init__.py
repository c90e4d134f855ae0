"""Processes of any kind: fork, signals, channels, restarts and the time of the loop."""
