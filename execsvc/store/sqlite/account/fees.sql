-- Fees that orders of the account paid in a coin which is neither base nor quote of their symbol. Younger than the journal's first version.
CREATE TABLE IF NOT EXISTS fee (
    client_order_id TEXT NOT NULL,
    asset           TEXT NOT NULL,      -- in capitals
    amount          TEXT NOT NULL,
    at              TEXT NOT NULL,
    PRIMARY KEY (client_order_id, asset)
);
CREATE INDEX IF NOT EXISTS fee_asset ON fee (asset, at);
