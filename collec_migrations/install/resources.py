"""Every resource of an installation: does it exist, is it to be created, does it differ?

What keeps an installation from being made is refused before anything is created.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from collec_migrations.errors import InstallRefused, Problem
from collec_migrations.install.state import Database, Desired, Found, Role
from collec_migrations.migrate import preconditions, required_extensions
from collec_migrations.migrate.required_extensions import Use
from collec_migrations.postgres import password as passwords
from collec_migrations.postgres import quoting
from collec_migrations.postgres.password import SCRAM
from collec_migrations.postgres.privileges import Extensions

State = Literal["there", "make", "differs", "shown"]
"""`shown`: it is told to the administrator, who does it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource and what is to become of it."""

    kind: str
    name: str
    state: State
    detail: str = ""
    """What it will be, or what differs; one line."""
    advice: str = ""
    """What to do about a difference."""


def decide(
    desired: Desired, found: Found, uses: Sequence[Use], *, password: str
) -> tuple[Resource, ...]:
    """Return the resources of role, database and schemas, in the order in which they are made.

    `password` says where that of a new role comes from.
    """
    return (
        _role(desired, found, password),
        _database(desired, found),
        *_extensions(found, uses),
        *_schemas(desired, found),
        *_defaults(desired, found),
        *_versions(desired, found),
    )


def _role(desired: Desired, found: Found, password: str) -> Resource:
    if found.role is None:
        how = "SCRAM" if passwords.algorithm(found.server.version) == SCRAM else "md5"
        detail = f"may log in and nothing else; password kept by {how}, {password}"
        return Resource(kind="role", name=desired.owner, state="make", detail=detail)
    role = quoting.identifier(desired.owner)
    differences = tuple(_role_differences(role, found.role, found.server.version))
    if not differences:
        return Resource(kind="role", name=desired.owner, state="there")
    return Resource(
        kind="role",
        name=desired.owner,
        state="differs",
        detail=", ".join(text for text, _ in differences),
        advice="; ".join(dict.fromkeys(do for _, do in differences)),
    )


def _role_differences(name: str, role: Role, version: int) -> Iterator[tuple[str, str]]:
    """Yield each difference of a role, and the statement that fixes it."""
    if not role.login:
        yield "it may not log in", f"alter role {name} login"
    if role.attributes:
        less = " ".join(f"no{attribute.lower()}" for attribute in role.attributes)
        yield f"it has more rights: {', '.join(role.attributes)}", f"alter role {name} {less}"
    if role.privileged_roles:
        held = ", ".join(map(quoting.identifier, role.privileged_roles))
        yield (
            f"it has the rights of {', '.join(role.privileged_roles)}",
            f"revoke {held} from {name}",
        )
    if role.limit == 0:
        yield "it may have no connection", f"alter role {name} connection limit -1"
    if role.expired:
        yield "its password has expired", f"alter role {name} valid until 'infinity'"
    if not role.kept:
        yield "it has no password", f"in psql: \\password {name}"
    elif role.kept != SCRAM and passwords.algorithm(version) == SCRAM:
        yield f"its password is kept by {role.kept}", f"in psql: \\password {name}"


def _database(desired: Desired, found: Found) -> Resource:
    there = found.database
    if there is None:
        detail = f"owned by {desired.owner}, UTF8, locale {found.server.new_databases.split()[-1]}"
        return Resource(kind="database", name=desired.database, state="make", detail=detail)
    differences = tuple(_database_differences(there, desired))
    return Resource(
        kind="database",
        name=desired.database,
        state="differs" if differences else "there",
        detail=", ".join(differences),
        advice=f"alter database {quoting.identifier(desired.database)}"
        f" owner to {quoting.identifier(desired.owner)}"
        if there.owner != desired.owner
        else "",
    )


def _database_differences(there: Database, desired: Desired) -> Iterator[str]:
    if there.owner != desired.owner:
        yield f"it belongs to {there.owner}"
    if there.template:
        yield "it is a template"


def _extensions(found: Found, uses: Sequence[Use]) -> Iterator[Resource]:
    for use in {use.name: use for use in uses}.values():
        if use.is_core(found.server.version):
            continue
        is_there = found.database is not None and use.name in found.extensions.installed
        yield Resource(
            kind="extension",
            name=use.name,
            state="there" if is_there else "make",
            detail="" if is_there else f"needed at {use.place}",
        )


def _schemas(desired: Desired, found: Found) -> Iterator[Resource]:
    for name in desired.schemas:
        there = found.schemas.get(name)
        if there is None:
            detail = f"owned by {desired.owner}"
            yield Resource(kind="schema", name=name, state="make", detail=detail)
        elif there.owner != desired.owner:
            yield Resource(
                kind="schema",
                name=name,
                state="differs",
                detail=f"it belongs to {there.owner}",
                advice=f"alter schema {quoting.identifier(name)}"
                f" owner to {quoting.identifier(desired.owner)}",
            )
        else:
            yield Resource(kind="schema", name=name, state="there")


def _defaults(desired: Desired, found: Found) -> Iterator[Resource]:
    for name in desired.schemas:
        there = found.schemas.get(name)
        lacking = there.lacking if there else ("functions", "sequences", "tables")
        if found.server.role == desired.owner:
            lacking = ()
        yield Resource(
            kind="default rights",
            name=name,
            state="make" if lacking else "there",
            detail=f"{desired.owner} may use what {found.server.role} makes there: "
            f"{', '.join(lacking)}"
            if lacking
            else "",
        )


def _versions(desired: Desired, found: Found) -> Iterator[Resource]:
    for names in desired.pairs:
        present = found.states.get(names)
        recorded = present.recorded if present else None
        if recorded is None:
            detail = f"by the chain, as {desired.owner}"
            name = f"{names.col} {desired.version}"
            yield Resource(kind="version", name=name, state="make", detail=detail)
        elif recorded != desired.version:
            yield Resource(
                kind="version",
                name=f"{names.col} {recorded}",
                state="differs",
                detail=f"the newest is {desired.version}",
                advice="collec-migrations upgrade --plan",
            )
        else:
            yield Resource(kind="version", name=f"{names.col} {recorded}", state="there")


UTF8 = "UTF8"
FREE_OF_ENCODING = ("C", "POSIX")
"""Locales that go with every encoding (manual, 23.3.3)."""


def refuse(desired: Desired, found: Found, uses: Sequence[Use]) -> None:
    """Raise InstallRefused for all that prevents it, NotAdopted for unknown tables."""
    found_obstacles = tuple(_obstacles(desired, found, uses))
    if found_obstacles:
        raise InstallRefused(
            "; ".join(one.message for one in found_obstacles) + "; nothing was created",
            hint=" ".join(dict.fromkeys(one.hint for one in found_obstacles)),
        )
    for names, state in found.states.items():
        preconditions.refuse_unadopted(names, state)


def _obstacles(desired: Desired, found: Found, uses: Sequence[Use]) -> Iterator[Problem]:
    server = found.server
    if server.version >= preconditions.OLDEST and not server.superuser:
        yield Problem(
            message=f"role {server.role!r} is not a superuser, and cannot install",
            hint="Connect as one, such as postgres; into a database that is there, its owner "
            "installs by `collec-migrations upgrade`.",
        )
        return
    yield from preconditions.of_server(
        server.version, standby=server.standby, read_only=server.read_only
    )
    if server.version < preconditions.OLDEST:
        return
    yield from _refused_database(desired, found)
    yield from _lacking_extensions(found, uses)


def _refused_database(desired: Desired, found: Found) -> Iterator[Problem]:
    there = found.database
    if there is None:
        encoding, _, locale = found.server.new_databases.partition(" ")
        if encoding != UTF8 and locale not in FREE_OF_ENCODING:
            yield Problem(
                message=f"the server's locale {locale} is not one of UTF-8",
                hint=f"Create the database yourself: create database {desired.database} template "
                "template0 encoding 'UTF8' lc_collate '...' lc_ctype '...'; then run this again.",
            )
    elif there.encoding != UTF8:
        yield Problem(
            message=f"database {desired.database!r} has the encoding {there.encoding}, not UTF8",
            hint="An encoding cannot be changed: name another database, or dump this one and "
            "restore it into one in UTF8.",
        )
    elif not there.open:
        yield Problem(
            message=f"database {desired.database!r} does not accept connections",
            hint=f"alter database {desired.database} allow_connections true connection limit -1",
        )


def _lacking_extensions(found: Found, uses: Sequence[Use]) -> Iterator[Problem]:
    # A superuser makes what the scripts only use: lacking is what the server does not have.
    makeable = {name: "pg_catalog" for name, may in found.extensions.available.items() if may}
    known = Extensions(
        version=found.server.version, installed=makeable, available=found.extensions.available
    )
    for lack in required_extensions.lacking(uses, known):
        yield Problem(message=lack.message, hint=lack.hint)
