"""Settlement of an order whose outcome is unknown."""
