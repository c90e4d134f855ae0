"""The control socket: its file, its calls and their answers.

The supervisor listens at two sockets. ``control.sock``, of one JSON line each way and for this user alone,
is answered by the loop itself. The TCP socket for HTTP is only made here, so that it outlives the process
that answers at it; that process asks at ``control.sock``, as every command does, because it may
wait for a slow client, and the loop may not.
"""
