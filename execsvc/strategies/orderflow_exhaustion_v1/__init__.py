"""``orderflow_exhaustion_v1``: trades against one-sided taker flow once the book absorbs it."""
