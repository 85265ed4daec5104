"""May a standby become the primary, and what would be done? Nothing is touched here."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from collec_migrations.errors import ReplicationRefused
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import pg_versions
from collec_migrations.replica import answering, candidates, configuration, managers, node
from collec_migrations.replica.findings import Finding
from collec_migrations.replica.machine import Node as Machine
from collec_migrations.replica.nodes import Named
from collec_migrations.replica.states import Node, Up


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A promotion that may be done."""

    target: Up
    named: Named
    local: Machine | None
    """The standby's folder on this machine; needed before 12, which has no pg_promote()."""
    slots: tuple[str, ...]
    """To be made for the nodes that come back."""
    overruled: tuple[Finding, ...]
    notes: tuple[str, ...]


def plan(
    nodes: Sequence[Named],
    name: str | None,
    *,
    local: Machine | None = None,
    force: bool = False,
    patience: float = node.PATIENCE,
) -> Plan:
    """Return what a promotion would do; raise ReplicationRefused with all that is in its way."""
    seen = node.read_all(nodes, patience=patience)
    target = _target(seen, name)
    upstream = target.upstream
    speaks = upstream is not None and answering.speaks(*upstream, patience=patience)
    found = list(candidates.obstacles(target, seen, upstream_speaks=speaks))
    overruled = [one for one in found if force and one.code == "primary"]
    refuse([one for one in found if one not in overruled], f"{target.name} is not promoted")
    if pg_versions.text("sql_promote", target.major) is None and local is None:
        raise ReplicationRefused(
            f"PostgreSQL {target.major} is promoted on its own machine",
            hint=f"Run this on the machine of {target.name}, with --data and its data folder.",
        )
    named = next(one for one in nodes if one.name == target.name)
    refuse_managed(named)
    return Plan(
        target=target,
        named=named,
        local=local,
        slots=tuple(configuration.slot_of(one.name) for one in nodes if one is not named),
        overruled=tuple(overruled),
        notes=tuple(candidates.notes(target, seen)),
    )


def refuse(found: Sequence[Finding], what: str) -> None:
    """Raise ReplicationRefused with all obstacles, when there are any."""
    if found:
        raise ReplicationRefused(
            "\n".join((f"{what}:", *(f"  {one.line}" for one in found))),
            hint="\n      ".join(dict.fromkeys(one.hint for one in found if one.hint)),
        )


def refuse_managed(named: Named) -> None:
    """Raise ManagedElsewhere when another program is in charge of a node."""
    managers.refuse(managers.by_rest(named.host), where=named.name)
    with closing(database.connect(named.address)) as connection:
        managers.refuse(managers.on_server(connection), where=named.name)


def _target(seen: Sequence[Node], name: str | None) -> Up:
    """Return the standby to promote: the named one, else the only one that answers."""
    up = [one for one in seen if isinstance(one, Up)]
    if name is not None:
        for one in up:
            if one.name == name:
                return one
        raise ReplicationRefused(f"{name} does not answer", hint="See `replica status`.")
    found = [one for one in up if one.in_recovery]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in found)
    raise ReplicationRefused(
        f"{len(found)} standbys answer: {names}" if found else "no standby answers",
        hint="Name the one to promote; the others are compared with it."
        if found
        else "See `replica status`.",
    )
