"""`backup restore`: a backup into an empty database."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from psycopg2.extensions import parse_dsn

from collec_migrations import backup
from collec_migrations.cli import options, render
from collec_migrations.errors import UsageError
from collec_migrations.migrate import access
from collec_migrations.postgres import conninfo


def restore(
    id_: options.Backup,
    into: options.Into,
    to: Annotated[str, typer.Option("--to", help="Address of an empty database.")],
    schema: Annotated[
        list[str] | None, typer.Option("--schema", help="Only this schema; may be repeated.")
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option("--rename", help="OLD=NEW: rename a schema.")
    ] = None,
    create_roles: Annotated[
        bool, typer.Option("--create-roles", help="Make the roles that are missing.")
    ] = False,
    any_encoding: Annotated[
        bool, typer.Option("--any-encoding", help="Also into another encoding than the backup's.")
    ] = False,
    bin_dir: options.BinDir = None,
    database: options.Database = None,
    app: options.App = None,
    as_json: options.Json = False,
) -> None:
    """Restore a backup into an empty database, all or nothing."""
    order = backup.RestoreOptions(
        target=conninfo.parse(to, source="--to"),
        schemas=tuple(schema or ()),
        renamed=dict(_pair(text) for text in rename or ()),
        create_roles=create_roles,
        any_encoding=any_encoding,
        bin_dir=bin_dir,
    )
    found = chosen(into, id_, database, app)
    options.say(f"restoring {found.id}, taken {found.manifest.started.astimezone():%Y-%m-%d %H:%M}")
    done = backup.restore(found, order, say=options.say)
    if as_json:
        render.write_json(asdict(done))
        return
    typer.echo(f"restored {done.rows:,} rows in {done.tables} tables into {done.database!r}")


def chosen(into: Path, id_: str, database: str | None, app: Path | None) -> backup.Backup:
    """Return the backup that is meant; `last` is the last of the database that was named."""
    if id_ == "last" and not database:
        address = access.read_settings(options.given(app=app)).address
        database = str(parse_dsn(address.dsn).get("dbname", "")) if address else ""
    return backup.find(into, id_, database=(database or "") if id_ == "last" else "")


def _pair(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise UsageError(f"--rename {text!r} is not OLD=NEW")
    return old, new
