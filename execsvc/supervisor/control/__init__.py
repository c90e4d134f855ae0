"""The control socket: its file, its calls and their answers."""
