"""The process that runs one bot."""
