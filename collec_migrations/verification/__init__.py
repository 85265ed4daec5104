"""Whether a database is soundly what Alembic says it is: a drift report, and how to mend it."""
