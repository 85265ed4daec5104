"""One page on how a site is: its server, its database, its backups, its standbys."""
