"""BotService and a paper exchange on one port, behind the real wire contract.

For trying execsvc without money, and for its tests: books are exact to the last digit, and faults
can be ordered for every call.
"""
