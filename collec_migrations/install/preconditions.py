"""What keeps an installation from being made, told before anything is created. Pure."""

from collections.abc import Iterator, Sequence

from collec_migrations.errors import InstallRefused
from collec_migrations.install.inventory import Found
from collec_migrations.install.request import Wanted
from collec_migrations.migrate import obstacles, refusal, required_extensions
from collec_migrations.migrate.obstacles import Obstacle
from collec_migrations.migrate.required_extensions import Use
from collec_migrations.postgres.extensions import Extensions

UTF8 = "UTF8"
FREE_OF_ENCODING = ("C", "POSIX")
"""Locales that go with every encoding (manual, 23.3.3)."""


def refuse(wanted: Wanted, found: Found, uses: Sequence[Use]) -> None:
    """Raise NotInstallable for all that is in the way, NotAdopted for unknown tables."""
    found_obstacles = tuple(_obstacles(wanted, found, uses))
    if found_obstacles:
        raise InstallRefused(
            "; ".join(one.message for one in found_obstacles) + "; nothing was made",
            hint=" ".join(dict.fromkeys(one.hint for one in found_obstacles)),
        )
    for names, state in found.states.items():
        refusal.refuse_unadopted(names, state)


def _obstacles(wanted: Wanted, found: Found, uses: Sequence[Use]) -> Iterator[Obstacle]:
    server = found.server
    if server.version < obstacles.OLDEST:
        yield Obstacle(
            message=f"the server is PostgreSQL {_shown(server.version)}, older than 9.4",
            hint="Move to a newer server first.",
        )
        return
    if not server.superuser:
        yield Obstacle(
            message=f"role {server.role!r} is not a superuser, and cannot install",
            hint="Connect as one, such as postgres; into a database that is there, its owner "
            "installs by `collec-migrations upgrade`.",
        )
        return
    if server.standby:
        yield Obstacle(
            message="the server is a standby, which takes no changes",
            hint="Connect to the primary.",
        )
    elif server.read_only:
        yield Obstacle(
            message="transactions are read-only here (default_transaction_read_only)",
            hint="Set default_transaction_read_only to off for this role.",
        )
    yield from _of_database(wanted, found)
    yield from _of_extensions(found, uses)


def _of_database(wanted: Wanted, found: Found) -> Iterator[Obstacle]:
    there = found.database
    if there is None:
        encoding, _, locale = found.server.new_databases.partition(" ")
        if encoding != UTF8 and locale not in FREE_OF_ENCODING:
            yield Obstacle(
                message=f"the server's locale {locale} is not one of UTF-8",
                hint=f"Create the database yourself: create database {wanted.database} template "
                "template0 encoding 'UTF8' lc_collate '...' lc_ctype '...'; then run this again.",
            )
    elif there.encoding != UTF8:
        yield Obstacle(
            message=f"database {wanted.database!r} has the encoding {there.encoding}, not UTF8",
            hint="An encoding cannot be changed: name another database, or dump this one and "
            "restore it into one in UTF8.",
        )
    elif not there.open:
        yield Obstacle(
            message=f"database {wanted.database!r} lets nobody in",
            hint=f"alter database {wanted.database} allow_connections true connection limit -1",
        )


def _of_extensions(found: Found, uses: Sequence[Use]) -> Iterator[Obstacle]:
    # A superuser makes what the scripts only use: lacking is what the server does not have.
    makeable = {name: "pg_catalog" for name, may in found.extensions.available.items() if may}
    known = Extensions(
        version=found.server.version, installed=makeable, available=found.extensions.available
    )
    for lack in required_extensions.lacking(uses, known):
        yield Obstacle(message=lack.message, hint=lack.hint)


def _shown(version: int) -> str:
    return f"{version // 10000}.{version // 100 % 100}"
