"""The only door to PostgreSQL: connect, read, lock, run."""
