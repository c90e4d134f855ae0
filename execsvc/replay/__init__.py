"""A strategy on recorded markets: the runner's own code, on a simulated clock, against paper."""
