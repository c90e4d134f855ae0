"""An exchange on paper: market orders walk a book, with fees, limits and balances.

Behind PAPER bots, the sandbox and replay alike, so it does no I/O and never asks for the time.
"""
