"""The rules of ``orderflow_exhaustion_v1``, one file each: pure functions over values."""
