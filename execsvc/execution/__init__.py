"""The way of an order: sizing, limits of the exchange, back-off of entries, settlement, venues."""
