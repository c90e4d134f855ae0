"""The checks of ``execsvc doctor``: one file a concern; nothing is written, no order is placed."""
