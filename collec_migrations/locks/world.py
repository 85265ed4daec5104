"""What a database holds, as far as locks depend on it; it changes as statements are followed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

TABLE_KINDS = ("table", "foreign table")
PLACEHOLDER = "?"
"""Stands in dynamic SQL for a name that is known when it runs, not before."""


@dataclass(eq=False, slots=True, kw_only=True)
class Relation:
    """A table, view, sequence or index, under the name that it had at the beginning."""

    schema: str
    name: str
    kind: str = "table"
    owner: str = ""
    rows: float | None = None
    """As the server estimates them; None: it never counted (ANALYZE)."""
    bytes: int = 0
    """With indexes and what is stored apart."""
    existed: bool = True
    """False: a statement of the run makes it, so that nobody else can see it yet."""
    on: "Relation | None" = None
    """The table of an index, or the table whose column a sequence belongs to."""
    on_column: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    """Name and type of each column."""
    counters: "dict[str, Relation]" = field(default_factory=dict)
    """The sequence that gives the default of a column."""
    uses: "tuple[Relation, ...]" = ()
    """What a view reads."""

    @property
    def is_table(self) -> bool:
        """Whether it holds rows of its own that users enter."""
        return self.kind in TABLE_KINDS

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


ANY = Relation(schema="", name="some table", kind="unknown")
"""A relation that dynamic SQL names and that cannot be known before."""


@dataclass(eq=False, frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A foreign key and its two sides."""

    name: str
    table: Relation
    columns: tuple[str, ...]
    referenced: Relation
    referenced_columns: tuple[str, ...] = ()
    writes: bool = False
    """A row deleted on the other side is followed here (on delete cascade, set null)."""


@dataclass(slots=True, kw_only=True)
class World:
    """The relations by their present name, and how they hang together."""

    version: int = 180000
    """The server's, as `server_version_num` has it."""
    volatile: frozenset[str] = frozenset({"nextval", "random", "clock_timestamp", "setval"})
    """Names of functions whose value differs from row to row."""
    search_path: tuple[str, ...] = ("public",)
    keys: list[ForeignKey] = field(default_factory=list)
    _named: dict[tuple[str, str], Relation] = field(default_factory=dict)

    def add(self, relation: Relation) -> None:
        """Take in a relation under its own name."""
        self._named[relation.schema, relation.name] = relation

    def find(self, schema: str | None, name: str) -> Relation | None:
        """Return the relation of that name; None: it is not there."""
        for candidate in (schema,) if schema else self.search_path:
            found = self._named.get((candidate, name))
            if found:
                return found
        return None

    def within(self, schema: str) -> tuple[Relation, ...]:
        """Return all relations that are in a schema now."""
        return tuple(item for (held, _), item in self._named.items() if held == schema)

    @property
    def relations(self) -> Iterator[Relation]:
        """All relations, some under two names when a renaming is not certain."""
        return iter(dict.fromkeys(self._named.values()))

    @property
    def schemas(self) -> frozenset[str]:
        """Names of the schemas that hold anything."""
        return frozenset(schema for schema, _ in self._named)

    def place(self, relation: Relation) -> tuple[str, str]:
        """Return the present schema and name of a relation."""
        return next((k for k, item in self._named.items() if item is relation), ("", ""))

    def call(self, relation: Relation, schema: str, name: str, *, certain: bool) -> None:
        """Give a relation a new name; while that is not certain the former stays as well."""
        if certain:
            self._named.pop(self.place(relation), None)
        self._named[schema, name] = relation

    def forget(self, relation: Relation) -> None:
        """Leave out a relation that was dropped, with its keys, indexes and sequences."""
        gone = {relation, *(item for item in self.relations if item.on is relation)}
        self._named = {k: item for k, item in self._named.items() if item not in gone}
        self.keys = [k for k in self.keys if k.table not in gone and k.referenced not in gone]

    def keys_of(self, relation: Relation) -> tuple[ForeignKey, ...]:
        """Return the foreign keys on both sides of a relation."""
        return tuple(k for k in self.keys if relation in (k.table, k.referenced))

    def sequences_of(self, relation: Relation, columns: Iterable[str] = ()) -> tuple[Relation, ...]:
        """Return the sequences that belong to a table, or to some of its columns."""
        wanted = frozenset(columns)
        return tuple(
            item
            for item in self.relations
            if item.kind == "sequence"
            and item.on is relation
            and (not wanted or item.on_column in wanted)
        )

    def views_on(self, relation: Relation) -> tuple[Relation, ...]:
        """Return the views that read a relation, those that read these views too."""
        direct = tuple(item for item in self.relations if relation in item.uses)
        return tuple(dict.fromkeys((*direct, *(v for d in direct for v in self.views_on(d)))))
