"""A run that has nothing to do, found out by reading alone and without Alembic.

Alembic and SQLAlchemy take longer to load than the question takes to answer. Whatever is not
simple (a chain with a hole, a target such as +1, an empty database) is left to them.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import trust, versions
from collec_migrations.bridge import history
from collec_migrations.errors import UnknownVersion
from collec_migrations.migrate import access, preconditions
from collec_migrations.names import Names
from collec_migrations.postgres.connection import Connection
from collec_migrations.settings import Settings

if TYPE_CHECKING:
    from collec_migrations.migrate.planned import Plan

_SEPARATORS = {"os": os.pathsep, "newline": "\n", "space": " ", ":": ":", ";": ";"}
"""What separates folders in alembic.ini, by the word that says so."""


_READ_ONLY = """
select pg_catalog.set_config('transaction_read_only', 'on', true) from pg_catalog.pg_roles
where rolname operator(pg_catalog.=) current_user and not rolsuper;
set local lock_timeout = {timeout}
"""


@contextmanager
def reading(connection: Connection, settings: Settings) -> Iterator[Cursor]:
    """Give a cursor in a transaction of which nothing is left behind, read-only but for superusers.

    What a superuser asks with the owner's rights goes through a function made for it.
    """
    timeout = round(settings.lock_timeout * 1000)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_READ_ONLY.format(timeout=timeout))
            yield cursor
    finally:
        if not connection.closed:
            connection.rollback()


def target(version: str, settings: Settings) -> str:
    """Return where an upgrade leads: with an application, head is the version that it asks for.

    Raises `UnknownVersion` for an application that asks for what the chain does not have.
    """
    said, chain = settings.application, _chain()
    if version not in ("head", "heads") or said is None or not (said.expected and chain):
        return version
    if said.expected not in chain:
        raise UnknownVersion(
            f"the application in {said.folder} asks for version {said.expected},"
            f" which is not known here: the newest is {chain[-1]}",
            hint=f"If it brings an upgrade script: collec-migrations wrap {said.folder};"
            f" else name a version: collec-migrations upgrade {chain[-1]}",
        )
    return said.expected


def reached_by(version: str, known: Sequence[str] | None = None) -> frozenset[str] | None:
    """Return the versions from which an upgrade to `version` has nothing to do; None: unknown.

    `known` are the versions of the chain, oldest first, where they have been read already.
    """
    chain = _chain() if known is None else known
    if version in ("head", "heads"):
        return frozenset(chain[-1:]) or None
    return frozenset(chain[chain.index(version) :]) if version in chain else None


def recorded(
    cursor: Cursor, settings: Settings, reached: frozenset[str]
) -> dict[Names, history.State] | None:
    """Return the state of each pair when every data schema is at one of these versions, else None.

    Raises `NotAdopted` as an upgrade does.
    """
    found = {}
    for names in settings.pairs:
        present = history.state(cursor, names)
        preconditions.refuse_unadopted(names, present)
        if present.recorded not in reached:
            return None
        preconditions.refuse_other_application(settings, names, present.recorded)
        found[names] = present
    return found


def survey(cursor: Cursor, settings: Settings, reached: frozenset[str]) -> "Plan | None":
    """Return the empty plan when every data schema is at one of these versions, else None.

    Raises `NotAdopted` as an upgrade does.
    """
    found = recorded(cursor, settings, reached)
    if found is None:
        return None
    from collec_migrations.migrate.planned import PairPlan, Plan

    pairs = [
        PairPlan(
            names=names,
            recorded=present.recorded,
            target=present.recorded,
            rights_version=present.rights_version,
            gacl_owner="",
            col_owner="",
            steps=(),
            archived=(),
        )
        for names, present in found.items()
    ]
    cursor.execute("select pg_catalog.current_database()::text, current_user::text")
    ((database, role),) = cursor.fetchall()
    return Plan(
        database=database,
        role=role,
        server_version=cursor.connection.server_version,
        settings=settings,
        pairs=tuple(pairs),
        obstacles=(),
    )


def _chain() -> tuple[str, ...]:
    """Return the revisions that Alembic would read, oldest first; none unless they are one line."""
    folders = _folders()
    files = [path for folder in folders for path in folder.glob("*.py")]
    chain = versions.ordered(one for folder in folders for one in versions.read_revisions(folder))
    return tuple(one.version for one in chain) if len(chain) == len(files) else ()


def _folders() -> tuple[Path, ...]:
    """Return the folders of revisions: those of alembic.ini when it is ours, and the site's."""
    section = access.main_section(access.INI)
    site = versions.site_folder().resolve()
    found = [versions.versions_folder().resolve()]
    if section.get("script_location") == access.LOCATION and "version_locations" in section:
        listed = section["version_locations"].replace("%(here)s", str(Path.cwd()))
        separator = _SEPARATORS.get(section.get("path_separator", ""))
        if separator is None or "%" in listed:
            return ()
        found = [Path(one.strip()).resolve() for one in listed.split(separator) if one.strip()]
    if any(not one.is_dir() and one.name != site.name for one in found):
        return ()  # which a run refuses
    if site.is_dir():
        trust.check(site)
        found.append(site)
    return tuple(dict.fromkeys(found))
