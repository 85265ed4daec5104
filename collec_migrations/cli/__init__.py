"""The commands of `collec-migrations`."""
