-- When something was recorded, by the clock that nobody can set. Younger than the first version of ledger and
-- journal: added where it is missing. A row is void once the record that it belongs to has another time.
CREATE TABLE IF NOT EXISTS moment (
    what     TEXT PRIMARY KEY,
    at       TEXT NOT NULL,             -- as the record has it
    boottime REAL NOT NULL,             -- CLOCK_BOOTTIME, seconds
    boot_id  TEXT NOT NULL
);
