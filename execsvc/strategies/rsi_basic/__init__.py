"""``rsi_basic``: buys when an oversold market turns, sells when an overbought one does."""
