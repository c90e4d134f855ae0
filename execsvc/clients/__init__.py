"""Clients of the two services that are called, and of the supervisor's control socket."""
