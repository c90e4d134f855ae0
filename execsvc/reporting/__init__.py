"""The process that reports orders, starts and stops to BotService."""
