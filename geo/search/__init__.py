"""Asking a city where else it looks like this."""
