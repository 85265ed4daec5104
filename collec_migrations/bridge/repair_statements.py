"""The statements after which a database's facts are exactly those of its version. Pure.

What the version has is made, renamed or changed; what an installer or a neighbouring version left
there is moved to the archive schema when it holds data, and dropped. What belongs to no version is
the site's own and stays.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from collec_migrations import catalog, versions
from collec_migrations.bridge import renames, views
from collec_migrations.bridge.catalog_reader import (
    FOREIGN_KEY,
    WORD,
    Column,
    Key,
    bare,
    by_key,
    column_of,
    table_of,
)
from collec_migrations.catalog import Catalog, Fact
from collec_migrations.names import Names
from collec_migrations.postgres.quoting import identifier, literal

(RENAMES, VIEWS_AWAY, AWAY, SEQUENCES, TABLES, COLUMNS, OWNERS, KEYS, FOREIGN_KEYS, INDEXES, VIEWS,
 LATE) = range(12)  # fmt: skip
"""The order in which statements run."""

_UNIQUE = re.compile(r"(?:UNIQUE|PRIMARY KEY) \((.*?)\)")
_UNIQUE_INDEX = re.compile(r"on UNIQUE \S+ USING btree \((.*?)\)(?: WITH \(.*?\))?( WHERE .*)?")
_LENGTH = re.compile(r"character(?: varying)?\((\d+)\)")


class Change(NamedTuple):
    """One statement of a repair, and what has to be asked before it runs."""

    stage: int
    what: str
    """For the summary: `constraint renamed`."""
    statement: str
    check: str = ""
    """A query whose rows forbid the statement."""
    finding: str = ""
    """What is wrong with those rows."""
    unchecked: str = ""
    """The statement that accepts them: a foreign key NOT VALID."""


def target(version: str, observed: Catalog, *, without_postgis: bool = True) -> Catalog:
    """Return the chain's own shape; without `object.geom` where a database has no PostGIS."""
    expected = catalog.thawed(catalog.normalised(versions.upgraded(version)))
    has_geom = any(one.name == "object.geom" for one in observed.facts)
    if without_postgis and not has_geom:
        return Catalog(frozenset(one for one in expected.facts if not is_postgis(one)))
    return expected


def is_postgis(fact: Fact) -> bool:
    """Say whether a fact is there only with PostGIS: the column `object.geom` or its index."""
    return fact.name == "object.geom" or (fact.kind == "index" and "(geom)" in fact.definition)


def statements(
    expected: Catalog, observed: Catalog, names: Names, version: str, owner: str = ""
) -> tuple[Change, ...]:
    """Return what turns the observed facts into the expected ones, in an order that works."""
    named, renamed = renames.undo(expected, catalog.normalised(observed), version)
    want, have = by_key(expected), by_key(named)
    maker = _Maker(names, version, want, have, owner)
    found: list[Change] = [change for one in renamed for change in maker.rename(one)]
    for key in sorted(want):
        if key not in have:
            found += maker.make(want[key])
        elif have[key].definition == f"{want[key].definition} NOT VALID":
            found.append(maker.validate(want[key]))
        elif want[key] != have[key]:
            found += maker.change(want[key], have[key])
    # A step that stopped made a sequence that no column owns yet.
    sequences = {fact[:3] for fact in foreign(version) if fact.kind == "sequence"}
    for key in sorted(have.keys() - want.keys()):
        if have[key] in foreign(version) or key in sequences:
            found += maker.remove(have[key])
    found += maker.views_around(found)
    unique = {change.statement: change for change in found}
    return tuple(sorted(unique.values(), key=lambda change: change.stage))


def redefinitions(observed: Catalog, names: Names, version: str) -> Iterator[str]:
    """Yield what gives each view and function that is there the definition of the version.

    Nobody's rights on them change; of two texts that say the same, the chain's stays.
    """
    want = by_key(versions.upgraded(version))
    there = {fact[:3]: fact for fact in catalog.normalised(observed).facts}
    maker = _Maker(names, version, want, there)
    for key, fact in sorted(want.items()):
        if fact.kind == "view" and there.get(key) == fact and fact.name in maker.queries:
            yield maker.view(fact.name, "").statement
        elif fact.kind == "function" and there.get(key) == fact:
            yield from (change.statement
                        for change in maker.function(fact.name.partition("(")[0], ""))  # fmt: skip


