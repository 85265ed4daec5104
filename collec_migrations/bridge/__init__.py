"""Recognise the version of an existing database, say and repair what is wrong with it, adopt it."""
