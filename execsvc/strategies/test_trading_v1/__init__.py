"""``test_trading_v1``: buys, holds and sells, for trying a set-up with little money."""
