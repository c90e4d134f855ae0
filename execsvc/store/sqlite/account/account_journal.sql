-- One account's journal: every order intent of every bot, and what the balance should be.
CREATE TABLE account (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    key_id TEXT NOT NULL
);
CREATE TABLE intent (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    client_order_id TEXT NOT NULL UNIQUE,
    bot_id          TEXT NOT NULL,
    symbol          TEXT NOT NULL,
    side            TEXT NOT NULL,
    amount          TEXT NOT NULL,
    reason          TEXT NOT NULL,
    price           TEXT,
    baseline_base   TEXT NOT NULL,
    baseline_quote  TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    post_ended_at   TEXT,
    at_least        TEXT NOT NULL DEFAULT '0',  -- lower bound of what was filled
    state           TEXT NOT NULL,
    filled          TEXT NOT NULL DEFAULT '0',
    average         TEXT,
    cost            TEXT,
    base_fee        TEXT,
    quote_fee       TEXT NOT NULL DEFAULT '0',
    exchange_id     TEXT,
    settled_at      TEXT,
    detail          TEXT NOT NULL DEFAULT '',
    adopted         INTEGER NOT NULL DEFAULT 0, -- the bot's own ledger has it
    short           INTEGER NOT NULL DEFAULT 0  -- of the user's own base, not of the position
);
CREATE INDEX intent_not_adopted ON intent (bot_id) WHERE adopted = 0;
CREATE INDEX intent_unsettled ON intent (seq) WHERE state IN ('IN_FLIGHT', 'UNKNOWN', 'ARRIVING');
CREATE INDEX intent_contested ON intent (bot_id) WHERE state = 'CONTESTED';
CREATE TABLE expected (
    asset     TEXT PRIMARY KEY,
    amount    TEXT NOT NULL,
    tolerance TEXT NOT NULL,
    filled_at TEXT NOT NULL
);
CREATE TABLE release (
    bot_id TEXT PRIMARY KEY,
    at     TEXT NOT NULL
);
