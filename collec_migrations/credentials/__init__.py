"""Passwords: where they come from, what the server gets instead, and the file that keeps them."""
