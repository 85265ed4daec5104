"""What a database should hold at any version, told from all that it ever held.

A column or table that a version does not have is remembered, by the key of the row: it has to be
there again when the database comes back to a version that has it, for the rows that still exist.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from psycopg2 import extensions, sql

from collec_migrations.catalog import Catalog
from tests.builders import rows, schema
from tests.builders.schema import ForeignKey, Key, Table

Row = dict[str, str | None]
RowKey = tuple[str | None, ...]
Snapshot = dict[Key, dict[RowKey, Row]]

RENAMED = {("storage", "range"): "storage_location"}
"""What a column of an older version is called in memory."""
UNTOLD = ("dbversion",)
"""Tables whose rows are the version's own, not the laboratory's."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The tables of a version, each behind those that it refers to, and the columns' defaults."""

    tables: tuple[Table, ...]
    defaults: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, catalog: Catalog) -> "Shape":
        """Return the shape of a catalog."""
        found = {}
        for _, kind, name, definition in catalog.facts:
            default = re.search(r" default (?:'([^']*)'|(\d+))", definition)
            if kind == "column" and default:
                table, _, column = name.partition(".")
                found[table, column] = default[1] or default[2]
        tables = (table for table in schema.tables(catalog) if table.name not in UNTOLD)
        return cls(tuple(tables), found)

    def canonical_columns(self) -> frozenset[tuple[Key, str]]:
        """Return every column by table, as memory calls it."""
        return frozenset(
            (table.key, _canonical(table, column.name))
            for table in self.tables
            for column in table.columns
        )


def snapshot(connection: extensions.connection, shape: Shape) -> Snapshot:
    """Return every row of the tables of a shape as texts, by key; the default schema names."""
    found: Snapshot = {}
    with rows.exact_texts(connection), connection.cursor() as cursor:
        for table in shape.tables:
            names = [column.name for column in table.columns]
            texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(n)) for n in names)
            source = sql.Identifier(*table.key)
            cursor.execute(sql.SQL("select {} from {}").format(texts, source))
            told = [_canonical(table, name) for name in names]
            made = (dict(zip(told, values, strict=True)) for values in cursor)
            found[table.key] = {key_of(table, row): row for row in made}
    return found


def key_of(table: Table, row: Row) -> RowKey:
    """Return what tells a row from the others of its table: its key, else all of it."""
    required = {column.name for column in table.columns if not column.nullable}
    keys = [columns for columns in table.unique if required.issuperset(columns)]
    return tuple(row[column] for column in (keys[0] if keys else sorted(row)))


@dataclass(slots=True)
class Memory:
    """All that a database ever held, as far as it was not deleted."""

    _rows: Snapshot = field(default_factory=dict)
    _last: frozenset[tuple[Key, str]] = frozenset()
    """Tables and columns of the version seen last: what was there stays, sound or not."""

    def see(self, found: Snapshot, shape: Shape) -> None:
        """Take what a version holds: its rows are all that there are, its values the last ones."""
        for key, live in found.items():
            before = self._rows.get(key, {})
            self._rows[key] = {one: before.get(one, {}) | row for one, row in live.items()}
        self._last = shape.canonical_columns()

    def expected(self, shape: Shape) -> Snapshot:
        """Return what the tables of a version should hold."""
        made: Snapshot = {}
        for table in shape.tables:
            remembered = self._rows.get(table.key, {})
            rows_ = {key: self._row(table, shape, row) for key, row in remembered.items()}
            made[table.key] = {
                key: row for key, row in rows_.items() if self._complete(table, row, made)
            }
        return made

    def _complete(self, table: Table, row: Row, made: Snapshot) -> bool:
        """Forget references to rows that are gone; tell whether the row can do without them."""
        for foreign_key in table.foreign_keys:
            if (table.key, foreign_key.columns[0]) in self._last:
                continue  # before 1.1 nothing kept a group in use from being deleted
            if foreign_key.table == table.key or _is_there(foreign_key, row, made):
                continue
            if not table.nullable(foreign_key):
                return False
            row.update(dict.fromkeys(foreign_key.columns))
        return True

    def _row(self, table: Table, shape: Shape, row: Row) -> Row:
        names = [_canonical(table, column.name) for column in table.columns]
        return {name: row.get(name, shape.defaults.get((table.name, name))) for name in names}


def _is_there(foreign_key: ForeignKey, row: Row, made: Snapshot) -> bool:
    wanted = tuple(row[column] for column in foreign_key.columns)
    if None in wanted:
        return True
    parents: Iterable[Row] = made[foreign_key.table].values()
    return any(wanted == tuple(parent[t] for t in foreign_key.targets) for parent in parents)


def _canonical(table: Table, column: str) -> str:
    return RENAMED.get((table.name, column), column)


def difference(expected: Snapshot, found: Snapshot) -> list[str]:
    """Return lines that say how two snapshots differ."""
    return rows.difference(_texts(expected), _texts(found))


def _texts(told: Snapshot) -> Mapping[str, Sequence[str]]:
    return {
        f"{role}.{name}": sorted(str(sorted(row.items())) for row in held.values())
        for (role, name), held in told.items()
    }


def size(told: Snapshot) -> int:
    """Return the number of rows."""
    return sum(map(len, told.values()))
