"""The tests of collec-migrations."""
