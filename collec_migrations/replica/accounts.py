"""The two roles of a replication: what they may do, and the statements that make them. Pure.

`rep` reads the whole cluster by a base backup, `rewind` any file of the data folder: both
passwords are worth as much as a superuser's (facts 5).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collec_migrations.postgres import pg_versions
from collec_migrations.postgres.quoting import identifier, literal

REP = "rep"
REWIND = "rewind"
GRANTS = (
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
)
"""What pg_rewind calls (its manual page); before 11 it needs a superuser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a role that exists may do."""

    login: bool
    replication: bool
    rewinds: bool
    """Whether it may read what pg_rewind reads."""
    scram: bool | None
    """Whether its password is kept as SCRAM; None when we may not see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role as it has to be."""

    name: str
    attributes: str
    why: str


def needed(major: str) -> tuple[Role, ...]:
    """Return the roles that a replication needs on a major."""
    rights = "login" if pg_versions.holds("rewind_non_superuser", major) else "login superuser"
    roles = [Role(name=REP, attributes="login replication", why="standbys read the WAL as it")]
    if pg_versions.text("pg_rewind", major):
        why = "pg_rewind reads as it when an old primary comes back"
        roles.append(Role(name=REWIND, attributes=rights, why=why))
    return tuple(roles)


def missing(major: str, there: Mapping[str, Rights]) -> tuple[Role, ...]:
    """Return the roles that are not there, or may not do what they are for."""
    return tuple(one for one in needed(major) if one.name not in there or not _fit(one, there))


def weak(major: str, there: Mapping[str, Rights]) -> tuple[str, ...]:
    """Return the roles whose passwords are kept as MD5 where SCRAM is possible."""
    if pg_versions.text("hba_method", major) != "scram-sha-256":
        return ()
    return tuple(name for name, rights in there.items() if rights.scram is False)


def statements(
    major: str, there: Mapping[str, Rights], verifiers: Mapping[str, str]
) -> Iterator[str]:
    """Yield the statements that make the roles, or give them what they lack.

    `verifiers` holds, by role, what the server is to keep instead of a new password; nobody who
    reads it in the server's log can log in by it.
    """
    for role in missing(major, there):
        verb = "alter" if role.name in there else "create"
        yield f"{verb} role {identifier(role.name)} with {role.attributes}"
    for name, verifier in verifiers.items():
        yield f"alter role {identifier(name)} with password {literal(verifier)}"
    if pg_versions.holds("rewind_non_superuser", major):
        for function in GRANTS:
            yield f"grant execute on function pg_catalog.{function} to {identifier(REWIND)}"


def _fit(role: Role, there: Mapping[str, Rights]) -> bool:
    rights = there[role.name]
    return rights.login and (rights.replication if role.name == REP else rights.rewinds)
