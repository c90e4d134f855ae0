"""Memory that is there before the first fork stays shared, and its objects work as before."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

from support.environment import scrubbed
from support.requirements import needs

from execsvc.supervisor.processes.shared_heap import knows_immortals

immortal = needs("immortal objects")


def program(text: str) -> str:
    """The output of a process that shares its heap where the text says so."""
    head = """
        import gc, sys, weakref
        from execsvc.supervisor.processes.shared_heap import knows_immortals, share_heap
    """
    ended = subprocess.run(
        [sys.executable, "-c", dedent(head) + dedent(text)],
        env=scrubbed(),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_it_is_known_where_it_is_possible() -> None:
    assert knows_immortals() is (sys.version_info[:2] in ((3, 12), (3, 13)))


@immortal
def test_what_is_there_is_never_counted_again_and_what_comes_is() -> None:
    assert (
        program("""
        class Kind:
            def method(self, of=("a", 1.5)):
                return len("a constant of a function"), 12345.678

        thing = Kind()
        held = {"list": [object()], "tuple": (object(), "text " * 3), "thing": thing}
        share_heap()
        count = sys.getrefcount(None)
        there = [Kind, thing, Kind.method, Kind.method.__code__, Kind.method.__defaults__,
                 Kind.method.__code__.co_consts, Kind.method.__code__.co_consts[2], held,
                 held["list"], held["list"][0], held["tuple"][0], held["tuple"][1], sys, gc]
        print([sys.getrefcount(each) == count for each in there].count(False))
        new = Kind()
        gone = weakref.ref(new)
        print(sys.getrefcount(new), gc.is_tracked(new) and new in gc.get_objects())
        del new
        print(gone())
        """)
        == "0\n2 True\nNone"
    )


def test_everything_works_as_before() -> None:
    assert (
        program("""
        import collections, decimal, io, itertools, json, re, sqlite3

        class Node:
            pass

        text, data = io.StringIO("ab"), io.BytesIO(b"ab")
        pairs, counted = zip("abc", range(3)), itertools.count(5)
        queue, words = collections.deque([1, 2]), ["b", "a"]
        database = sqlite3.connect(":memory:")
        database.execute("CREATE TABLE t (a)")
        going = (n for n in range(3))
        next(going)
        share_heap()
        for _ in range(100):
            text.write("x" * 50), data.write(b"x" * 50)
        queue.extend(range(100)), words.extend(str(n) for n in range(100)), words.sort()
        database.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(100)])
        print(len(text.getvalue()), len(data.getvalue()), list(pairs), next(counted))
        print(len(queue), words[-2:], database.execute("SELECT sum(a) FROM t").fetchone(), *going)
        print(json.dumps({"a": [1, None]}), decimal.Decimal("0.10") + 1, bool(re.match("a+", "aaa")))
        one, other = Node(), Node()
        one.other, other.other = other, one
        gone = weakref.ref(one)
        del one, other
        gc.collect()
        print(gone())
        """)
        == "5000 5000 [('a', 0), ('b', 1), ('c', 2)] 5\n"
        "102 ['a', 'b'] (4950,) 1 2\n"
        '{"a": [1, null]} 1.10 True\n'
        "None"
    )


def test_collections_leave_alone_what_was_there() -> None:
    assert program(
        "share_heap(); print(gc.get_freeze_count() > 1000, len(gc.get_objects()) < 100)"
    ) == ("True True")
