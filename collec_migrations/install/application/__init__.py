"""What the files of the application on this machine say; parsed, never executed."""

from collec_migrations.install.application.installation import Installation, read

__all__ = ["Installation", "read"]
