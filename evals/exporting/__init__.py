"""Transcripts and scores in other formats: Markdown, tables of rows, Inspect logs.

What is private stays out unless it is asked for, and it is taken out of the transcript before
anything is made of it (visible.py).
"""
