"""The two services we call, and the supervisor's own door."""
