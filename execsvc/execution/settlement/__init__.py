"""What became of an order whose answer did not say."""
