"""Sample data: believable rows in every table and column of a database of any version."""

from collec_migrations.testing.sample_data.loader import Filled, fill

__all__ = ["Filled", "fill"]
