"""Somebody is told what is wrong: once, and again when it is over; by a process of its own."""
