"""Reads what was said with language models: claims, verdicts, and the record of every call."""
