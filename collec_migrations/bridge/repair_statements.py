"""The statement that makes, changes or renames one thing. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collec_migrations.bridge import catalog_index
from collec_migrations.bridge import view_dependencies as views
from collec_migrations.bridge.columns import Column
from collec_migrations.bridge.difference import Difference
from collec_migrations.catalog import Fact, without_fill_factor
from collec_migrations.names import Names
from collec_migrations.postgres.quoting import identifier, literal

(RENAMES_OF_TABLES, RENAMES_OF_COLUMNS, RENAMES, SEQUENCES, TABLES, COLUMNS, KEYS, FOREIGN_KEYS,
 INDEXES, VIEWS, OWNERS, RIGHTS, ROWS) = range(13)  # fmt: skip
"""The order in which statements run."""


class Unmendable(Exception):
    """It cannot be mended without loss; the text says why."""


@dataclass(frozen=True, slots=True, order=True)
class Mend:
    """One statement and when it runs."""

    stage: int
    statement: str


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes statements for one pair of schemas."""

    names: Names
    owner: str
    """The role that new things are given to; empty: whoever runs the statement keeps them."""
    views: Mapping[str, str]

    def target(self, role: str, kind: str, name: str) -> str:
        """Return the qualified name of a thing, for a statement."""
        schema = identifier(self.names.gacl if role == "gacl" else self.names.col)
        if kind == "schema":
            return schema
        if kind == "function":
            called, _, arguments = name.partition("(")
            return f"{schema}.{identifier(called)}({arguments}"
        return f"{schema}.{identifier(name)}"

    def make(self, fact: Fact, beside: tuple[Fact, ...], unchecked: bool = False) -> list[Mend]:
        """Return what makes a missing thing; `beside` is all that is missing with it."""
        if fact.kind == "table":
            return self._table(fact, beside)
        if fact.kind == "column":
            return self._column(fact, beside)
        if fact.kind == "constraint":
            return [self._constraint(fact, unchecked)]
        if fact.kind == "index":
            return [Mend(INDEXES, self._index(fact))]
        if fact.kind == "sequence":
            return self._sequence(fact)
        if fact.kind == "view":
            return self._view(fact.name)
        raise Unmendable(f"what is in the {fact.kind} is not known to this tool")

    def _table(self, fact: Fact, beside: tuple[Fact, ...]) -> list[Mend]:
        columns = ", ".join(
            f"{identifier(catalog_index.column_of(one))} {one.definition}"
            for one in beside
            if (one.role, one.kind, catalog_index.table_of(one)) == (fact.role, "column", fact.name)
        )
        table = self.target(fact.role, "table", fact.name)
        made = Mend(TABLES, f"create table {table} ({columns})")
        return [made, *self._given("table", fact.role, fact.name)]

    def _column(self, fact: Fact, beside: tuple[Fact, ...]) -> list[Mend]:
        table = self.target(fact.role, "table", catalog_index.table_of(fact))
        if any((o.role, o.kind, o.name) == (fact.role, "table", catalog_index.table_of(fact))
               for o in beside):  # fmt: skip
            return []  # the table comes with it
        column = identifier(catalog_index.column_of(fact))
        if beside[0].kind == "sequence":
            default = Column.parse(fact.definition).default
            return [
                Mend(COLUMNS, f"alter table {table} alter column {column} set default {default}")
            ]
        return [Mend(COLUMNS, f"alter table {table} add column {column} {fact.definition}")]

    def _constraint(self, fact: Fact, unchecked: bool) -> Mend:
        table, name = fact.name.split(".", 1)
        definition = fact.definition + (" not valid" if unchecked else "")
        stage = FOREIGN_KEYS if definition.startswith(("FOREIGN", "CHECK")) else KEYS
        target = self.target(fact.role, "table", table)
        return Mend(stage, f"alter table {target} add constraint {identifier(name)} {definition}")

    def _index(self, fact: Fact) -> str:
        rest = fact.definition.removeprefix("on ")
        unique = "unique " if rest.startswith("UNIQUE ") else ""
        table = self.target(fact.role, "table", catalog_index.table_of(fact))
        method = catalog_index.WORD.sub("", rest.removeprefix("UNIQUE "), count=1).strip()
        return f"create {unique}index {identifier(fact.name)} on {table} {method}"

    def _sequence(self, fact: Fact) -> list[Mend]:
        name = self.target(fact.role, "sequence", fact.name)
        made = [
            Mend(SEQUENCES, f"create sequence {name}"),
            *self._given("sequence", *fact[0::2][:2]),
        ]
        if not fact.definition:
            return made
        table, column = fact.definition.removeprefix("owned by ").split(".", 1)
        place = self.target(fact.role, "table", table)
        greatest = f"(select max({identifier(column)}) from {place})"
        return [
            *made,
            Mend(ROWS, f"alter sequence {name} owned by {place}.{identifier(column)}"),
            Mend(ROWS, f"select setval({literal(name)}, coalesce({greatest} + 1, 1), false)"),
        ]

    def _view(self, name: str) -> list[Mend]:
        if name not in self.views:
            raise Unmendable("its query is not known to this tool")
        view = self.target("col", "view", name)
        made = Mend(VIEWS, f"create view {view} as\n{self.views[name]}")
        return [made, *self._given("view", "col", name)]

    def _given(self, kind: str, role: str, name: str) -> list[Mend]:
        return [self.own(kind, role, name)] if self.owner else []

    def own(self, kind: str, role: str, name: str) -> Mend:
        """Return what gives a thing to the owner of the others."""
        target = self.target(role, kind, name)
        # A sequence can only follow the owner of its table, so tables go first.
        stage = OWNERS if kind != "sequence" else RIGHTS
        return Mend(stage, f"alter {kind} {target} owner to {identifier(self.owner)}")

    def rename(self, one: Difference) -> Mend:
        """Return what gives a thing its own name back."""
        own, other = one.name, one.observed
        if one.kind in ("column", "constraint"):
            table = self.target(one.role, "table", own.split(".", 1)[0])
            old, new = (identifier(name.split(".", 1)[1]) for name in (other, own))
            stage = RENAMES_OF_COLUMNS if one.kind == "column" else RENAMES
            return Mend(stage, f"alter table {table} rename {one.kind} {old} to {new}")
        target = self.target(one.role, one.kind, other)
        new = identifier(own.partition("(")[0])
        stage = RENAMES_OF_TABLES if one.kind == "table" else RENAMES
        return Mend(stage, f"alter {one.kind} {target} rename to {new}")

    def change(self, one: Difference) -> list[Mend]:
        """Return what gives a thing its own definition back."""
        if one.kind == "column":
            return self._change_column(one)
        if one.kind == "sequence":
            return [self._change_owner_of_sequence(one)]
        if one.kind == "index":
            return self._change_index(one)
        if one.kind == "constraint":
            return self._change_constraint(one)
        if one.kind == "view":
            drop = Mend(INDEXES, f"drop view {self.target('col', 'view', one.name)}")
            return [drop, *self._view(one.name)]
        raise Unmendable("only a person can tell which of the two is right")

    def _change_column(self, one: Difference) -> list[Mend]:
        table, name = one.name.split(".", 1)
        place, column = self.target(one.role, "table", table), identifier(name)
        want, have = Column.parse(one.expected), Column.parse(one.observed)
        alter = f"alter table {place} alter column {column}"
        found: list[str] = []
        if want.type != have.type:
            found.append(_lossless(place, column, want.type, have.type))
            found.append(f"{alter} drop default")
            found.append(f"{alter} type {want.type} using {column}::{want.type}")
        if want.default != have.default or want.type != have.type:
            found.append(f"{alter} set default {want.default}" if want.default
                         else f"{alter} drop default")  # fmt: skip
        if want.not_null != have.not_null:
            found.append(f"{alter} {'set' if want.not_null else 'drop'} not null")
        plain = [Mend(COLUMNS, text) for text in found]
        return plain if want.type == have.type else self._without_views(one, plain)

    def _without_views(self, one: Difference, mends: list[Mend]) -> list[Mend]:
        """Return a change of type between the loss and the making of the views in its way."""
        table = one.name.split(".", 1)[0]
        found = [name for name in sorted(self.views) if views.reads(name, table)]
        drops = [Mend(RENAMES, f"drop view if exists {self.target('col', 'view', name)}")
                 for name in found]  # fmt: skip
        return [*drops, *mends, *(mend for name in found for mend in self._view(name))]

    def _change_owner_of_sequence(self, one: Difference) -> Mend:
        name = self.target(one.role, "sequence", one.name)
        if not one.expected:
            return Mend(ROWS, f"alter sequence {name} owned by none")
        table, column = one.expected.removeprefix("owned by ").split(".", 1)
        place = self.target(one.role, "table", table)
        return Mend(ROWS, f"alter sequence {name} owned by {place}.{identifier(column)}")

    def _change_index(self, one: Difference) -> list[Mend]:
        name = self.target(one.role, "index", one.name)
        if without_fill_factor(one.expected) == without_fill_factor(one.observed):
            factor = re.search(r"fillfactor='?(\d+)", one.expected)
            text = f"set (fillfactor = {factor[1]})" if factor else "reset (fillfactor)"
            return [Mend(INDEXES, f"alter index {name} {text}")]
        drop = Mend(KEYS, f"drop index {name}")
        return [drop, Mend(INDEXES, self._index(one.facts[0]))]

    def _change_constraint(self, one: Difference) -> list[Mend]:
        if any("at nothing" in word for word in one.along):
            raise Unmendable("rows point at nothing; mend the rows first")
        table, name = one.name.split(".", 1)
        place = f"alter table {self.target(one.role, 'table', table)}"
        if one.observed == f"{one.expected} NOT VALID":
            return [Mend(FOREIGN_KEYS, f"{place} validate constraint {identifier(name)}")]
        made = self._constraint(one.facts[0], unchecked=False)
        return [Mend(RENAMES, f"{place} drop constraint {identifier(name)}"), made]


def _lossless(table: str, column: str, want: str, have: str) -> str:
    """Return what stops the repair when a value would not survive the change of type."""
    return (
        "do $mend$ begin\n"
        f"  if exists (select 1 from {table}\n"
        f"             where ({column}::{want})::{have}::text is distinct from {column}::text)"
        " then\n"
        f"    raise exception 'column % of % holds values that type % would change',\n"
        f"      {literal(column)}, {literal(table)}, {literal(want)};\n"
        "  end if;\n"
        "end $mend$"
    )
