"""What there is already, on the server and in the database: by reading alone."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from collec_migrations.bridge import state
from collec_migrations.bridge.state import State
from collec_migrations.install.administrator import Administrator
from collec_migrations.install.request import Wanted
from collec_migrations.names import Names
from collec_migrations.postgres import extensions as reading
from collec_migrations.postgres.connection import Connection
from collec_migrations.postgres.extensions import Extensions
from collec_migrations.postgres.queries import statement


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
    """Those that let anybody in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role that exists."""

    login: bool
    powers: tuple[str, ...]
    """What it may do beyond its own objects."""
    limit: int
    """Connections at once; -1: any number."""
    expired: bool
    kept: str
    """How its password is kept: scram-sha-256, md5, or empty for none."""
    member_of: frozenset[str]
    powerful: tuple[str, ...] = ()
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
    states: Mapping[Names, State]
    """Empty for a database that is not there."""
    extensions: Extensions


def read(admin: Administrator, wanted: Wanted) -> Found:
    """Return what there is; nothing is written. Raises ConnectionFailed."""
    with closing(admin.connect()) as session:
        session.set_session(readonly=True)
        server = read_server(session)
        if not server.superuser or server.version < 90400:
            return _nothing(server, session)
        role = _role(session, wanted.owner)
        there = _database(session, wanted.database)
        found = Found(server=server, role=role, database=there, schemas={}, states={},
                      extensions=_extensions(session))  # fmt: skip
    if there is None or not there.open:
        return found
    with closing(admin.connect(wanted.database)) as session:
        session.set_session(readonly=True)
        return Found(
            server=server,
            role=role,
            database=there,
            schemas=_schemas(session, wanted, server.role),
            states=_states(session, wanted),
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


POWERS = ("SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS")


def _role(session: Connection, name: str) -> Role | None:
    with session.cursor() as cursor:
        cursor.execute(statement("install_role"), {"role": name})
        row = cursor.fetchone()
    if row is None:
        return None
    login, *powers, limit, expired, kept, member_of, powerful = row
    held = tuple(name for name, has in zip(POWERS, powers, strict=True) if has)
    return Role(login=login, powers=held, limit=limit, expired=bool(expired), kept=kept,
                member_of=frozenset(member_of), powerful=tuple(powerful))  # fmt: skip


def _database(session: Connection, name: str) -> Database | None:
    with session.cursor() as cursor:
        cursor.execute(statement("install_database"), {"database": name})
        row = cursor.fetchone()
    if row is None:
        return None
    owner, encoding, is_open, template, limit = row
    return Database(owner=owner, encoding=encoding, open=is_open and limit != 0, template=template)


def _schemas(session: Connection, wanted: Wanted, maker: str) -> dict[str, Schema]:
    found = {}
    with session.cursor() as cursor:
        for name in wanted.schemas:
            words = {"schema": name, "maker": maker, "role": wanted.owner}
            cursor.execute(statement("install_schema"), words)
            row = cursor.fetchone()
            if row is not None:
                found[name] = Schema(owner=row[0], lacking=tuple(row[1]))
    return found


def _states(session: Connection, wanted: Wanted) -> dict[Names, State]:
    with session.cursor() as cursor:
        return {names: state.read(cursor, names) for names in wanted.pairs}


def _extensions(session: Connection) -> Extensions:
    with session.cursor() as cursor:
        return reading.read(cursor)
