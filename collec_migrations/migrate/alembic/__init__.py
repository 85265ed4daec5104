"""Alembic's environment: env.py, the template of a revision and, in the wheel, versions."""
