"""An installation as it shall be, and what exists of it: by reading alone."""

import ipaddress
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.bridge import history
from collec_migrations.errors import InvalidNames, UsageError
from collec_migrations.names import LONGEST, Names
from collec_migrations.postgres import configuration, privileges
from collec_migrations.postgres.connection import Administrator, Connection
from collec_migrations.postgres.privileges import Extensions
from collec_migrations.postgres.queries import statement

RESERVED = ("public", "none")
"""Names that PostgreSQL refuses for a role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """An installation as it shall be."""

    database: str
    owner: str
    pairs: tuple[Names, ...]
    version: str = ""
    """The newest version of the chain."""
    networks: tuple[str, ...] = ()
    """From where the account may come beside this machine: networks in CIDR form."""
    passfile: Path | None = None
    apply_hba: bool = False

    @property
    def schemas(self) -> tuple[str, ...]:
        """The rights schema and each data schema."""
        return tuple(dict.fromkeys((self.pairs[0].gacl, *(names.col for names in self.pairs))))


def check_name(what: str, name: str) -> str:
    """Return the name of a role or database; raise `InvalidNames` for one that cannot be."""
    if not name or "\0" in name or "\n" in name or "\r" in name:
        raise InvalidNames(f"the name of the {what} is empty or holds a line break")
    length = len(name.encode(errors="replace"))
    if length > LONGEST:
        raise InvalidNames(
            f"the name of the {what} has {length} bytes, more than {LONGEST}",
            hint="PostgreSQL would cut it; choose a shorter one.",
        )
    if what == "role" and (name.startswith("pg_") or name in RESERVED):
        raise InvalidNames(f"the name {name!r} is reserved for PostgreSQL itself")
    if what == "database" and name in ("template0", "template1", "postgres"):
        raise InvalidNames(
            f"the database {name!r} belongs to the server", hint="Choose a name of your own."
        )
    configuration.quoted_name(name)
    return name


def networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Return addresses and networks in CIDR form; raise `UsageError` for anything else."""
    found = []
    for text in texts:
        try:
            found.append(str(ipaddress.ip_network(text)))
        except ValueError as error:
            raise UsageError(
                f"{text!r} is not an address or a network",
                hint="Write it as 192.168.1.20, 192.168.1.0/24 or 2001:db8::/32.",
            ) from error
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The server, and who is connected to it."""

    version: int
    """As `server_version_num` has it."""
    role: str
    superuser: bool
    standby: bool
    read_only: bool
    new_databases: str
    """Encoding and locale of template0."""
    port: int
    sockets: tuple[str, ...]
    listens: tuple[str, ...]
    databases: tuple[str, ...]
    """Those that accept connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role that exists."""

    login: bool
    attributes: tuple[str, ...]
    """What it may do beyond its own objects."""
    limit: int
    """Connections at once; -1: any number."""
    expired: bool
    kept: str
    """How its password is kept: scram-sha-256, md5, or empty for none."""
    privileged_roles: tuple[str, ...] = ()
    """Roles that it is a member of and that give it more than rights on objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database that exists."""

    owner: str
    encoding: str
    open: bool
    template: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A schema that exists."""

    owner: str
    lacking: tuple[str, ...]
    """Kinds of objects on which the account has no rights by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything that an installation looks at."""

    server: Server
    role: Role | None
    database: Database | None
    schemas: Mapping[str, Schema]
    states: Mapping[Names, history.State]
    """Empty for a database that is not there."""
    extensions: Extensions


def read(admin: Administrator, desired: Desired) -> Found:
    """Return what there is; nothing is written. Raises ConnectionFailed."""
    with closing(admin.connect()) as session:
        session.set_session(readonly=True)
        server = read_server(session)
        if not server.superuser or server.version < 90400:
            return _nothing(server, session)
        role = _role(session, desired.owner)
        there = _database(session, desired.database)
        found = Found(server=server, role=role, database=there, schemas={}, states={},
                      extensions=_extensions(session))  # fmt: skip
    if there is None or not there.open:
        return found
    with closing(admin.connect(desired.database)) as session:
        session.set_session(readonly=True)
        return Found(
            server=server,
            role=role,
            database=there,
            schemas=_schemas(session, desired, server.role),
            states=_states(session, desired),
            extensions=_extensions(session),
        )


def read_server(session: Connection) -> Server:
    """Return what the server says of itself and of the role that is connected."""
    with session.cursor() as cursor:
        cursor.execute(statement("install_server"))
        ((role, superuser, standby, read_only, new, port, sockets, listens, databases),) = (
            cursor.fetchall()
        )
    return Server(
        version=session.server_version,
        role=role,
        superuser=superuser,
        standby=standby,
        read_only=read_only,
        new_databases=new,
        port=int(port),
        sockets=tuple(part.strip() for part in (sockets or "").split(",") if part.strip()),
        listens=tuple(part.strip() for part in (listens or "").split(",") if part.strip()),
        databases=tuple(databases),
    )


def _nothing(server: Server, session: Connection) -> Found:
    return Found(server=server, role=None, database=None, schemas={}, states={},
                 extensions=Extensions(version=session.server_version, installed={},
                                       available={}))  # fmt: skip


ATTRIBUTES = ("SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS")


def _role(session: Connection, name: str) -> Role | None:
    with session.cursor() as cursor:
        cursor.execute(statement("install_role"), {"role": name})
        row = cursor.fetchone()
    if row is None:
        return None
    login, *attributes, limit, expired, kept, privileged_roles = row
    held = tuple(name for name, has in zip(ATTRIBUTES, attributes, strict=True) if has)
    return Role(login=login, attributes=held, limit=limit, expired=bool(expired), kept=kept,
                privileged_roles=tuple(privileged_roles))  # fmt: skip


def _database(session: Connection, name: str) -> Database | None:
    with session.cursor() as cursor:
        cursor.execute(statement("install_database"), {"database": name})
        row = cursor.fetchone()
    if row is None:
        return None
    owner, encoding, is_open, template, limit = row
    return Database(owner=owner, encoding=encoding, open=is_open and limit != 0, template=template)


def _schemas(session: Connection, desired: Desired, maker: str) -> dict[str, Schema]:
    found = {}
    with session.cursor() as cursor:
        for name in desired.schemas:
            words = {"schema": name, "maker": maker, "role": desired.owner}
            cursor.execute(statement("install_schema"), words)
            row = cursor.fetchone()
            if row is not None:
                found[name] = Schema(owner=row[0], lacking=tuple(row[1]))
    return found


def _states(session: Connection, desired: Desired) -> dict[Names, history.State]:
    with session.cursor() as cursor:
        return {names: history.state(cursor, names) for names in desired.pairs}


def _extensions(session: Connection) -> Extensions:
    with session.cursor() as cursor:
        return privileges.read_extensions(cursor)
