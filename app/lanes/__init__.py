"""Processes that each decode and predict with a core of their own."""
