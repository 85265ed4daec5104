"""Replace a file in one go, and on trial: the old one comes back unless the new one proves good."""
