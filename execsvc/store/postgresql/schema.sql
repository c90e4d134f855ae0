-- What several hosts share. The version is in cluster.schema_version; execsvc.store.postgresql.schema has the same.
--
-- cluster ... service_record belong to no bot. The tables below them are the twins of those in store/sqlite/bot/*.sql
-- and store/sqlite/account/*.sql: the same columns in the same order, decimals and times as the very text that SQLite
-- keeps, after the owner (bot_id or key_id) and SQLite's rowid. A column with a default is PostgreSQL's own.
CREATE SCHEMA execsvc;
SET search_path = execsvc;

CREATE TABLE cluster (
    id                integer PRIMARY KEY CHECK (id = 1),
    schema_version    integer NOT NULL,
    order_timeout     double precision, -- seconds; NULL until the first host enlists; hosts that differ are refused
    settlement_window double precision, -- seconds
    ttl               double precision, -- seconds from a host's beat to the end of its lease
    acknowledged      bigint NOT NULL   -- the timeline of PostgreSQL that hosts trust; on another one all is frozen
);
INSERT INTO cluster (id, schema_version, acknowledged)
    VALUES (1, 1, ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint);
CREATE TABLE host (
    host_id      text COLLATE "C" PRIMARY KEY,
    incarnation  text NOT NULL,         -- one life of the service on that host: machine/nonce
    epoch        bigint NOT NULL,       -- grows when the host joins, and when a peer ends its epoch
    closing      boolean NOT NULL,      -- between the two steps that end an epoch: its statements may still land
    beat         bigint NOT NULL,       -- count of its beats
    beat_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    backend_pids integer[] NOT NULL,    -- of its connections, as the last beat told
    draining     boolean NOT NULL
);
CREATE TABLE account (
    key_id      text COLLATE "C" PRIMARY KEY,
    owner       text,                   -- the host that has claimed the account; NULL: it was released
    owner_epoch bigint,                 -- of that host at its claim
    fence       bigint NOT NULL         -- grows from claim to claim
);
-- Outcomes of orders that a host reports after it has lost the account. Rows are only ever added.
CREATE TABLE evidence (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    host_id         text NOT NULL,
    key_id          text COLLATE "C" NOT NULL,
    client_order_id text COLLATE "C" NOT NULL,
    content         text NOT NULL       -- JSON
);
CREATE INDEX evidence_of ON evidence (key_id, client_order_id);
-- Writes that were recorded, and writes of which an asker was told that they never will be.
CREATE TABLE written (
    write_id text COLLATE "C" PRIMARY KEY,
    void     boolean NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX written_at ON written USING brin (at);
CREATE TABLE service_record (
    name    text COLLATE "C" PRIMARY KEY,
    content bytea NOT NULL,
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE bot_bot (
    owner         text COLLATE "C" NOT NULL,
    row_id        bigint NOT NULL,
    id            bigint NOT NULL,
    bot_id        text NOT NULL,
    mode          text,
    key_id        text,
    symbol        text,
    strategy      text,
    precision     bigint,
    failing_since text,
    alarmed_at    text,
    PRIMARY KEY (owner, id)
);
CREATE TABLE bot_position (
    owner       text COLLATE "C" NOT NULL,
    row_id      bigint NOT NULL,
    mode        text COLLATE "C" NOT NULL,
    key_id      text COLLATE "C" NOT NULL,
    symbol      text COLLATE "C" NOT NULL,
    strategy    text NOT NULL,
    tracked     text NOT NULL,
    sold_short  text NOT NULL,
    entry_price text,
    opened_at   text,
    dust        bigint NOT NULL,
    gap_since   text,
    PRIMARY KEY (owner, mode, key_id, symbol)
);
CREATE TABLE bot_orders (
    owner           text COLLATE "C" NOT NULL,
    row_id          bigint NOT NULL,
    client_order_id text COLLATE "C" NOT NULL,
    mode            text NOT NULL,
    key_id          text NOT NULL,
    symbol          text NOT NULL,
    side            text NOT NULL,
    amount          text NOT NULL,
    reason          text NOT NULL,
    state           text NOT NULL,
    filled          text NOT NULL,
    average         text,
    cost            text,
    base_fee        text,
    quote_fee       text NOT NULL,
    exchange_id     text,
    booked          text NOT NULL,
    short           bigint NOT NULL,
    created_at      text NOT NULL,
    settled_at      text NOT NULL,
    PRIMARY KEY (owner, client_order_id)
);
CREATE TABLE bot_strategy_state (
    owner    text COLLATE "C" NOT NULL,
    row_id   bigint NOT NULL,
    strategy text COLLATE "C" NOT NULL,
    state    text NOT NULL,
    PRIMARY KEY (owner, strategy)
);
CREATE TABLE bot_market (
    owner        text COLLATE "C" NOT NULL,
    row_id       bigint NOT NULL,
    key_id       text COLLATE "C" NOT NULL,
    symbol       text COLLATE "C" NOT NULL,
    min_amount   text,
    min_notional text,
    decimals     bigint,
    proven       bigint NOT NULL,
    PRIMARY KEY (owner, key_id, symbol)
);
CREATE TABLE bot_paper_balance (
    owner  text COLLATE "C" NOT NULL,
    row_id bigint NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    symbol text COLLATE "C" NOT NULL,
    base   text NOT NULL,
    quote  text NOT NULL,
    PRIMARY KEY (owner, key_id, symbol)
);
CREATE TABLE bot_log (
    owner  text COLLATE "C" NOT NULL,
    row_id bigint NOT NULL,
    seq    bigint NOT NULL,
    at     text NOT NULL,
    event  text NOT NULL,
    text   text NOT NULL,
    data   text NOT NULL,
    PRIMARY KEY (owner, seq)
);
CREATE TABLE bot_abandoned (
    owner      text COLLATE "C" NOT NULL,
    row_id     bigint NOT NULL,
    at         text NOT NULL,
    mode       text NOT NULL,
    key_id     text NOT NULL,
    symbol     text NOT NULL,
    tracked    text NOT NULL,
    sold_short text NOT NULL,
    PRIMARY KEY (owner, row_id)
);
CREATE TABLE bot_guard (
    owner  text COLLATE "C" NOT NULL,
    row_id bigint NOT NULL,
    guard  text COLLATE "C" NOT NULL,
    bound  text NOT NULL,
    since  text NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (owner, guard)
);
CREATE TABLE bot_missing (
    owner   text COLLATE "C" NOT NULL,
    row_id  bigint NOT NULL,
    mode    text COLLATE "C" NOT NULL,
    key_id  text COLLATE "C" NOT NULL,
    symbol  text COLLATE "C" NOT NULL,
    since   text NOT NULL,
    counted double precision NOT NULL,
    seen_at text NOT NULL,
    PRIMARY KEY (owner, mode, key_id, symbol)
);
CREATE TABLE bot_outbox (
    owner    text COLLATE "C" NOT NULL,
    row_id   bigint NOT NULL,
    seq      bigint NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    body     text NOT NULL,
    PRIMARY KEY (owner, seq),
    UNIQUE (owner, order_id, kind)
);
CREATE TABLE bot_result (
    owner    text COLLATE "C" NOT NULL,
    row_id   bigint NOT NULL,
    mode     text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    day      text COLLATE "C" NOT NULL,
    realised text NOT NULL,
    PRIMARY KEY (owner, mode, currency, day)
);
CREATE TABLE bot_cost_basis (
    owner      text COLLATE "C" NOT NULL,
    row_id     bigint NOT NULL,
    mode       text COLLATE "C" NOT NULL,
    key_id     text COLLATE "C" NOT NULL,
    symbol     text COLLATE "C" NOT NULL,
    tracked    text NOT NULL,
    cost       text NOT NULL,
    sold_short text NOT NULL,
    proceeds   text NOT NULL,
    PRIMARY KEY (owner, mode, key_id, symbol)
);
CREATE TABLE bot_order_result (
    owner           text COLLATE "C" NOT NULL,
    row_id          bigint NOT NULL,
    client_order_id text COLLATE "C" NOT NULL,
    realised        text NOT NULL,
    cost            text NOT NULL,
    proceeds        text NOT NULL,
    PRIMARY KEY (owner, client_order_id)
);
CREATE TABLE bot_size_answer (
    owner           text COLLATE "C" NOT NULL,
    row_id          bigint NOT NULL,
    client_order_id text COLLATE "C" NOT NULL,
    key_id          text NOT NULL,
    symbol          text NOT NULL,
    side            text NOT NULL,
    amount          text NOT NULL,
    price           text,
    refusal         text,
    at              text NOT NULL,
    PRIMARY KEY (owner, client_order_id)
);
CREATE TABLE bot_released (
    owner       text COLLATE "C" NOT NULL,
    row_id      bigint NOT NULL,
    id          bigint NOT NULL,
    after_order bigint NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE TABLE bot_starts (
    owner   text COLLATE "C" NOT NULL,
    row_id  bigint NOT NULL,
    seq     bigint NOT NULL,
    id      text COLLATE "C" NOT NULL,
    place   bigint NOT NULL,
    booting bigint NOT NULL,
    PRIMARY KEY (owner, seq),
    UNIQUE (owner, id)
);
CREATE TABLE bot_moment (
    owner    text COLLATE "C" NOT NULL,
    row_id   bigint NOT NULL,
    what     text COLLATE "C" NOT NULL,
    at       text NOT NULL,
    boottime double precision NOT NULL,
    boot_id  text NOT NULL,
    PRIMARY KEY (owner, what)
);
-- The twin of SQLite's own table for AUTOINCREMENT: a number must not be given twice.
CREATE TABLE bot_sqlite_sequence (
    owner  text COLLATE "C" NOT NULL,
    row_id bigint NOT NULL,
    name   text COLLATE "C" NOT NULL,
    seq    bigint NOT NULL,
    PRIMARY KEY (owner, name)
);

CREATE TABLE account_account (
    owner  text COLLATE "C" NOT NULL,
    row_id bigint NOT NULL,
    id     bigint NOT NULL,
    key_id text NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE TABLE account_intent (
    owner           text COLLATE "C" NOT NULL,
    row_id          bigint NOT NULL,
    seq             bigint NOT NULL,
    client_order_id text COLLATE "C" NOT NULL,
    bot_id          text NOT NULL,
    symbol          text NOT NULL,
    side            text NOT NULL,
    amount          text NOT NULL,
    reason          text NOT NULL,
    price           text,
    baseline_base   text NOT NULL,
    baseline_quote  text NOT NULL,
    created_at      text NOT NULL,
    post_ended_at   text,
    at_least        text NOT NULL,
    state           text NOT NULL,
    filled          text NOT NULL,
    average         text,
    cost            text,
    base_fee        text,
    quote_fee       text NOT NULL,
    exchange_id     text,
    settled_at      text,
    detail          text NOT NULL,
    adopted         bigint NOT NULL,
    short           bigint NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT clock_timestamp(), -- by the clock of the database
    PRIMARY KEY (owner, seq),
    UNIQUE (owner, client_order_id)
);
CREATE TABLE account_expected (
    owner     text COLLATE "C" NOT NULL,
    row_id    bigint NOT NULL,
    asset     text COLLATE "C" NOT NULL,
    amount    text NOT NULL,
    tolerance text NOT NULL,
    filled_at text NOT NULL,
    PRIMARY KEY (owner, asset)
);
CREATE TABLE account_release (
    owner  text COLLATE "C" NOT NULL,
    row_id bigint NOT NULL,
    bot_id text COLLATE "C" NOT NULL,
    at     text NOT NULL,
    PRIMARY KEY (owner, bot_id)
);
CREATE TABLE account_doubt (
    owner    text COLLATE "C" NOT NULL,
    row_id   bigint NOT NULL,
    bot_id   text COLLATE "C" NOT NULL,
    symbol   text COLLATE "C" NOT NULL,
    verdict  text NOT NULL,
    at       text NOT NULL,
    detail   text NOT NULL,
    order_at text,
    PRIMARY KEY (owner, bot_id, symbol)
);
CREATE TABLE account_compared (
    owner   text COLLATE "C" NOT NULL,
    row_id  bigint NOT NULL,
    subject text COLLATE "C" NOT NULL,
    start   text NOT NULL,
    PRIMARY KEY (owner, subject)
);
CREATE TABLE account_decided (
    owner  text COLLATE "C" NOT NULL,
    row_id bigint NOT NULL,
    bot_id text COLLATE "C" NOT NULL,
    times  bigint NOT NULL,
    PRIMARY KEY (owner, bot_id)
);
CREATE TABLE account_acknowledged (
    owner    text COLLATE "C" NOT NULL,
    row_id   bigint NOT NULL,
    bot_id   text COLLATE "C" NOT NULL,
    order_at text NOT NULL,
    PRIMARY KEY (owner, bot_id)
);
CREATE TABLE account_fee (
    owner           text COLLATE "C" NOT NULL,
    row_id          bigint NOT NULL,
    client_order_id text COLLATE "C" NOT NULL,
    asset           text COLLATE "C" NOT NULL,
    amount          text NOT NULL,
    at              text NOT NULL,
    PRIMARY KEY (owner, client_order_id, asset)
);
CREATE TABLE account_locked (
    owner           text COLLATE "C" NOT NULL,
    row_id          bigint NOT NULL,
    asset           text COLLATE "C" NOT NULL,
    client_order_id text COLLATE "C" NOT NULL,
    amount          text NOT NULL,
    PRIMARY KEY (owner, asset, client_order_id)
);
CREATE TABLE account_moment (
    owner    text COLLATE "C" NOT NULL,
    row_id   bigint NOT NULL,
    what     text COLLATE "C" NOT NULL,
    at       text NOT NULL,
    boottime double precision NOT NULL,
    boot_id  text NOT NULL,
    PRIMARY KEY (owner, what)
);
-- The twin of SQLite's own table for AUTOINCREMENT: a number must not be given twice.
CREATE TABLE account_sqlite_sequence (
    owner  text COLLATE "C" NOT NULL,
    row_id bigint NOT NULL,
    name   text COLLATE "C" NOT NULL,
    seq    bigint NOT NULL,
    PRIMARY KEY (owner, name)
);
-- One order at a time per account.
CREATE UNIQUE INDEX account_intent_open ON account_intent (owner) WHERE state IN ('IN_FLIGHT', 'UNKNOWN', 'ARRIVING');
