"""Comparing arms: what an experiment shows, and how far it can be trusted."""
