"""The suite of every store, on a real PostgreSQL."""

from store.test_outbox_conformance import *  # noqa: F403 - every test and fixture of the suite
