-- What of an asset was locked (in orders of the user) when an order was sent: what the account should hold by its
-- last fill counts free amounts. Younger than the journal's first version.
CREATE TABLE IF NOT EXISTS locked (
    asset TEXT NOT NULL,
    client_order_id TEXT NOT NULL,
    amount TEXT NOT NULL,
    PRIMARY KEY (asset, client_order_id)
);
