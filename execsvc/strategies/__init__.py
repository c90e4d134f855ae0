"""The strategies, one module or folder each, and their interface."""
