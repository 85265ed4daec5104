"""Try a whole run again when a lock was not obtained, and say who holds it."""

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg2
from psycopg2.extensions import connection as DriverConnection  # noqa: N812  (a class in psycopg2)
from sqlalchemy.exc import DBAPIError

from collec_migrations.errors import LockNotObtained
from collec_migrations.migrate.job import Job
from collec_migrations.postgres import locks
from collec_migrations.postgres.locks import Blocker
from collec_migrations.settings import Settings

FIRST_PAUSE = 1.0
"""Seconds before the second attempt; doubled for each further one."""

T = TypeVar("T")


def with_retries(job: Job, driver: DriverConnection, attempt: Callable[[], T]) -> T:
    """Return what `attempt` gives, which leaves nothing behind when it fails.

    Raises `LockNotObtained` when the last attempt has failed for want of a lock as well.
    """
    retries = job.settings.lock_retries
    for number in range(retries + 1):
        try:
            return attempt()
        except (psycopg2.Error, DBAPIError) as error:
            if not _may_succeed_later(error):
                raise
            if number == retries:
                raise given_up(job.settings, driver, error, attempts=retries + 1) from error
            # Asked at once: the holder may be gone after the pause.
            holders = _holders(driver, job.settings)
        pause = FIRST_PAUSE * 2**number
        job.say(f"a table is locked by another session; trying again in {pause:.0f} s")
        for holder in holders:
            job.say(f"    {holder}")
        time.sleep(pause)
    raise AssertionError


def _may_succeed_later(error: psycopg2.Error | DBAPIError) -> bool:
    from collec_migrations.migrate import sending

    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "pgcode", None) in sending.TRY_AGAIN


def _holders(driver: DriverConnection, settings: Settings) -> tuple[Blocker, ...]:
    schemas = [name for names in settings.pairs for name in names.by_default_name.values()]
    with driver.cursor() as cursor:
        found = locks.read_blockers(cursor, schemas)
    driver.rollback()
    return found


def given_up(
    settings: Settings,
    driver: DriverConnection,
    error: psycopg2.Error | DBAPIError,
    *,
    attempts: int,
) -> LockNotObtained:
    """Return the error that names what was not locked, and by whom it is held now."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    message = getattr(getattr(cause, "diag", None), "message_primary", None) or "no lock"
    place = ", ".join(getattr(cause, "__notes__", ()))
    times = f", in each of {attempts} attempts" if attempts > 1 else ""
    lines = [f"    {holder}" for holder in _holders(driver, settings)]
    return LockNotObtained(
        "\n".join(
            [
                f"{place + ': ' if place else ''}{message}{times}",
                *(lines or ["    whoever held the lock has just ended"]),
            ]
        ),
        hint="Let these sessions end (or end one with `select pg_terminate_backend(PID)`), "
        "then run it again; a longer wait is -x lock_timeout=SECONDS, more attempts "
        "-x lock_retries=NUMBER.",
    )
