"""Alerts: one for the begin of each condition, and one for its end, sent by a process of its own."""
