"""The documents of the supervisor: status, health, metrics, and what is wrong."""
