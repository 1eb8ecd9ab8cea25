"""Scores from judgements: one module per dimension, none of which asks a model."""
