"""One page on a site's health: its server, its database, its backups, its standbys."""
