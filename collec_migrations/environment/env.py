"""Alembic's entry: everything is in `collec_migrations.migration.environment`."""

from collec_migrations.migration import environment

environment.run()
