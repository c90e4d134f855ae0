-- What the process that delivers reports found out about BotService. Younger than reports.db.
CREATE TABLE IF NOT EXISTS fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
