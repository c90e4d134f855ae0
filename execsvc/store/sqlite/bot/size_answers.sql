-- What exchanges answered to the amounts of the bot's orders. Younger than the ledger's first version: added where it is missing.
CREATE TABLE IF NOT EXISTS size_answer (
    client_order_id TEXT PRIMARY KEY,
    key_id  TEXT NOT NULL,
    symbol  TEXT NOT NULL,
    side    TEXT NOT NULL,
    amount  TEXT NOT NULL,
    price   TEXT,                       -- of the ticker when the order was sent
    refusal TEXT,                       -- its meaning; NULL: the amount was taken
    at      TEXT NOT NULL
);
-- The order after which entries are counted anew, by an operator's release.
CREATE TABLE IF NOT EXISTS released (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    after_order INTEGER NOT NULL        -- rowid in orders
);
