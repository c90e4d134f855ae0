"""What trades: one module a strategy."""
