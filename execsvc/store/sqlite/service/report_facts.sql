-- What the process that delivers reports found out about BotService. Younger than reports.db.
CREATE TABLE IF NOT EXISTS fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
-- The session of BotService that a start of a bot belongs to.
CREATE TABLE IF NOT EXISTS session (
    stem  TEXT NOT NULL,    -- the ledger's file name without suffix
    start TEXT NOT NULL,    -- the start's id in that ledger; empty: from before any
    id    TEXT NOT NULL,    -- JSON of the id that BotService gave it; null: there is none
    PRIMARY KEY (stem, start)
);
-- Orders that BotService was told of and that it has not answered yet.
CREATE TABLE IF NOT EXISTS asked (
    order_id TEXT PRIMARY KEY
);
