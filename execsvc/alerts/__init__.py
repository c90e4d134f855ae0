"""Alerts: each condition is told once, and again when it is over, by a process of its own."""
