"""The files of a service: held bots, the halt, deliveries, claims, and readings of all ledgers."""
