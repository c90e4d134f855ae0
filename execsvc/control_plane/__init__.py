"""The HTTP side: Flask behind gunicorn, in a child of its own, asking the supervisor."""
