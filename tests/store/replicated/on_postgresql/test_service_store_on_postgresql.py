"""The suite of every store, on a real PostgreSQL."""

from store.test_service_store_conformance import *  # noqa: F403 - every test and fixture of the suite
