"""Reports to BotService of orders, starts and stops: their order, their sessions and their next tries."""
