"""Values and rules, without I/O and without a clock."""
