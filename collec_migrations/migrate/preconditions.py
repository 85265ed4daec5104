"""What a run needs before it begins, and the refusal where it is not so. Pure."""

from collections.abc import Iterator, Sequence

from collec_migrations import versions
from collec_migrations.bridge import history
from collec_migrations.errors import NotAdopted, NotPossible, Problem, UnknownVersion
from collec_migrations.migrate.planned import PairPlan
from collec_migrations.names import Names
from collec_migrations.postgres.privileges import Privileges
from collec_migrations.settings import Settings

OLDEST = 90400
"""PostgreSQL 9.4: the scripts use json and `to_regclass`."""


def refuse(obstacles: Sequence[Problem]) -> None:
    """Raise `NotPossible` that names every obstacle that is certain, if there is any."""
    certain = [obstacle for obstacle in obstacles if obstacle.certain]
    if not certain:
        return
    lines = "\n".join(f"    {obstacle.message}" for obstacle in certain)
    raise NotPossible(
        f"the upgrade cannot be done, nothing was touched:\n{lines}",
        hint=" ".join(dict.fromkeys(obstacle.hint for obstacle in certain)),
    )


def problems(powers: Privileges, pairs: Sequence[PairPlan]) -> tuple[Problem, ...]:
    """Return all obstacles for a run that does this."""
    busy = [pair for pair in pairs if pair.steps]
    if not busy:
        return ()
    obstacles = list(of_server(powers.version, standby=powers.standby, read_only=powers.read_only))
    for pair in () if powers.superuser else busy:
        obstacles += _of_schemas(powers, pair)
        obstacles += [
            Problem(
                message=f"table {table} belongs to {owner!r},"
                f" and {powers.role!r} may not change it",
                hint=f"Run as {owner!r} or as a superuser.",
            )
            for table, owner in pair.locked
            if owner not in powers.acts_as
        ]
    return tuple(dict.fromkeys(obstacles))


def of_server(version: int, *, standby: bool, read_only: bool) -> Iterator[Problem]:
    """Yield what keeps every run from changing anything on this server."""
    if version < OLDEST:
        yield Problem(
            message=f"the server is PostgreSQL {version // 10000}.{version // 100 % 100},"
            " older than 9.4",
            hint="Upgrade the server first.",
        )
    if standby:
        yield Problem(
            message="the server is a standby, which takes no changes",
            hint="Connect to the primary.",
        )
    elif read_only:
        yield Problem(
            message="transactions are read-only here (default_transaction_read_only)",
            hint="Set default_transaction_read_only to off for this role or database.",
        )


def _of_schemas(powers: Privileges, pair: PairPlan) -> Iterator[Problem]:
    names, archives = pair.names, any(item.rows for item in pair.archived)
    touched = [(names.col, names.col_archive, pair.col_owner)]
    if pair.touches_rights:
        touched.append((names.gacl, names.gacl_archive, pair.gacl_owner))
    missing = [schema for schema, _, _ in touched if schema not in powers.schemas]
    if archives and names.col_archive not in powers.schemas:
        missing.append(names.col_archive)
    if missing and not powers.creates_schemas:
        yield Problem(
            message=f"role {powers.role!r} may not create"
            f" {' and '.join(f'schema {name!r}' for name in missing)}"
            f" in database {powers.database!r}",
            hint="Run as the owner of the database or as a superuser, "
            "or GRANT CREATE ON DATABASE to this role.",
        )
    for schema, archive, owner in touched:
        yield from _of_schema(powers, schema, owner)
        if archives and archive in powers.schemas and schema == names.col:
            yield from _of_schema(powers, archive, owner)


def _of_schema(powers: Privileges, schema: str, owner: str) -> Iterator[Problem]:
    if schema not in powers.schemas:
        return
    if (schema, powers.role) not in powers.creators:
        yield Problem(
            message=f"role {powers.role!r} may not create objects in schema {schema!r}",
            hint="Run as the owner of the schemas or as a superuser.",
        )
    if not owner or owner == powers.role:
        return
    if owner not in powers.gives_to:
        yield Problem(
            message=f"new objects of schema {schema!r} belong to {owner!r},"
            f" of which {powers.role!r} is not a member",
            hint=f"Run as {owner!r} or as a superuser.",
        )
    elif (schema, owner) not in powers.creators:
        yield Problem(
            message=f"role {owner!r}, who is to own new objects, may not create any"
            f" in schema {schema!r}",
            hint=f"GRANT CREATE ON SCHEMA {schema} to {owner!r}, or run as a superuser.",
        )


def refuse_unadopted(names: Names, found: history.State) -> None:
    """Raise `NotAdopted` for schemas that hold the application's tables but no version."""
    if found.recorded is None and found.col_tables and not found.col_removed:
        raise NotAdopted(
            f"schema {names.col!r} holds {found.col_tables} tables but no version",
            hint="Run `collec-migrations detect` to see what it is, "
            "then `collec-migrations adopt`.",
        )
    if found.rights_version is None and found.gacl_tables and not found.gacl_removed:
        raise NotAdopted(
            f"the rights schema {names.gacl!r} holds {found.gacl_tables} tables but no version",
            hint="Adopt the data schema that uses it first: `collec-migrations adopt`.",
        )


def refuse_unknown(names: Names, found: history.State, known: Sequence[str]) -> None:
    """Raise `UnknownVersion` for a schema at a version that the chain here does not have."""
    if found.recorded is not None and found.recorded not in known:
        raise UnknownVersion(
            f"schema {names.col!r} is at version {found.recorded}, which is not known here:"
            f" the newest is {known[-1]}",
            hint="Run this in the folder that holds the site's `collec-versions`, "
            "or wrap the application's scripts again.",
        )


def refuse_other_application(settings: Settings, names: Names, recorded: str | None) -> None:
    """Raise `NotPossible` where there is nothing to do, yet the application asks for another."""
    said = settings.application
    if said is None or recorded in ("", None, said.expected) or not said.expected:
        return
    chain = versions.in_chain()
    ahead = said.expected in chain and recorded in chain[chain.index(said.expected) :]
    go = "downgrade" if ahead else "upgrade"
    install = f"Install the application's release for {recorded}, or: " if ahead else ""
    raise NotPossible(
        f"schema {names.col!r} is at {recorded}, but the application in {said.folder}"
        f" asks for {said.expected}",
        hint=f"{install}collec-migrations {go} {said.expected} --app {said.folder}",
    )
