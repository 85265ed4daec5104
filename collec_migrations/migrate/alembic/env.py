"""Alembic's entry: everything is in `collec_migrations.migrate.environment`."""

from collec_migrations.migrate import environment

environment.run()
