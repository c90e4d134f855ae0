-- How far the outboxes were delivered to BotService. Belongs to the process that delivers.
CREATE TABLE owner (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL
);
CREATE TABLE mark (
    stem     TEXT PRIMARY KEY,  -- the ledger's file name without suffix
    order_id TEXT NOT NULL,
    kind     TEXT NOT NULL,
    at       TEXT NOT NULL
);
CREATE TABLE given (
    order_id TEXT PRIMARY KEY,  -- the client_order_id
    id       TEXT NOT NULL      -- JSON of the id that BotService gave it
);
