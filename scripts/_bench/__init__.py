"""Measures execsvc beside what people would use instead; run by scripts/bench."""
