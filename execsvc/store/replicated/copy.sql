-- The facts of a copy: for which claim and in which boot it was made, and the last write that is in it.
CREATE TABLE IF NOT EXISTS copy_of (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    key_id     TEXT NOT NULL,           -- the account under whose claim it was made; empty: none
    fence      INTEGER NOT NULL,
    boot_id    TEXT NOT NULL,           -- after a loss of power the file may be older than its claim
    last_write TEXT NOT NULL            -- write_id; empty: none since the copy was made
);
-- The rows that were changed since the last write to the shared records.
CREATE TABLE IF NOT EXISTS unsent (
    name TEXT NOT NULL,                 -- of the table
    key  TEXT NOT NULL,                 -- JSON array of the row's key
    PRIMARY KEY (name, key)
) WITHOUT ROWID;
