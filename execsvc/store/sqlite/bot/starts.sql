-- Where in the outbox each start of the bot's process begins. Part of the bot's ledger, made with the first row.
CREATE TABLE IF NOT EXISTS starts (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    place   INTEGER NOT NULL,   -- seq of the newest row that the outbox ever had
    booting INTEGER NOT NULL    -- 1: BotService waits for POST /bots/{id}/start
);
