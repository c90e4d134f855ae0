"""execsvc: an execution service for trading bots."""

__version__ = "0.1.0"
