"""Where orders go: the exchange, or a virtual balance on its book; and the account that they move."""
