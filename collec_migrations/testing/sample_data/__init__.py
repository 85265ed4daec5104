"""Laboratory data: believable rows in every table of a database of any version, 1.0 to 1.1."""

from collec_migrations.testing.sample_data.filling import Filled, fill
from collec_migrations.testing.sample_data.plan import NEWEST

__all__ = ["NEWEST", "Filled", "fill"]
