"""Holds many debates: which are missing, several at once, each in a file of its own, resumable."""
