-- Positions that an operator has given up. Part of the bot's ledger, made when the first row is written.
CREATE TABLE IF NOT EXISTS abandoned (
    at         TEXT NOT NULL,
    mode       TEXT NOT NULL,
    key_id     TEXT NOT NULL,
    symbol     TEXT NOT NULL,
    tracked    TEXT NOT NULL,
    sold_short TEXT NOT NULL
);
