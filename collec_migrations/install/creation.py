"""Make what is missing: role, database, extensions, schemas, default rights."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import psycopg2
from psycopg2 import sql

from collec_migrations.errors import InstallFailed
from collec_migrations.install.administrator import Administrator
from collec_migrations.install.pieces import Piece
from collec_migrations.install.request import Wanted
from collec_migrations.postgres.connection import Connection, first_line
from collec_migrations.postgres.password import Password
from collec_migrations.postgres.scram import verifier

ROLE = "create role {} login nosuperuser nocreatedb nocreaterole noreplication password {}"
DATABASE = "create database {} owner {} encoding 'UTF8' template template0"
EXTENSION = "create extension if not exists {}"
SCHEMA = "create schema {} authorization {}"
DEFAULTS = "alter default privileges in schema {} grant all on {} to {}"
KINDS = ("tables", "sequences", "functions")


def role(admin: Administrator, wanted: Wanted, password: Password) -> None:
    """Create the account with a verifier that is computed here."""
    with _session(admin, "", f"role {wanted.owner}") as session:
        kept = sql.Literal(verifier(session, wanted.owner, password))
        _execute(session, sql.SQL(ROLE).format(sql.Identifier(wanted.owner), kept))


def database(admin: Administrator, wanted: Wanted) -> None:
    """Create the database."""
    names = sql.Identifier(wanted.database), sql.Identifier(wanted.owner)
    with _session(admin, "", f"database {wanted.database}") as session:
        _execute(session, sql.SQL(DATABASE).format(*names))


def inside(admin: Administrator, wanted: Wanted, pieces: Sequence[Piece]) -> None:
    """Create extensions, schemas and default rights, all or none of them."""
    if not pieces:
        return
    what = ", ".join(f"{piece.kind} {piece.name}" for piece in pieces)
    with _session(admin, wanted.database, what) as session:
        session.autocommit = False
        for piece in pieces:
            for statement in _statements(piece, sql.Identifier(wanted.owner)):
                _execute(session, statement)
        session.commit()


def _statements(piece: Piece, owner: sql.Identifier) -> Iterator[sql.Composable]:
    name = sql.Identifier(piece.name)
    if piece.kind == "extension":
        yield sql.SQL(EXTENSION).format(name)
    elif piece.kind == "schema":
        yield sql.SQL(SCHEMA).format(name, owner)
    else:
        for kind in KINDS:
            yield sql.SQL(DEFAULTS).format(name, sql.SQL(kind), owner)


def _execute(session: Connection, statement: sql.Composable) -> None:
    with session.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def _session(admin: Administrator, dbname: str, what: str) -> Iterator[Connection]:
    with closing(admin.connect(dbname)) as session:
        session.autocommit = True
        try:
            yield session
        except psycopg2.Error as error:
            raise InstallFailed(
                f"{what} could not be made: {first_line(error)}",
                hint="Mend it and run the same again: what is there stays, the rest is made.",
            ) from error
