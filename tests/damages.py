"""Every single damage to a sound database: one statement each, with what it should be called."""

from collections.abc import Iterator
from dataclasses import dataclass

from collec_migrations.bridge.catalog_reader import Column
from collec_migrations.bridge.difference import Severity
from collec_migrations.catalog import Catalog, Fact

BREAKS, DIFFERS, COSMETIC = Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One thing done to a database of the default names."""

    statement: str
    severity: Severity
    kind: str


def of(catalog: Catalog, *, owner: str) -> Iterator[Damage]:
    """Yield the damages of every thing in a catalog; not all are possible."""
    for fact in sorted(catalog.facts):
        if fact.kind == "table":
            yield from _table(fact, owner)
        elif fact.kind == "column":
            yield from _column(fact)
        elif fact.kind == "constraint":
            yield from _constraint(fact)
        elif fact.kind in ("index", "view", "sequence"):
            yield from _other(fact)


def _table(fact: Fact, owner: str) -> Iterator[Damage]:
    table = f'{fact.role}."{fact.name}"'
    for statement in (
        f"drop table {table} cascade",
        f'alter table {table} rename to "odd name"',
        f"alter table {table} owner to stranger",
        f"revoke insert on {table} from {owner}",
    ):
        yield Damage(statement=statement, severity=BREAKS, kind=f"table {statement.split()[0]}")


def _column(fact: Fact) -> Iterator[Damage]:
    table, name = fact.name.split(".", 1)
    alter, column = f'alter table {fact.role}."{table}"', Column.parse(fact.definition)
    yield Damage(statement=f'{alter} drop "{name}" cascade', severity=BREAKS, kind="column drop")
    yield Damage(
        statement=f'{alter} rename "{name}" to "odd name"', severity=BREAKS, kind="column rename"
    )
    other = "bigint" if column.type == "integer" else "text"
    if column.type != other:
        statement = f'{alter} alter "{name}" type {other} using "{name}"::{other}'
        yield Damage(statement=statement, severity=BREAKS, kind="column type")
    verb = "drop" if column.not_null else "set"
    yield Damage(
        statement=f'{alter} alter "{name}" {verb} not null', severity=BREAKS, kind="column null"
    )
    change = "drop default" if column.default else "set default null::text"
    if column.default or column.type == "text":
        yield Damage(
            statement=f'{alter} alter "{name}" {change}', severity=DIFFERS, kind="column default"
        )


def _constraint(fact: Fact) -> Iterator[Damage]:
    table, name = fact.name.split(".", 1)
    alter = f'alter table {fact.role}."{table}"'
    yield Damage(
        statement=f'{alter} drop constraint "{name}" cascade',
        severity=BREAKS,
        kind="constraint drop",
    )
    yield Damage(
        statement=f'{alter} rename constraint "{name}" to "odd name"',
        severity=COSMETIC,
        kind="constraint rename",
    )


def _other(fact: Fact) -> Iterator[Damage]:
    thing = f'{fact.kind} {fact.role}."{fact.name}"'
    plain_index = fact.kind == "index" and not fact.definition.startswith("on UNIQUE")
    yield Damage(
        statement=f"drop {thing} cascade",
        severity=DIFFERS if plain_index else BREAKS,
        kind=f"{fact.kind} drop",
    )
    yield Damage(
        statement=f'alter {thing} rename to "odd name"',
        severity=BREAKS if fact.kind == "view" else COSMETIC,
        kind=f"{fact.kind} rename",
    )
    if fact.kind == "sequence" and fact.definition:
        yield Damage(
            statement=f"alter {thing} owned by none", severity=COSMETIC, kind="sequence owner"
        )
