"""Databases for tests: made from a catalog, made wrong as the field makes them, read to the row."""
