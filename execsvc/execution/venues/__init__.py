"""The venues: the exchange, and a virtual balance on its book; the account that orders move."""
