"""Brings games and data of others into our values."""
