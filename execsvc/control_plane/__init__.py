"""The HTTP side: Flask behind gunicorn, in a process of its own that asks the supervisor."""
