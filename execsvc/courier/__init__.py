"""The process that tells BotService what it asked to be told."""
