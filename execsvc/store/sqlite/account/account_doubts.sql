-- Positions that the account may not hold any more: the state directory is older than it, or from another machine.
-- Younger than the journal's first version.
CREATE TABLE IF NOT EXISTS doubt (
    bot_id TEXT NOT NULL,
    symbol TEXT NOT NULL,
    verdict TEXT NOT NULL,               -- gone: to be booked by the bot's own process; contested: an operator decides
    at TEXT NOT NULL,
    detail TEXT NOT NULL,
    order_at TEXT,                       -- of the newest order by BotService, where that is the reason
    PRIMARY KEY (bot_id, symbol)
);
-- For which start of the service the account (subject ''), or a bot of it, was compared with its balance.
CREATE TABLE IF NOT EXISTS compared (
    subject TEXT PRIMARY KEY,
    start TEXT NOT NULL
);
-- Count of the decisions on the doubts of a bot: a comparison that began before the last one finds nothing new.
CREATE TABLE IF NOT EXISTS decided (
    bot_id TEXT PRIMARY KEY,
    times INTEGER NOT NULL
);
-- The newest order of a bot, by BotService, of which an operator has said what became of it.
CREATE TABLE IF NOT EXISTS acknowledged (
    bot_id TEXT PRIMARY KEY,
    order_at TEXT NOT NULL
);
