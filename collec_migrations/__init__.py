"""Versioned, atomic and reversible schema migrations for Collec-Science databases."""
