"""Holds debates between delegations and records them; knows nothing about scoring."""
