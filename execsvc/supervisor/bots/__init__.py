"""The bots: their records and states, and the effects of a listing, a report or a death on each."""
