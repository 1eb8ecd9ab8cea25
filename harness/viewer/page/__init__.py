"""One debate as one page that can be mailed."""
