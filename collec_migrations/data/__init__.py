"""Catalogs, reference rows, queries and what differs by major, as files."""
