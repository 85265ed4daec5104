"""One page on a site's health: its server, its database, its backups, its standbys."""

from collec_migrations.doctor.examination import Site, examine
from collec_migrations.doctor.report import Line, Page

__all__ = ["Line", "Page", "Site", "examine"]
