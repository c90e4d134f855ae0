"""``grid_v1``: buys and sells at even distances within a range of prices."""
