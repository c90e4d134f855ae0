-- What a bot has realised, in quote. Younger than the ledger's first version: added where it is missing.
CREATE TABLE IF NOT EXISTS result (
    mode     TEXT NOT NULL,
    currency TEXT NOT NULL,
    day      TEXT NOT NULL,             -- of UTC, YYYY-MM-DD
    realised TEXT NOT NULL,
    PRIMARY KEY (mode, currency, day)
);
CREATE TABLE IF NOT EXISTS cost_basis (
    mode       TEXT NOT NULL,
    key_id     TEXT NOT NULL,
    symbol     TEXT NOT NULL,
    tracked    TEXT NOT NULL,           -- what the cost is of; the position says what is held
    cost       TEXT NOT NULL,
    sold_short TEXT NOT NULL,
    proceeds   TEXT NOT NULL,
    PRIMARY KEY (mode, key_id, symbol)
);
CREATE TABLE IF NOT EXISTS order_result (
    client_order_id TEXT PRIMARY KEY,
    realised        TEXT NOT NULL,
    cost            TEXT NOT NULL,      -- by how much the order changed cost_basis
    proceeds        TEXT NOT NULL
);
