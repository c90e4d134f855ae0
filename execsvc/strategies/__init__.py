"""The strategies, one module or folder each, and what they see."""
