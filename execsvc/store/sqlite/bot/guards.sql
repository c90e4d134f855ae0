-- The guards that keep a bot from entering now. Younger than the ledger's first version: added where it is missing.
CREATE TABLE IF NOT EXISTS guard (
    guard  TEXT PRIMARY KEY,
    bound  TEXT NOT NULL,               -- the limit it tripped at, and what it is a limit of
    since  TEXT NOT NULL,
    detail TEXT NOT NULL
);
