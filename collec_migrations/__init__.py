"""Versioned, atomic and reversible schema migrations for Collec-Science databases."""

__version__ = "0.1.0"