@cache
def foreign(version: str) -> frozenset[Fact]:
    """Return what an installer of the version or a neighbouring version has and this one lacks."""
    known = versions.VERSIONS
    place = known.index(version)
    near = [version, *known[max(place - 1, 0) : place], *known[place + 1 : place + 2]]
    keys = {fact[:3] for fact in versions.upgraded(version).facts}
    return frozenset(
        catalog.normal(fact)
        for one in near
        for _, shape in versions.shapes(one)
        for fact in shape.facts
        if fact[:3] not in keys
    )


class _Maker:
    """Makes the statements for one pair of schemas."""

    def __init__(
        self,
        names: Names,
        version: str,
        want: Mapping[Key, Fact],
        have: Mapping[Key, Fact],
        owner: str = "",
    ) -> None:
        self.names, self.version, self.want, self.have = names, version, want, have
        self.owner = owner
        self.queries = views.queries(version) if version in versions.BUILT_IN else {}

    def schema(self, role: str) -> str:
        return identifier(self.names.gacl if role == "gacl" else self.names.col)

    def at(self, role: str, name: str) -> str:
        return f"{self.schema(role)}.{identifier(name)}"

    def signature(self, fact: Fact) -> str:
        name, _, arguments = fact.name.partition("(")
        return f"{self.at(fact.role, name)}({arguments}"

    def rename(self, one: renames.Rename) -> Iterator[Change]:
        own, other = one.name, one.observed
        stage, what = RENAMES, f"{one.kind} renamed"
        if one.kind in ("column", "constraint"):
            table = self.at(one.role, own.split(".", 1)[0])
            old, new = (identifier(name.split(".", 1)[1]) for name in (other, own))
            yield Change(stage, what, f"alter table {table} rename {one.kind} {old} to {new}")
        elif one.kind == "function":
            old = self.signature(Fact(one.role, one.kind, other, ""))
            new = identifier(own.partition("(")[0])
            yield Change(stage, what, f"alter function {old} rename to {new}")
        else:
            stage = RENAMES - 1 if one.kind == "table" else RENAMES
            text = f"alter {one.kind} {self.at(one.role, other)} rename to {identifier(own)}"
            yield Change(stage, what, text)

    def make(self, fact: Fact) -> Iterator[Change]:
        what = f"{fact.kind} added"
        if fact.kind == "table":
            yield Change(TABLES, what, f"create table {self.at(fact.role, fact.name)} ()")
            yield from self._given("table", fact, TABLES)
        elif fact.kind == "column":
            yield from self._column(fact)
        elif fact.kind == "constraint":
            yield self._constraint(fact, what)
        elif fact.kind == "index":
            yield self._index(fact, what)
        elif fact.kind == "sequence":
            yield from self._sequence(fact)
        elif fact.kind == "view" and fact.name in self.queries:
            yield self.view(fact.name, what)
        elif fact.kind == "function":
            yield from self.function(fact.name.partition("(")[0], what)

    def _column(self, fact: Fact) -> Iterator[Change]:
        table, column = table_of(fact), identifier(column_of(fact))
        place = self.at(fact.role, table)
        statement = f"alter table {place} add column {column} {fact.definition}"
        is_new = (fact.role, "table", table) not in self.have
        needed = " not null" in fact.definition and " default " not in fact.definition
        check = f"select * from {place}" if needed and not is_new else ""
        finding = f"column {fact.name} is missing, and these rows have nothing to fill it with"
        what = "" if is_new else "column added"
        yield Change(COLUMNS, what, statement, check, finding)
        if is_postgis(fact):
            # A position that is not on the earth has no geography.
            yield Change(
                OWNERS,
                "",
                f"update {place} set {column} = st_setsrid(st_makepoint(wgs84_x, wgs84_y), 4326)"
                "::geography where wgs84_x between -180 and 180 and wgs84_y between -90 and 90",
            )

    def _constraint(self, fact: Fact, what: str) -> Change:
        table, name = fact.name.split(".", 1)
        place = self.at(fact.role, table)
        statement = f"alter table {place} add constraint {identifier(name)} {fact.definition}"
        if key := FOREIGN_KEY.match(fact.definition):
            check = self._orphans(fact.role, table, key)
            finding = f"foreign key {name}: rows of {table} point at no row of {bare(key[2])}"
            return Change(FOREIGN_KEYS, what, statement, check, finding, f"{statement} not valid")
        if key := _UNIQUE.match(fact.definition):
            return Change(KEYS, what, statement, *self._twins(place, key[1], "", table, name))
        return Change(KEYS, what, statement)

    def validate(self, fact: Fact) -> Change:
        """Return what checks a key that was added NOT VALID, unless orphans still forbid it."""
        table, name = fact.name.split(".", 1)
        text = f"alter table {self.at(fact.role, table)} validate constraint {identifier(name)}"
        key = FOREIGN_KEY.match(fact.definition)
        check = self._orphans(fact.role, table, key) if key else ""
        return Change(LATE, "constraint validated", text, check)

    def _orphans(self, role: str, table: str, key: re.Match[str]) -> str:
        columns, keys = (re.findall(r'"[^"]+"|\w+', key[place]) for place in (1, 3))
        parent = bare(key[2])
        home = role if role == "gacl" or (role, "table", parent) in self.want else "gacl"
        filled = " and ".join(f"child.{one} is not null" for one in columns)
        same = " and ".join(f"parent.{one} = child.{other}"
                            for one, other in zip(keys, columns, strict=True))  # fmt: skip
        return (
            f"select child.* from {self.at(role, table)} as child where {filled} and not exists"
            f" (select 1 from {self.at(home, parent)} as parent where {same})"
        )

    def _twins(
        self, place: str, columns: str, condition: str, table: str, name: str
    ) -> tuple[str, str]:
        filled = " and ".join(f"({one}) is not null" for one in _split(columns))
        rest = condition.replace(" WHERE ", " and ", 1)
        return (
            f"select {columns}, count(*) from {place} where {filled}{rest}"
            f" group by {columns} having count(*) > 1",
            f"{name}: rows of {table} that are there more than once",
        )

    def _index(self, fact: Fact, what: str) -> Change:
        rest = fact.definition.removeprefix("on ")
        unique = "unique " if rest.startswith("UNIQUE ") else ""
        table = table_of(fact)
        place = self.at(fact.role, table)
        method = WORD.sub("", rest.removeprefix("UNIQUE "), count=1).strip()
        statement = f"create {unique}index {identifier(fact.name)} on {place} {method}"
        key = _UNIQUE_INDEX.fullmatch(fact.definition)
        if key is None:
            return Change(INDEXES, what, statement)
        check = self._twins(place, key[1], key[2] or "", table, fact.name)
        return Change(INDEXES, what, statement, *check)

    def _sequence(self, fact: Fact) -> Iterator[Change]:
        column = self._owning_column(fact)
        if column is not None and " default " not in column.definition:
            place, name = self.at(fact.role, table_of(column)), identifier(column_of(column))
            yield Change(
                OWNERS,
                "sequence added",
                f"alter table {place} alter column {name} add generated by default as identity"
                f" (sequence name {self.at(fact.role, fact.name)})",
            )
            return
        name = self.at(fact.role, fact.name)
        yield Change(SEQUENCES, "sequence added", f"create sequence {name}")
        yield from self._given("sequence", fact, SEQUENCES)
        if fact.definition:
            yield Change(LATE, "", self._owned(fact))

    def _given(self, kind: str, fact: Fact, stage: int) -> Iterator[Change]:
        if self.owner:
            name = self.at(fact.role, fact.name)
            yield Change(stage, "", f"alter {kind} {name} owner to {identifier(self.owner)}")

    def _owning_column(self, fact: Fact) -> Fact | None:
        return self.want.get((fact.role, "column", fact.definition.removeprefix("owned by ")))

    def _owned(self, fact: Fact) -> str:
        name = self.at(fact.role, fact.name)
        if not fact.definition:
            return f"alter sequence {name} owned by none"
        table, column = fact.definition.removeprefix("owned by ").split(".", 1)
        return f"alter sequence {name} owned by {self.at(fact.role, table)}.{identifier(column)}"

    def view(self, name: str, what: str) -> Change:
        # A view that reads another one comes after it.
        depth = sum(views.reads(self.queries[name], other)
                    for other in self.queries if other != name)  # fmt: skip
        text = f"create or replace view {self.at('col', name)} as\n{self.queries[name]}"
        return Change(VIEWS + min(depth, 1), what, text)

    def function(self, name: str, what: str) -> Iterator[Change]:
        from collec_migrations import sql

        text = views.functions(self.version).get(name)
        if text:
            bound = sql.bind(text, {"gacl": self.names.gacl, "col": self.names.col})
            yield Change(VIEWS, what, bound)

    def change(self, want: Fact, have: Fact) -> Iterator[Change]:
        what = f"{want.kind} changed"
        if want.kind == "column":
            yield from self._change_column(want, have)
        elif want.kind == "sequence":
            yield Change(LATE, "sequence ownership", self._owned(want))
        elif want.kind == "index":
            yield from self._change_index(want, have)
        elif want.kind == "constraint":
            table, name = want.name.split(".", 1)
            place = self.at(want.role, table)
            yield Change(AWAY, "", f"alter table {place} drop constraint {identifier(name)}")
            yield self._constraint(want, what)
        elif want.kind == "view" and want.name in self.queries:
            yield self._drop_view(want.name)
            yield self.view(want.name, what)
        elif want.kind == "function":
            yield Change(VIEWS_AWAY, "", f"drop function {self.signature(want)}")
            yield from self.function(want.name.partition("(")[0], what)

    def _drop_view(self, name: str) -> Change:
        return Change(VIEWS_AWAY, "", f"drop view if exists {self.at('col', name)}")

    def _change_column(self, want: Fact, have: Fact) -> Iterator[Change]:
        table, column = table_of(want), identifier(column_of(want))
        place = self.at(want.role, table)
        new, old = Column.parse(want.definition), Column.parse(have.definition)
        alter, what = f"alter table {place} alter column {column}", "column changed"
        if new.type != old.type:
            yield Change(COLUMNS, "", f"{alter} drop default")
            yield from self._type(want, place, column, new.type, old.type)
        if new.default != old.default or new.type != old.type:
            text = f"{alter} set default {new.default}" if new.default else f"{alter} drop default"
            yield Change(COLUMNS + 1, what, text)
        if new.not_null and not old.not_null:
            check = f"select * from {place} where {column} is null"
            finding = f"column {want.name} must not be null, but these rows have nothing there"
            if new.default and "nextval" not in new.default:
                yield Change(
                    COLUMNS + 1,
                    what,
                    f"update {place} set {column} = {new.default} where {column} is null",
                )
            yield Change(COLUMNS + 1, what, f"{alter} set not null", check, finding)
        if old.not_null and not new.not_null:
            yield Change(COLUMNS, what, f"{alter} drop not null")

    def _type(self, want: Fact, place: str, column: str, new: str, old: str) -> Iterator[Change]:
        text = f"alter table {place} alter column {column} type {new} using {column}::{new}"
        if length := _LENGTH.fullmatch(new):
            check = f"select * from {place} where length({column}::text) > {length[1]}"
            finding = f"column {want.name} becomes {new}, and these rows hold more"
            yield Change(COLUMNS, "column changed", text, check, finding)
        elif {old, new} == {"json", "jsonb"} or new in ("text", "character varying"):
            yield Change(COLUMNS, "column changed", text)
        else:
            loses = f"({column}::{new})::{old} is distinct from {column}"
            yield self._kept(want, f"select * from {place} where {loses}")
            yield Change(COLUMNS, "column changed", text)

    def _kept(self, fact: Fact, rows: str) -> Change:
        """Return what copies rows to the archive schema, when there are any."""
        archive = self.names.gacl_archive if fact.role == "gacl" else self.names.col_archive
        name = f"adopted_{fact.name.replace('.', '_')}"[:63]
        copy = f"create table {identifier(archive)}.{identifier(name)} as {rows}"
        comment = (
            f"comment on table {identifier(archive)}.{identifier(name)} is"
            f" {literal(f'what {fact.kind} {fact.name} held when it was adopted')}"
        )
        schema = f"create schema if not exists {identifier(archive)}"
        body = (f"begin if exists ({rows}) then execute {literal(schema)}; execute {literal(copy)};"
                f" execute {literal(comment)}; end if; end")  # fmt: skip
        return Change(AWAY - 1, "", f"do {literal(body)}")

    def _change_index(self, want: Fact, have: Fact) -> Iterator[Change]:
        name = self.at(want.role, want.name)
        if catalog.without_fill_factor(want.definition) == catalog.without_fill_factor(
            have.definition
        ):
            factor = re.search(r"fillfactor='?(\d+)", want.definition)
            text = f"set (fillfactor = {factor[1]})" if factor else "reset (fillfactor)"
            yield Change(INDEXES, "fill factor", f"alter index {name} {text}")
            return
        yield Change(AWAY, "", f"drop index {name}")
        yield self._index(want, "index changed")

    def remove(self, fact: Fact) -> Iterator[Change]:
        """Return what takes away a thing of a neighbouring version or of an installer."""
        what = f"{fact.kind} archived"
        table = table_of(fact)
        goes_along = fact.kind != "table" and (fact.role, "table", table) not in self.want
        if goes_along and table:
            return
        place = self.at(fact.role, table or fact.name)
        if fact.kind == "table":
            yield self._kept(fact, f"select * from {place}")
            yield Change(LATE, what, f"drop table {place}")
        elif fact.kind == "column":
            column = identifier(column_of(fact))
            yield self._kept(fact, f"select * from {place} where {column} is not null")
            yield Change(AWAY + 2, what, f"alter table {place} drop column {column}")
        elif fact.kind == "constraint":
            name = identifier(fact.name.split(".", 1)[1])
            yield Change(AWAY, "constraint dropped",
                         f"alter table {place} drop constraint if exists {name}")  # fmt: skip
        elif fact.kind == "index":
            yield Change(AWAY, "index dropped",
                         f"drop index if exists {self.at(fact.role, fact.name)}")  # fmt: skip
        elif fact.kind == "view":
            yield Change(VIEWS_AWAY, "view dropped",
                         f"drop view if exists {self.at(fact.role, fact.name)}")  # fmt: skip
        elif fact.kind == "function":
            yield Change(VIEWS_AWAY, "function dropped",
                         f"drop function if exists {self.signature(fact)}")  # fmt: skip
        elif fact.kind == "sequence":
            yield Change(LATE + 1, "sequence dropped",
                         f"drop sequence if exists {self.at(fact.role, fact.name)}")  # fmt: skip

    def views_around(self, changes: list[Change]) -> Iterator[Change]:
        """Return what takes away and makes again the application's views around a change."""
        kinds = (" type ", " drop column ", "drop view", "drop table", "rename column")
        if not any(kind in one.statement.splitlines()[0] for one in changes for kind in kinds):
            return
        here = [name for name in self.queries if ("col", "view", name) in self.have]
        order = sorted(here, key=lambda name: len(views.dependents(name, self.queries)))
        for name in order:
            yield self._drop_view(name)._replace(stage=RENAMES - 3)
            if ("col", "view", name) in self.want:
                yield self.view(name, "")


def _split(columns: str) -> list[str]:
    """Return the expressions of a list, of which commas in brackets are no ends."""
    return [one.strip() for one in re.split(r",(?![^(]*\))", columns)]
