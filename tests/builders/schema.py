"""The tables of a catalog as a model: columns, and what refers to what."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from collec_migrations.catalog import Catalog
from tests.builders import ddl

Key = tuple[str, str]
"""Role and name of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table."""

    name: str
    type: str
    nullable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """Columns that name a row of a table."""

    columns: tuple[str, ...]
    table: Key
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with all that its rows must respect."""

    role: str
    name: str
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...]

    @property
    def key(self) -> Key:
        """Return role and name."""
        return self.role, self.name

    def nullable(self, foreign_key: ForeignKey) -> bool:
        """Say whether a row may refer to nothing."""
        return all(column.nullable for column in self.columns if column.name in foreign_key.columns)


def tables(catalog: Catalog) -> tuple[Table, ...]:
    """Return the tables of a catalog, each behind those that its rows need."""
    facts = {role: ddl.kinds(catalog, role) for role in ("gacl", "col")}
    rights = facts["gacl"].get("table", {})
    found = {
        (role, name): _table(role, name, facts[role], rights)
        for role in facts
        for name in facts[role].get("table", {})
    }
    return tuple(found[key] for key in _ordered(found.values()))


def _table(role: str, name: str, facts: ddl.Kinds, rights: Iterable[str]) -> Table:
    constraints = [
        definition
        for constraint, definition in facts.get("constraint", {}).items()
        if constraint.startswith(f"{name}.")
    ]
    return Table(
        role=role,
        name=name,
        columns=tuple(_columns(facts, name)),
        foreign_keys=tuple(
            _foreign_key(definition, rights)
            for definition in constraints
            if definition.startswith("FOREIGN KEY")
        ),
    )


def _columns(facts: ddl.Kinds, table: str) -> Iterable[Column]:
    for name, definition in facts.get("column", {}).items():
        if name.startswith(f"{table}."):
            column = name.split(".", 1)[1]
            described = definition.split(" default ")[0]
            yield Column(
                name=column,
                type=described.removesuffix(" not null"),
                nullable=not described.endswith(" not null"),
            )


def _list(definition: str) -> tuple[str, ...]:
    """Return the names in the first parentheses."""
    return tuple(definition[definition.index("(") + 1 : definition.index(")")].split(", "))


def _foreign_key(definition: str, rights: Iterable[str]) -> ForeignKey:
    own, referred = definition.split(" REFERENCES ")
    table = referred.split("(", 1)[0]
    role = "gacl" if table in rights else "col"
    return ForeignKey(columns=_list(own), table=(role, table), targets=_list(referred))


def _ordered(found: Iterable[Table]) -> Iterable[Key]:
    """Yield keys so that a table follows those it needs; a circle is cut where null may stand."""
    every: dict[Key, set[Key]] = defaultdict(set)
    needed: dict[Key, set[Key]] = defaultdict(set)
    for table in found:
        for foreign_key in table.foreign_keys:
            if foreign_key.table != table.key:
                every[table.key].add(foreign_key.table)
                if not table.nullable(foreign_key):
                    needed[table.key].add(foreign_key.table)
    waiting = {table.key: None for table in found}
    while waiting:
        free = [key for key in waiting if not every[key] & waiting.keys()] or [
            key for key in waiting if not needed[key] & waiting.keys()
        ][:1]
        for key in free or list(waiting):
            del waiting[key]
            yield key
