-- What BotService is to be told of a bot's orders, in this order. Part of the bot's ledger, made when
-- the first row is written: a service that does not report has no such table.
CREATE TABLE IF NOT EXISTS outbox (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id TEXT NOT NULL,     -- the client_order_id
    kind     TEXT NOT NULL,     -- ORDER, SENT, EXECUTION, FILLED, FAILED
    body     TEXT NOT NULL,     -- JSON of what is told, decimals as text
    UNIQUE (order_id, kind)
);
