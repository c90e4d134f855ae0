"""The file of one account: intents, expected balances, doubts, and the turn."""
