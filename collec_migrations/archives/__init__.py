"""The archives: what steps removed from a pair of schemas, kept as plain tables."""
