"""How far a judge can be trusted, measured against people, and its shares corrected by it."""
