"""The local app: many debates in a browser, on this machine and for it alone."""
