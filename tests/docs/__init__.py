"""The manual: what it shows is run, what is generated is fresh, what it names exists."""
