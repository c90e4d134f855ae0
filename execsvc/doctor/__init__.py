"""What ``execsvc doctor`` looks at: one file a concern; nothing is written, no order is placed."""
