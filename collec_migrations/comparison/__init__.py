"""What differs between the catalog of a release and that of a database, one line a damage. Pure."""
