-- One bot's ledger. Quantities and prices are decimal strings, times ISO 8601 in UTC.
CREATE TABLE bot (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    bot_id          TEXT NOT NULL,
    mode            TEXT,
    key_id          TEXT,
    symbol          TEXT,
    strategy        TEXT,
    precision       INTEGER,            -- the strategy's quantity_precision
    failing_since   TEXT,               -- since when liquidation has been failing
    alarmed_at      TEXT                -- when that was last said
);
CREATE TABLE position (
    mode        TEXT NOT NULL,
    key_id      TEXT NOT NULL,
    symbol      TEXT NOT NULL,
    strategy    TEXT NOT NULL,
    tracked     TEXT NOT NULL,
    sold_short  TEXT NOT NULL,
    entry_price TEXT,
    opened_at   TEXT,
    dust        INTEGER NOT NULL,
    gap_since   TEXT,                   -- since when the account has held less than is tracked
    PRIMARY KEY (mode, key_id, symbol)
);
CREATE TABLE orders (
    client_order_id TEXT PRIMARY KEY,
    mode            TEXT NOT NULL,
    key_id          TEXT NOT NULL,
    symbol          TEXT NOT NULL,
    side            TEXT NOT NULL,
    amount          TEXT NOT NULL,
    reason          TEXT NOT NULL,
    state           TEXT NOT NULL,
    filled          TEXT NOT NULL,
    average         TEXT,
    cost            TEXT,
    base_fee        TEXT,
    quote_fee       TEXT NOT NULL,
    exchange_id     TEXT,
    booked          TEXT NOT NULL,      -- by how much it changed the base balance
    short           INTEGER NOT NULL,   -- of the user's own base, not of the position
    created_at      TEXT NOT NULL,
    settled_at      TEXT NOT NULL
);
CREATE TABLE strategy_state (
    strategy TEXT PRIMARY KEY,
    state    TEXT NOT NULL
);
CREATE TABLE market (
    key_id       TEXT NOT NULL,
    symbol       TEXT NOT NULL,
    min_amount   TEXT,
    min_notional TEXT,
    decimals     INTEGER,               -- learnt from refusals; NULL: none yet
    proven       INTEGER NOT NULL DEFAULT 0,  -- an order with these decimals was taken
    PRIMARY KEY (key_id, symbol)
);
CREATE TABLE paper_balance (
    key_id TEXT NOT NULL,
    symbol TEXT NOT NULL,
    base   TEXT NOT NULL,
    quote  TEXT NOT NULL,
    PRIMARY KEY (key_id, symbol)
);
CREATE TABLE log (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    at    TEXT NOT NULL,
    event TEXT NOT NULL,
    text  TEXT NOT NULL,
    data  TEXT NOT NULL
);
