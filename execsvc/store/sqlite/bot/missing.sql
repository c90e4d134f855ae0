-- For how long coins that a bot tracks were seen to be missing. Younger than the ledger's first version: added
-- where it is missing. position.gap_since says whether they are missing, and since when.
CREATE TABLE IF NOT EXISTS missing (
    mode    TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    symbol  TEXT NOT NULL,
    since   TEXT NOT NULL,              -- position.gap_since; a row with another one is void
    counted REAL NOT NULL,              -- seconds
    seen_at TEXT NOT NULL,              -- the last read that saw them missing
    PRIMARY KEY (mode, key_id, symbol)
);
