"""Fill a database with sample data, one statement for each table.

A table or column has a query in `tables/` where its values matter; all others are filled from
their types and keys, so that a new version needs nothing here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from string import Template

from psycopg2 import extensions, sql

from collec_migrations.bridge import history
from collec_migrations.names import Names
from collec_migrations.testing.sample_data import inventory, plan
from collec_migrations.testing.sample_data import values as column_values
from collec_migrations.testing.sample_data.inventory import Column, Keys
from collec_migrations.testing.sample_data.values import Parent

Key = tuple[str, str]
"""Role and name of a table."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How many rows were added to each table, by `role.table`."""

    rows: Mapping[str, int]


@dataclass(slots=True, kw_only=True)
class Table:
    """A table of this database, and what goes into it."""

    role: str
    schema: str
    name: str
    columns: list[Column]
    keys: Keys
    first: int = 1
    count: int = 0
    deferred: list[Column] = field(default_factory=list)
    """Columns that refer to tables filled later."""

    @property
    def known_as(self) -> str:
        """Return the name by which the plan and the queries know the table."""
        return plan.OLD_TABLES.get(self.name, self.name)

    @property
    def id(self) -> str | None:
        """Return the column of the ids, if there is one."""
        numbers = {c.name for c in self.columns if c.category == "N"}
        for unique in self.keys.unique[:1]:
            if len(unique) == 1 and unique[0] in numbers:
                return unique[0]
        drawn = [c.name for c in self.columns if c.sequence]
        return f"{self.name}_id" if f"{self.name}_id" in drawn else next(iter(drawn), None)

    @property
    def identifier(self) -> sql.Identifier:
        """Return the qualified name."""
        return sql.Identifier(self.schema, self.name)


def fill(
    connection: extensions.connection, names: Names, *, movements: int = 1000, seed: int = 1
) -> Filled:
    """Add sample data to every table but `dbversion`; the caller commits.

    The same seed makes the same rows, on every server. Rows that are there already stay: ids go
    on from the greatest, and sequences end there. Nothing but rows and sequences changes.
    """
    columns = inventory.columns(connection, names)
    tables = _tables(connection, columns, names)
    values = _sizes(connection, tables, movements)
    filling = _Filling(connection, tables, values, seed)
    with inventory.unchecked(connection):
        filled = {f"{table.role}.{table.name}": filling.rows(table) for table in _ordered(tables)}
        for table in tables.values():
            for column in table.deferred:
                filling.later(table, column)
    inventory.advance_sequences(connection, names, columns)
    return Filled(filled)


def _tables(
    connection: extensions.connection, columns: tuple[Column, ...], names: Names
) -> dict[Key, Table]:
    keys = inventory.keys(connection, names)
    tables: dict[Key, Table] = {}
    for column in columns:
        key = (column.role, column.table)
        if column.table in plan.LEFT_ALONE or column.table in history.TOOL_TABLES:
            continue
        if key not in tables:
            tables[key] = Table(
                role=column.role,
                schema=names.gacl if column.role == "gacl" else names.col,
                name=column.table,
                columns=[],
                keys=keys.get(key, Keys()),
            )
        if not column.computed:
            tables[key].columns.append(column)
    return tables


def _sizes(
    connection: extensions.connection, tables: Mapping[Key, Table], movements: int
) -> dict[str, int]:
    """Set the first id and the size of each table; return them as the queries know them."""
    parents = {
        table.known_as: [parent for _, parent, _ in table.keys.references.values()]
        for table in tables.values()
    }
    size = plan.sizes(parents, movements)
    values = {"movers": plan.movers(size)}
    for table in tables.values():
        table.first = inventory.taken(connection, table.schema, table.name, table.id) + 1
        table.count = size[table.known_as]
        values |= {f"{table.known_as}_first": table.first, f"{table.known_as}_count": table.count}
    return values


def _ordered(tables: Mapping[Key, Table]) -> Iterator[Table]:
    """Yield tables after those that they refer to; where they refer in a circle, defer columns."""
    left = dict(tables)
    while left:
        ready = [key for key in left if not _open(left, key)]
        if not ready:
            ready = [
                next(
                    key
                    for key in left
                    if key in _reachable(left, key) and all(c.nullable for c in _open(left, key))
                )
            ]
            left[ready[0]].deferred = _open(left, ready[0])
        for key in ready:
            yield left.pop(key)


def _open(left: Mapping[Key, Table], key: Key) -> list[Column]:
    """Return the columns of a table that refer to other tables which are not filled yet."""
    references = left[key].keys.references
    return [
        column
        for column in left[key].columns
        if column.name in references and references[column.name][:2] in left.keys() - {key}
    ]


def _reachable(left: Mapping[Key, Table], start: Key) -> set[Key]:
    found: set[Key] = set()
    waiting = [start]
    while waiting:
        key = waiting.pop()
        for column in _open(left, key):
            parent = left[key].keys.references[column.name][:2]
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


