"""Show backups to a person or to a program."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from collec_migrations import backup
from collec_migrations.backup import Backup, Broken
from collec_migrations.cli import render
from collec_migrations.postgres import sizes

if TYPE_CHECKING:
    from collec_migrations.backup import Outcome, RestorePlan, Verification


def table(whole: Sequence[Backup], broken: Sequence[Broken]) -> Iterator[str]:
    """Yield the lines of `backup list`."""
    rows = [
        (
            one.id,
            f"{one.manifest.started.astimezone():%Y-%m-%d %H:%M}",
            sizes.shown(one.manifest.size),
            versions(one),
            state(one),
        )
        for one in whole
    ]
    yield from render.table(("id", "taken", "size", "version", "state"), rows)
    for one in broken:
        yield f"{'cannot be read' if one.unreadable else 'NOT A BACKUP'}: {one.id}: {one.why}"


def state(one: Backup) -> str:
    """Return whether a backup was verified, and whether its rows fell."""
    fell = ", ROWS FELL" if one.is_fallen else ""
    return f"{one.verdict or 'not verified'}{fell}"


def versions(one: Backup) -> str:
    """Return the versions of the application's schemas in a backup."""
    return ", ".join(schema.version or schema.answer for schema in one.manifest.schemas) or "-"


def page(one: Backup) -> Iterator[str]:
    """Yield the lines of `backup list ID`."""
    about = one.manifest
    yield f"{one.id}: database {about.database!r}, {about.reason}"
    yield f"  server     {about.server or 'not known'}"
    yield f"  folder     {one.path}"
    yield f"  taken      {about.started.astimezone():%Y-%m-%d %H:%M:%S} in {about.seconds:.1f} s"
    yield f"  size       {sizes.shown(about.size)} ({about.archive}, {about.compression})"
    yield f"  database   {sizes.shown(about.database_size)}, {about.encoding}"
    if about.extensions:
        yield f"  extensions {', '.join(about.extensions)}"
    for role, setting in about.settings:
        yield f"  setting    {setting}{f' for role {role}' if role else ''}"
    yield f"  made by    PostgreSQL {about.server_version}, pg_dump {about.client_version}"
    for schema in about.schemas:
        version = schema.version or schema.answer
        yield f"  schema     {schema.col} (rights: {schema.gacl}): {version}"
    yield f"  rows       {sum(about.rows.values()):,} in {len(about.rows)} tables"
    if about.large_objects:
        yield f"  objects    {about.large_objects:,} large objects"
    yield f"  roles      {'with' if about.passwords else 'WITHOUT'} their passwords"
    for fall in about.falls:
        yield f"  rows fell  {fall}"
    for path in about.left_out:
        yield f"  left out   {path}: it could not be read"
    when = f" on {one.verified.astimezone():%Y-%m-%d %H:%M}" if one.verified else ""
    yield f"  state      {one.verdict or 'not verified'}{when}"
    yield "  without this tool: psql -f globals.sql postgres; pg_restore --create -d postgres data*"


def verified(one: Backup, result: "Verification") -> Iterator[str]:
    """Yield the lines of `backup verify`."""
    if result.is_sound:
        yield (
            f"{one.id} is sound: {len(one.manifest.files)} files, restored into PostgreSQL "
            f"{result.server_version}, {result.rows:,} rows, in {result.seconds:.1f} s"
        )
        for entry in result.left_out:
            yield f"  not tried: {entry}: only a superuser may restore it"
        return
    yield f"{one.id} is DAMAGED:"
    yield from (f"  {problem}" for problem in result.problems)


def as_json(one: Backup) -> dict[str, Any]:
    """Return every fact of a backup."""
    return {
        **backup.facts(one.manifest),
        "path": str(one.path),
        "size": one.manifest.size,
        "verdict": one.verdict or None,
        "verified": one.verified.isoformat() if one.verified else None,
    }


def outcome_json(done: "Outcome") -> dict[str, Any]:
    """Return every fact of a run."""
    return {
        "made": [backup.facts(one) for one in done.made],
        "failed": [
            {"database": one.database, "error": str(one.error), "hint": one.error.hint}
            for one in done.failed
        ],
        "removed": list(done.removed),
    }


def restoring(one: Backup) -> str:
    """Return which backup is restored."""
    return f"restoring {one.id}, taken {one.manifest.started.astimezone():%Y-%m-%d %H:%M}"


def restore_plan(one: Backup, planned: "RestorePlan") -> Iterator[str]:
    """Yield what a restore would do."""
    yield f"{restoring(one)}, into {planned.database!r} on {planned.server}"
    yield f"  {planned.rows:,} rows in {planned.tables} tables"
    yield from (f"  schema {old} becomes {new}" for old, new in planned.renamed.items())
    if planned.roles:
        yield f"  creates the roles {', '.join(planned.roles)}"
