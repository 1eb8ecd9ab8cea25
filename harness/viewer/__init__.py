"""The reader: one page per debate, and a local app over many of them."""