@dataclass(frozen=True, slots=True)
class _Filling:
    connection: extensions.connection
    tables: Mapping[Key, Table]
    values: dict[str, int]
    seed: int

    def rows(self, table: Table) -> int:
        """Run the statement of a table and return how many rows it added."""
        parents = {
            name: self._parent(table, name)
            for name in table.keys.references
            if name not in {c.name for c in table.deferred}
        }
        query = self._query(table.known_as, table)
        given: list[str] = []
        if query is None:
            table.count = column_values.combinations(table.keys, parents, table.count)
            query = sql.SQL("select from generate_series(1, {})").format(sql.Literal(table.count))
        else:
            given = self._columns_of(query)
        own = [(c, plan.OLD_COLUMNS.get(c.name, c.name)) for c in table.columns]
        filled: dict[str, sql.Composable] = {
            column.name: sql.SQL("draft.{}").format(sql.Identifier(name))
            for column, name in own
            if name in given
        }
        for column in table.columns:
            if column.name not in filled and column not in table.deferred:
                expression = self._expression(table, column, parents)
                if expression is not None:
                    filled[column.name] = sql.SQL(expression)
        return self._insert(table, query, filled)

    def later(self, table: Table, column: Column) -> None:
        """Fill a column that refers to a table which was filled after its own."""
        if table.id is None:
            return
        query = self._query(f"{table.known_as}.{column.name}", table)
        if query is None:
            parents = {column.name: self._parent(table, column.name)}
            expression = self._expression(table, column, parents)
            query = sql.SQL(
                "select {id}, {value} as {column} from {table},"
                " lateral (select {id} - {first} as n, {id} as k) as numbered where {id} >= {first}"
            ).format(
                id=sql.Identifier(table.id),
                value=sql.SQL(expression or "null"),
                column=sql.Identifier(column.name),
                table=table.identifier,
                first=sql.Literal(table.first),
            )
        self._execute(
            sql.SQL("update {} as t set {c} = d.{c} from (\n{}\n) as d where d.{k} = t.{k}").format(
                table.identifier, query, c=sql.Identifier(column.name), k=sql.Identifier(table.id)
            )
        )

    def _query(self, name: str, table: Table) -> sql.Composable | None:
        """Return the query of a table or a column, if it has one, with its values."""
        here = files(__package__)
        place = here / "tables" / f"{name}.sql"
        if not place.is_file():
            return None
        text = place.read_text("utf-8")
        if "from made" in text:
            text = f"with {(here / 'made.sql').read_text('utf-8')}\n{text}"
        own = {"first": table.first, "count": table.count, "seed": self._salt(name)}
        with self.connection.cursor() as cursor:
            # Values first, names after: a `%` in a schema's name is no placeholder.
            bound = cursor.mogrify(text, _Values(self.values | own)).decode()
        quoted = {t.known_as: t.identifier.as_string(self.connection) for t in self.tables.values()}
        return sql.SQL(Template(bound).safe_substitute(quoted))

    def _salt(self, name: str) -> int:
        mixed = sha256(f"{self.seed} {name}".encode()).digest()
        return int.from_bytes(mixed[:4]) >> 1

    def _parent(self, table: Table, column: str) -> Parent:
        """Return what a column can refer to: rows of ours if there are any, else all of them."""
        role, name, target = table.keys.references[column]
        parent = self.tables.get((role, name))
        if parent is not None and parent.count and target == parent.id:
            return Parent(parent.first, parent.count)
        schema = parent.schema if parent else table.schema
        with self.connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("select {c} from {} where {c} is not null order by {c} limit 1000").format(
                    sql.Identifier(schema, name), c=sql.Identifier(target)
                )
            )
            values = [value for (value,) in cursor]
        return Parent(0, len(values), sql.Literal(values).as_string(self.connection))

    def _expression(
        self, table: Table, column: Column, parents: Mapping[str, Parent]
    ) -> str | None:
        """Return what fills a column that no query gives; None leaves it to its default."""
        salt = self._salt(f"{table.known_as}.{column.name}")
        single = [column.name] in table.keys.unique
        expression: str | None
        if column.name in parents:
            if not parents[column.name].count:
                return None
            if table.keys.references[column.name][:2] == (table.role, table.name):
                expression = f"{table.first} + n / 2"
            else:
                expression = column_values.choice(column, table.keys, dict(parents), salt=salt)
        elif column.name == table.id or (single and column.category == "N"):
            return "k"
        else:
            expression = column_values.value(self.connection, column, salt=salt)
        if expression is None or not column.nullable:
            return expression
        return column_values.sometimes_null(expression)

    def _columns_of(self, query: sql.Composable) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql.SQL("select * from (\n{}\n) as draft limit 0").format(query))
            return [column.name for column in cursor.description or ()]

    def _insert(
        self, table: Table, query: sql.Composable, filled: Mapping[str, sql.Composable]
    ) -> int:
        """Insert the draft of a table, each column cast to its type."""
        # Types have no placeholder; these come from format_type.
        types = {column.name: sql.SQL(column.type) for column in table.columns}
        statement = sql.SQL(
            "insert into {} ({}) select {} from (select *, row_number() over () - 1 as n"
            " from (\n{}\n) as given) as draft, lateral (select {} + n as k) as numbered"
        ).format(
            table.identifier,
            sql.SQL(", ").join(map(sql.Identifier, filled)),
            sql.SQL(", ").join(
                sql.SQL("({})::{}").format(value, types[name]) for name, value in filled.items()
            ),
            query,
            sql.Literal(table.first),
        )
        if table.known_as in plan.WELL_KNOWN and table.id is not None:
            statement += sql.SQL(
                " where not exists (select from {} as there where there.{key} = draft.{key})"
            ).format(table.identifier, key=sql.Identifier(table.id))
        return self._execute(statement)

    def _execute(self, statement: sql.Composable) -> int:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.rowcount


class _Values(dict[str, int]):
    """Values for a query; a table that this version lacks counts as one row."""

    def __missing__(self, _: str) -> int:
        return 1
