"""Reads transcripts and scores them."""
