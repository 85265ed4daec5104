"""Every piece of an installation: is it there, is it to be made, does it differ? Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from collec_migrations.install.inventory import Database, Found, Role
from collec_migrations.install.request import Wanted
from collec_migrations.migrate.required_extensions import Use
from collec_migrations.postgres import quoting
from collec_migrations.postgres.scram import SCRAM_SINCE

State = Literal["there", "make", "differs", "shown"]
"""`shown`: it is told to the administrator, who does it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece and what is to become of it."""

    kind: str
    name: str
    state: State
    detail: str = ""
    """What it will be, or what differs; one line."""
    advice: str = ""
    """What to do about a difference."""


def decided(
    wanted: Wanted, found: Found, uses: Sequence[Use], *, password: str
) -> tuple[Piece, ...]:
    """Return the pieces of role, database and schemas, in the order in which they are made.

    `password` says where that of a new role comes from.
    """
    return (
        _role(wanted, found, password),
        _database(wanted, found),
        *_extensions(found, uses),
        *_schemas(wanted, found),
        *_defaults(wanted, found),
        *_versions(wanted, found),
    )


def _role(wanted: Wanted, found: Found, password: str) -> Piece:
    if found.role is None:
        how = "SCRAM" if found.server.version >= SCRAM_SINCE else "md5"
        detail = f"may log in and nothing else; password kept by {how}, {password}"
        return Piece(kind="role", name=wanted.owner, state="make", detail=detail)
    role = quoting.identifier(wanted.owner)
    differences = tuple(_odd_about_role(role, found.role, found.server.version))
    if not differences:
        return Piece(kind="role", name=wanted.owner, state="there")
    return Piece(
        kind="role",
        name=wanted.owner,
        state="differs",
        detail=", ".join(text for text, _ in differences),
        advice="; ".join(dict.fromkeys(do for _, do in differences)),
    )


def _odd_about_role(name: str, role: Role, version: int) -> Iterator[tuple[str, str]]:
    """Yield each difference of a role, and the statement that mends it."""
    if not role.login:
        yield "it may not log in", f"alter role {name} login"
    if role.powers:
        less = " ".join(f"no{power.lower()}" for power in role.powers)
        yield f"it has more rights: {', '.join(role.powers)}", f"alter role {name} {less}"
    if role.powerful:
        held = ", ".join(map(quoting.identifier, role.powerful))
        yield f"it has the rights of {', '.join(role.powerful)}", f"revoke {held} from {name}"
    if role.limit == 0:
        yield "it may have no connection", f"alter role {name} connection limit -1"
    if role.expired:
        yield "its password has expired", f"alter role {name} valid until 'infinity'"
    if not role.kept:
        yield "it has no password", f"in psql: \\password {name}"
    elif role.kept != "scram-sha-256" and version >= SCRAM_SINCE:
        yield f"its password is kept by {role.kept}", f"in psql: \\password {name}"


def _database(wanted: Wanted, found: Found) -> Piece:
    there = found.database
    if there is None:
        detail = f"owned by {wanted.owner}, UTF8, locale {found.server.new_databases.split()[-1]}"
        return Piece(kind="database", name=wanted.database, state="make", detail=detail)
    differences = tuple(_odd_about_database(there, wanted))
    return Piece(
        kind="database",
        name=wanted.database,
        state="differs" if differences else "there",
        detail=", ".join(differences),
        advice=f"alter database {quoting.identifier(wanted.database)}"
        f" owner to {quoting.identifier(wanted.owner)}"
        if there.owner != wanted.owner
        else "",
    )


def _odd_about_database(there: Database, wanted: Wanted) -> Iterator[str]:
    if there.owner != wanted.owner:
        yield f"it belongs to {there.owner}"
    if there.template:
        yield "it is a template"


def _extensions(found: Found, uses: Sequence[Use]) -> Iterator[Piece]:
    for use in {use.name: use for use in uses}.values():
        if use.core_since and found.server.version >= use.core_since:
            continue
        is_there = found.database is not None and use.name in found.extensions.installed
        yield Piece(
            kind="extension",
            name=use.name,
            state="there" if is_there else "make",
            detail="" if is_there else f"needed at {use.place}",
        )


def _schemas(wanted: Wanted, found: Found) -> Iterator[Piece]:
    for name in wanted.schemas:
        there = found.schemas.get(name)
        if there is None:
            detail = f"owned by {wanted.owner}"
            yield Piece(kind="schema", name=name, state="make", detail=detail)
        elif there.owner != wanted.owner:
            yield Piece(
                kind="schema",
                name=name,
                state="differs",
                detail=f"it belongs to {there.owner}",
                advice=f"alter schema {quoting.identifier(name)}"
                f" owner to {quoting.identifier(wanted.owner)}",
            )
        else:
            yield Piece(kind="schema", name=name, state="there")


def _defaults(wanted: Wanted, found: Found) -> Iterator[Piece]:
    for name in wanted.schemas:
        there = found.schemas.get(name)
        lacking = there.lacking if there else ("functions", "sequences", "tables")
        if found.server.role == wanted.owner:
            lacking = ()
        yield Piece(
            kind="default rights",
            name=name,
            state="make" if lacking else "there",
            detail=f"{wanted.owner} may use what {found.server.role} makes there: "
            f"{', '.join(lacking)}"
            if lacking
            else "",
        )


def _versions(wanted: Wanted, found: Found) -> Iterator[Piece]:
    for names in wanted.pairs:
        present = found.states.get(names)
        recorded = present.recorded if present else None
        if recorded is None:
            detail = f"by the chain, as {wanted.owner}"
            name = f"{names.col} {wanted.version}"
            yield Piece(kind="version", name=name, state="make", detail=detail)
        elif recorded != wanted.version:
            yield Piece(
                kind="version",
                name=f"{names.col} {recorded}",
                state="differs",
                detail=f"the newest is {wanted.version}",
                advice="collec-migrations upgrade --plan",
            )
        else:
            yield Piece(kind="version", name=f"{names.col} {recorded}", state="there")
