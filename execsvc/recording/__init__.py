"""Recorded markets: gzip or plain JSONL, a line for each trade and for each change of the book.

``{"t": ms, "type": "depth", "bids": [["price", "amount"], ...], "asks": [...]}`` is a full snapshot,
best first; ``{"t": ms, "type": "trade", "price": "...", "amount": "...", "side": "buy"}`` names the
taker's side. Lines are ordered by ``t``, the first is a book, and a trade goes before a book of the
same ``t``.
"""
