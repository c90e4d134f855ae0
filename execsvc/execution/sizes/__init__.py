"""The answers of an exchange about the sizes of orders, and the next amount to try by them."""
