"""Listings of BotService: the process that asks, the difference, its confirmation, the mass stop."""
