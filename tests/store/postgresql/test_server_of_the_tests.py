"""The PostgreSQL that the tests start."""

from __future__ import annotations

from support.postgresql import PostgresServer


def test_server_of_the_tests_syncs_its_files_and_listens_on_no_port(
    postgresql: PostgresServer,
) -> None:
    names = ("fsync", "full_page_writes", "synchronous_commit", "listen_addresses")
    asked = "SELECT " + ", ".join(f"current_setting('{name}')" for name in names)

    assert postgresql.sql("postgres", asked) == "on|on|on|"


def test_server_of_the_tests_new_database_is_a_copy_of_its_template(
    postgresql: PostgresServer,
) -> None:
    template = postgresql.new_database()
    postgresql.sql(template, "CREATE TABLE kept AS SELECT 7 AS number")

    copy = postgresql.new_database(template)

    assert postgresql.sql(copy, "SELECT number FROM kept") == "7"
