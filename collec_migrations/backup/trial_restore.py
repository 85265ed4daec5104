"""Restore a backup into a server made for it, to see whether it can be."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import psycopg2
from psycopg2 import extensions, sql

from collec_migrations.backup import (
    client_programs,
    dump,
    restoration,
    roles,
    snapshot,
    store,
    trial_account,
)
from collec_migrations.backup.client_programs import Programs
from collec_migrations.backup.manifest import Manifest
from collec_migrations.backup.store import Backup
from collec_migrations.errors import BackupDamaged, BackupFailed, RestoreRefused
from collec_migrations.postgres import binaries, conninfo
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.connection import translated
from collec_migrations.postgres.throwaway import SUPERUSER, throwaway

NAME = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a verification found."""

    problems: tuple[str, ...]
    server_version: str
    """Of the server for the trial; empty: it did not come to that."""
    rows: int
    seconds: float
    left_out: tuple[str, ...] = ()
    """Entries of the archive that were not tried: only a superuser may restore them."""

    @property
    def is_sound(self) -> bool:
        """Say whether the backup can be restored, complete."""
        return not self.problems


def verify(
    backup: Backup, *, major: int | None = None, scratch: Path | None = None
) -> Verification:
    """Check every file, read the archive, restore it, compare; write the verdict down.

    `major` is that of the server to try it in; else the oldest one that can. Raises, and writes
    nothing down, when it cannot be tried on this machine.
    """
    began = monotonic()
    with translated(BackupFailed, f"{backup.id} could not be verified"), store.reading(backup.path):
        found = list(store.problems(backup))
        version = ""
        left_out: tuple[str, ...] = ()
        if not found:
            chosen = server_for(backup.manifest, major)
            version = chosen.version
            found, left_out = _tried(backup, chosen, scratch)
        store.judge(backup, "damaged" if found else "verified", problems=found, server=version)
    return Verification(
        problems=tuple(found),
        server_version=version,
        rows=sum(backup.manifest.rows.values()),
        seconds=monotonic() - began,
        left_out=left_out,
    )


def server_for(about: Manifest, major: int | None = None) -> Binaries:
    """Return a server that can read the archive: of this major, else the same or newer."""
    oldest = max(about.server_major, about.client_major)
    found = [
        one
        for one in binaries.at_hand()
        if one.major >= oldest
        and major in (None, one.major)
        and (its := client_programs.in_folder(one.bin_dir)) is not None
        and its.reads(about.compression)
    ]
    if found:
        return min(found, key=lambda one: one.major)
    wanted = f"PostgreSQL {major}" if major else "server"
    what = f"a backup of PostgreSQL {oldest} ({about.compression})"
    raise RestoreRefused(
        f"no {wanted} on this machine can try {what}",
        hint=f"Install postgresql-{max(oldest, major or 0)}.",
    )


def fill(backup: Backup, chosen: Binaries, server: Address) -> tuple[Address, tuple[str, ...]]:
    """Restore a backup into a new database of a new server, as an account without rights.

    Return where that is, and the entries of the archive that only a superuser may restore.
    """
    properties = restoration.read_properties(backup)
    its = tools_of(chosen)
    made = replace(server, dbname=NAME)
    theirs = conninfo.Address(replace(made, user=trial_account.ROLE).dsn)
    with closing(database.connect(conninfo.Address(server.dsn))) as connection:
        connection.autocommit = True
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            # Every role of the server: whatever the dump names is one of them.
            named = properties.roles | roles.read(backup).keys()
            for name in roles.missing(cursor, named):
                cursor.execute(sql.SQL("create role {}").format(sql.Identifier(name)))
            _create_database(cursor, backup.manifest)
            trial_account.create(cursor, NAME, named)
    with closing(database.connect(theirs)) as connection:
        connection.autocommit = True
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            for statement in restoration.property_statements(properties, NAME, {}):
                # A setting that this server no longer knows says nothing about the backup.
                with suppress(psycopg2.Error):
                    cursor.execute(statement)
    with (
        closing(database.connect(conninfo.Address(made.dsn))) as connection,
        client_programs.connecting(theirs) as client,
    ):
        connection.autocommit = True
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            entries = client_programs.entries(backup, its, client)
            trees = tuple(roles.statements(client_programs.script(backup, its, client)))
            there = trial_account.prepare(cursor, NAME, trees, entries)
            without = (*there, *trial_account.SUPERUSERS_OWN)
            client_programs.load_fast(backup, its, client, without)
            trial_account.finish(cursor, NAME, trees)
    # As the real database would be: without statistics its statements take a hundred times longer.
    dump.analyze(conninfo.Address(made.dsn))
    return made, tuple(one for one in entries if one.startswith(trial_account.SUPERUSERS_OWN))


