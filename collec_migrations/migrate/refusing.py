"""Tell why the server refused a step down, in the words of whoever has to act on it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import errorcodes

from collec_migrations.errors import DowngradeRefused, StatementFailed
from collec_migrations.migrate import emptiness


@contextmanager
def dependents_named() -> Iterator[None]:
    """Raise `DowngradeRefused` when something of the site's own depends on what a step removes.

    PostgreSQL's own hint is CASCADE, which would take away what nobody has kept.
    """
    try:
        yield
    except StatementFailed as error:
        if getattr(error.__cause__, "pgcode", None) != errorcodes.DEPENDENT_OBJECTS_STILL_EXIST:
            raise
        raise DowngradeRefused(
            str(error),
            hint="These objects are not the application's. Save their definitions, drop them, "
            "run the downgrade, and make again what still fits.",
        ) from error


@contextmanager
def rows_named() -> Iterator[None]:
    """Raise `DowngradeRefused` with what the guard of `emptiness` says."""
    try:
        yield
    except psycopg2.Error as error:
        if error.pgcode != emptiness.ROWS_REMAIN:
            raise
        message = error.diag.message_primary or ""
        raise DowngradeRefused(message, hint=error.diag.message_hint or "") from error
