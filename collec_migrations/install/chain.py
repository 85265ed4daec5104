"""The chain in an installation: what it needs, and its run as the owner."""

from collections.abc import Callable, Mapping

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from collec_migrations.install.administrator import Administrator
from collec_migrations.install.request import Wanted
from collec_migrations.migrate import plan, verbs
from collec_migrations.migrate.configuration import alembic_config, errors_unwrapped
from collec_migrations.migrate.job import Job
from collec_migrations.migrate.required_extensions import Use

Say = Callable[[str], None]


def job(options: Mapping[str, str], *, say: Say) -> Job:
    """Return what `upgrade head` would have to do: versions and settings, without any server."""
    with errors_unwrapped():
        return verbs.upgrade_job(alembic_config(options, say=say), "head")


def extensions(job: Job) -> tuple[Use, ...]:
    """Return the extensions that the newest version needs, from its creation on."""
    return plan.extensions_used(job, job.settings.pairs[0])


def run(
    admin: Administrator, wanted: Wanted, options: Mapping[str, str], *, say: Say
) -> Mapping[str, str | None]:
    """Bring the database to the newest version as the owner; return what each schema is at."""
    engine = create_engine(
        "postgresql+psycopg2://",
        creator=lambda: admin.connect(wanted.database, role=wanted.owner),
        poolclass=NullPool,
        use_native_hstore=False,
    )
    try:
        return verbs.upgrade(options, "head", say=say, lent=engine)
    finally:
        engine.dispose()