def _create_database(cursor: extensions.cursor, about: Manifest) -> None:
    """Create the database with the encoding and the locale of the original, if they are here.

    Else with C.UTF-8, whose classes of characters are those of Unicode: a check such as
    `~ '^[[:alpha:]]+$'` on accents fails under C. Locales only go with their encodings.
    """
    text = "create database {} template template0 encoding {} lc_collate {} lc_ctype {}"
    locales = [(about.collate, about.ctype)] if about.collate else []
    if about.encoding == "UTF8":
        locales += [("C.UTF-8", "C.UTF-8"), ("C.utf8", "C.utf8")]
    for collate, ctype in (*locales, ("C", "C")):
        values = map(sql.Literal, (about.encoding, collate, ctype))
        try:
            cursor.execute(sql.SQL(text).format(sql.Identifier(NAME), *values))
        except psycopg2.Error:
            if collate == "C":
                raise
            continue
        return


def tools_of(chosen: Binaries) -> Programs:
    """Return the dump programs beside a server's own."""
    found = client_programs.in_folder(chosen.bin_dir)
    assert found is not None
    return found


def check_room(backup: Backup, scratch: Path | None) -> None:
    """Raise `BackupFailed` when a restored copy would not fit."""
    size = backup.manifest.database_size
    snapshot.check_space(scratch or Path("/tmp"), size + snapshot.MARGIN, what="a trial restore")


@contextmanager
def restored(
    backup: Backup, chosen: Binaries, scratch: Path | None
) -> Iterator[tuple[Address, tuple[str, ...]]]:
    """Give a database with what a backup holds, gone at the end; and what it lacks of it."""
    check_room(backup, scratch)
    # A role of the backup that had the superuser's name would be one.
    named = restoration.read_properties(backup).roles | roles.read(backup).keys()
    superuser = SUPERUSER
    while superuser in named:
        superuser += "_"
    with throwaway(chosen, folder=scratch, superuser=superuser) as server:
        yield fill(backup, chosen, server)


def _tried(
    backup: Backup, chosen: Binaries, scratch: Path | None
) -> tuple[list[str], tuple[str, ...]]:
    """Return what is wrong with what comes out of a backup, and what was not tried."""
    try:
        with (
            restored(backup, chosen, scratch) as (address, left_out),
            closing(database.connect(conninfo.Address(address.dsn))) as connection,
        ):
            return list(differences(backup.manifest, connection)), left_out
    except BackupDamaged as error:
        return [f"{error}: {error.hint}"], ()


def differences(about: Manifest, connection: extensions.connection) -> Iterator[str]:
    """Yield how a restored database differs from what the manifest says."""
    there = [one.name for one in snapshot.tables(connection)]
    counted = snapshot.count_rows(connection, there)
    for table in sorted(about.rows.keys() | counted.keys()):
        if counted.get(table) != about.rows.get(table):
            yield f"{table} has {_rows(counted.get(table))}, not {_rows(about.rows.get(table))}"
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_largeobject_metadata")
        (objects,) = cursor.fetchone() or (0,)
    if objects != about.large_objects:
        yield f"there are {objects} large objects, not {about.large_objects}"
    if about.schemas and snapshot.schemas(connection) != about.schemas:
        yield "the version that is detected is not the one of the database"


def _rows(count: int | None) -> str:
    return "no table" if count is None else f"{count} rows"
