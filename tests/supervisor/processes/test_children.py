"""Forking, signalling and reaping, each test in a process of its own: it kills what it does not know."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from support.environment import scrubbed

BEGIN = """
import os, select, signal, sys
from execsvc.supervisor.processes.child import Children

children = Children()

def sleep():
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    select.select([], [], [], 600)
    return 0

def wait_for(*some):
    for child in some:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

def descriptors():
    return len(os.listdir("/proc/self/fd"))
"""


def program(text: str) -> str:
    """The output of the program, which must end well."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + textwrap.dedent(text)],
        env=scrubbed(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_exit_codes_are_told() -> None:
    assert (
        program("""
        def raise_it():
            raise ValueError("in the child")

        def leave():
            sys.exit(0)

        made = [children.fork(work, ()) for work in (lambda: 7, raise_it, leave, sleep)]
        children.kill(made[-1])
        wait_for(*made)
        codes = {child.pid: code for child, code in children.reap()}
        print([codes[child.pid] for child in made], len(children))
        """)
        == "[7, 1, 1, -9] 0"
    )


def test_a_dead_child_is_not_reaped_by_the_next_fork() -> None:
    assert (
        program("""
        first = children.fork(lambda: 5, ())
        wait_for(first)
        second = children.fork(lambda: 6, ())
        wait_for(first, second)  # fails when another part has reaped one of them
        print(sorted(code for _, code in children.reap()))
        """)
        == "[5, 6]"
    )


def test_a_signal_sent_before_the_child_listens_is_not_lost() -> None:
    assert (
        program("""
        read, write = os.pipe()

        def work():
            os.read(read, 1)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            return 0

        child = children.fork(work, {read})
        children.send_signal(child, signal.SIGTERM)
        os.write(write, b"x")
        wait_for(child)
        print(children.reap()[0][1])
        """)
        == "-15"
    )


def test_whoever_is_reaped_is_never_signalled() -> None:
    assert (
        program("""
        child = children.fork(lambda: 0, ())
        wait_for(child)
        children.reap()
        child.pid = os.getpid()  # its number went to another process
        children.send_signal(child, signal.SIGTERM)
        children.kill(child)
        print("alive")
        """)
        == "alive"
    )


def test_forks_that_fail_leave_no_descriptor_open() -> None:
    assert (
        program("""
        fork = os.fork

        def none_left():
            raise BlockingIOError(11, "no process left")

        os.fork = none_left
        before, counts = descriptors(), []
        for _ in range(20):
            try:
                children.fork(sleep, ())
            except OSError:
                counts.append(descriptors())
        os.fork = fork
        child = children.fork(lambda: 3, ())
        wait_for(child)
        print({count - before for count in counts}, children.reap()[0][1])
        """)
        == "{0} 3"
    )


def test_a_fork_out_of_descriptors_is_an_error_of_that_fork_alone() -> None:
    assert (
        program("""
        import resource
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        seen = []
        for free in range(1, 10):
            before = descriptors()  # itself it takes one for that
            resource.setrlimit(resource.RLIMIT_NOFILE, (before - 1 + free, hard))
            made = children.fork_all([(sleep, ())] * 3)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            alive = [child for child in made if not isinstance(child, OSError)]
            for child in alive:
                children.kill(child)
            wait_for(*alive)
            children.reap()
            seen.append((len(made), len(alive), descriptors() - before))
        print({count for count, _, _ in seen}, [alive for _, alive, _ in seen], seen[-1][2])
        """)
        == "{3} [0, 0, 0, 3, 3, 3, 3, 3, 3] 0"
    )


def test_a_child_keeps_what_it_was_given_and_nothing_else() -> None:
    assert (
        program("""
        read, write = os.pipe()
        other = os.open("/etc/passwd", os.O_RDONLY)

        def work():
            open_ones = {int(n) for n in os.listdir("/proc/self/fd")}
            os.write(write, str(sorted(open_ones & {0, 1, 2, other, write, read})).encode())
            return 0

        child = children.fork(work, {write})
        wait_for(child)
        children.reap()
        print(os.read(read, 100).decode() == str([0, 1, 2, write]))
        """)
        == "True"
    )


def test_the_lifeline_ends_for_everybody_at_once() -> None:
    assert (
        program("""
        def work():
            os.read(children.lifeline, 1)
            return 9

        made = [children.fork(work, ()) for _ in range(5)]
        children.close_lifeline()
        wait_for(*made)
        print([code for _, code in children.reap()])
        """)
        == "[9, 9, 9, 9, 9]"
    )


def test_of_several_at_once_each_has_its_own_descriptors_and_its_own_error() -> None:
    assert (
        program("""
        pipes = [os.pipe() for _ in range(3)]

        def work(number):
            os.write(pipes[number][1], str(number).encode())
            return sum(os.path.exists(f"/proc/self/fd/{end}") for pipe in pipes for end in pipe)

        fork, calls = os.fork, []

        def second_fails():
            calls.append(1)
            if len(calls) == 2:
                raise BlockingIOError(11, "no process")
            return fork()

        os.fork = second_fails
        works = [(lambda n=n: work(n), {pipes[n][1]}) for n in range(3)]
        first, second, third = children.fork_all(works)
        wait_for(first, third)
        print([code for _, code in children.reap()], second, len(children))
        print(os.read(pipes[0][0], 9), os.read(pipes[2][0], 9))
        """)
        == "[1, 1] [Errno 11] no process 0\nb'0' b'2'"
    )


def test_a_child_costs_no_descriptor_and_leaves_nothing_for_its_siblings_to_destroy() -> None:
    assert (
        program("""
        from multiprocessing import util
        before = descriptors()
        made = [children.fork(sleep, ()) for _ in range(3)]
        print(descriptors() - before, len(util._finalizer_registry))
        for child in made:
            children.kill(child)
        wait_for(*made)
        print([code for _, code in children.reap()])
        """)
        == "0 0\n[-9, -9, -9]"
    )
