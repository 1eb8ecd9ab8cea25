"""Whether an evaluator measures what it says: planting, and the battery built on it."""
