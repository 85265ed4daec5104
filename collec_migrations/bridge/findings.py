"""From what was read to differences: owners, rights, sequences, orphans, views, rows. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from psycopg2 import sql

from collec_migrations import versions
from collec_migrations.bridge import views as of_views
from collec_migrations.bridge.catalog_reader import FOREIGN_KEY, bare, table_of
from collec_migrations.bridge.difference import FALSE_NUMBERS, Difference, Severity, State
from collec_migrations.bridge.records import Json, Owned, Owners, Position, Records
from collec_migrations.catalog import Catalog
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement

_EXTENSIONS = ("pg_trgm", "btree_gin", "postgis", "pgcrypto")


def owners(read: Owners, observed: Catalog) -> Iterator[Difference]:
    """Yield a line for each object with another owner, or that the application may not use.

    A sequence follows its table, so it is reported with it.
    """
    owner_of = {(one.role, one.name): one.owner for one in read.objects if one.kind == "table"}
    followers = {
        (fact.role, fact.name): owner_of.get((fact.role, table_of(fact)), "")
        for fact in observed.facts
        if fact.kind == "sequence" and fact.definition
    }
    for one in read.objects:
        follows = one.owner == followers.get((one.role, one.name))
        if one.kind != "tool table" and not (
            one.kind == "sequence" and one.owner != read.majority and follows
        ):
            yield from _owned(one, read)


def _owned(one: Owned, read: Owners) -> Iterator[Difference]:
    title = f"{one.kind} {one.name}" if one.kind != "schema" else f"the {one.name} schema"
    base = Difference(severity=Severity.BREAKS, state=State.OWNER, role=one.role, kind=one.kind,
                      name=one.name, sentence="")  # fmt: skip
    if one.owner != read.majority and one.kind != "schema":
        yield replace(
            base,
            sentence=f"{title} belongs to {one.owner} instead of {read.majority}",
            expected=read.majority,
            observed=one.owner,
        )
    elif one.lacking:
        yield replace(
            base,
            state=State.RIGHT,
            sentence=f"role {read.application} has no right to {one.lacking} on {title}",
            expected=one.lacking,
            observed=read.application,
        )


def extensions(read: Owners, names: Names) -> Iterator[Difference]:
    """Yield a line for each extension that the application's search path does not reach."""
    for name, schema in read.extensions:
        if name in _EXTENSIONS and schema not in ("public", "pg_catalog", names.col, names.gacl):
            yield Difference(
                severity=Severity.DIFFERS,
                state=State.CHANGED,
                role="col",
                kind="extension",
                name=name,
                observed=schema,
                sentence=f"extension {name} is in schema {schema}, where the application does not"
                " look",
            )


INSTALLED = frozenset(
    (
        *("barcode", "container_family", "container_type", "country", "dataset_template"),
        *("dataset_type", "event_type", "export_format", "export_template", "label"),
        *("license", "mime_type", "movement_type", "multiple_type", "object_status", "request"),
    )
)
"""Tables whose rows installers give ids of their own, without a word to the sequence."""


def sequences(read: Iterable[Position]) -> Iterator[Difference]:
    """Yield a line for each sequence whose next number is taken."""
    ranked = sorted(read, key=lambda one: one.greatest or 0)
    for one in {(one.role, one.sequence): one for one in ranked if one.is_behind}.values():
        table = one.column.partition(".")[0]
        by_installer = one.next == 1 and table in INSTALLED
        severity = Severity.DIFFERS if by_installer else Severity.BREAKS
        if table == "dbversion":  # only scripts write there
            severity = Severity.COSMETIC
        yield Difference(
            severity=severity,
            state=State.BEHIND,
            role=one.role,
            kind="sequence",
            name=one.sequence,
            sentence=f"sequence {one.sequence} is behind: its next number is {one.next}, "
            f"{one.column} has {one.greatest} already",
            expected=str(one.greatest),
            observed=str(one.next),
            known="" if severity is Severity.BREAKS else "installers leave it so",
        )


def known_password(read: Mapping[tuple[str, str], Sequence[Json]]) -> Iterator[Difference]:
    """Yield a line where the login that every installer makes has the password that it gives."""
    if read.get(("gacl", "logingestion")):
        yield Difference(
            severity=Severity.COSMETIC,
            state=State.PASSWORD,
            role="gacl",
            kind="row",
            name="logingestion admin",
            sentence="login admin has the password that every installer gives it: change it in the"
            " application",
            known="everybody who reads the application's manual knows it",
        )


def views(
    read: Iterable[of_views.Returned], reported: Sequence[Difference], *, is_adopted: bool
) -> Iterator[Difference]:
    """Yield a line for each view or function that does something else and is not yet reported."""
    known = {one.name for one in reported if one.kind == "view"}
    known |= {name.removeprefix("view ") for one in reported for name in one.along}
    damaged = {one.table for one in reported if one.kind in ("table", "column")
               and one.severity is not Severity.COSMETIC}  # fmt: skip
    for one in read:
        if one.view.endswith("()"):
            if one.same is False and is_adopted:  # else adopting gives it the chain's own body
                yield Difference(
                    severity=Severity.DIFFERS,
                    state=State.CHANGED,
                    role="col",
                    kind="function",
                    name=one.view.removesuffix("()"),
                    sentence=f"function {one.view} does something else than at any version",
                )
            continue
        affected = of_views.READS.get(one.view, frozenset()) & damaged
        if one.same is False and one.view not in known and not affected:
            yield Difference(
                severity=Severity.BREAKS,
                state=State.CHANGED,
                role="col",
                kind="view",
                name=one.view,
                sentence=f"view {one.view} does not return what it should",
            )


def orphans_query(
    names: Names, observed: Catalog, readable: Owners, reported: Iterable[Difference]
) -> sql.Composable | None:
    """Return the query that counts the rows that missing foreign keys would refuse."""
    present = frozenset((one.role, one.name) for one in observed.facts if one.kind == "column")
    queries = [
        query
        for one in reported
        if one.kind == "constraint"
        and one.state in (State.MISSING, State.CHANGED)
        and (query := _orphans(names, present, readable, one)) is not None
    ]
    return sql.SQL(" union all ").join(queries) if queries else None


def _orphans(
    names: Names, present: frozenset[tuple[str, str]], readable: Owners, one: Difference
) -> sql.Composable | None:
    found = FOREIGN_KEY.match(one.expected)
    if found is None:
        return None
    may, parent = readable.readable, bare(found[2])
    home = next((role for role in (one.role, "gacl") if may.get((role, parent))), None)
    if home is None or not may.get((one.role, one.table)):
        return None
    columns, keys = ([bare(name) for name in found[place].split(", ")] for place in (1, 3))
    needed = {(one.role, f"{one.table}.{name}") for name in columns}
    needed |= {(home, f"{parent}.{name}") for name in keys}
    if not needed <= present:
        return None
    schemas = names.by_default_name
    return sql.SQL(statement("orphans")).format(
        role=sql.Literal(one.role),
        constraint_name=sql.Literal(one.name),
        table=sql.Identifier(schemas[one.role], one.table),
        parent=sql.Identifier(schemas[home], parent),
        columns=sql.SQL(", ").join(sql.Identifier("child", name) for name in columns),
        condition=sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier("parent", key), sql.Identifier("child", name))
            for name, key in zip(columns, keys, strict=True)
        ),
    )


def with_orphans(
    reported: Iterable[Difference], read: Iterable[tuple[str, str, int]]
) -> tuple[Difference, ...]:
    """Return the differences, those of foreign keys with the rows that they would refuse."""
    counts = {(role, name): count for role, name, count in read}

    def with_count(one: Difference) -> Difference:
        count = counts.get((one.role, one.name), 0) if one.kind == "constraint" else 0
        if not count:
            return one
        rows = "1 row points at nothing" if count == 1 else f"{count} rows point at nothing"
        return replace(one, sentence=f"{one.sentence}; {rows}", along=(*one.along, rows))

    return tuple(map(with_count, reported))


def scripts(history: Iterable[Json], current: Callable[[str], str | None]) -> Iterator[Difference]:
    """Yield a line for each script that was changed after it was applied.

    `history` has the rows of the data schema. `current` gives the checksum of scripts, named as
    there, as they are now; None when they are not at hand.
    """
    last = {one["version"]: one for one in history
            if one.get("kind") == "applied" and one.get("checksum")}  # fmt: skip
    for version, one in last.items():
        now = current(one["script"])
        if now not in (None, one["checksum"]):
            yield Difference(
                severity=Severity.DIFFERS,
                state=State.SCRIPT,
                role="col",
                kind="script",
                name=one["script"],
                expected=one["checksum"],
                observed=now or "",
                sentence=f"script {one['script']} was changed after it brought this database to"
                f" {version}",
            )


# What the database says of its own version ------------------------------------------------------

ELABFTW = 5
"""The id of the type of dataset that 26.2 adds; the application's code has it too."""


def recorded(version: str, records: Records, *, damaged: bool) -> Iterator[Difference]:
    """Yield where the rows disagree with the version that the structure is.

    `damaged`: the table `dbversion` itself is reported already.
    """
    numbers = records.numbers
    if ("col", "dbversion") in records.rows and not damaged:
        said = ", ".join(numbers) or "nothing"
        odd = [number for number in numbers if number not in versions.VERSIONS
               or versions.position(number) > versions.position(version)]  # fmt: skip
        if version not in numbers and versions.is_recorded(version):
            reason = FALSE_NUMBERS.get((numbers[-1] if numbers else "", version), "")
            sentence = f"table dbversion says {said}, the structure is that of {version}"
            yield _row("dbversion", Severity.BREAKS, sentence, version, said, reason)
        elif odd:
            # A number that never was a version misleads nobody beside the right one.
            known = any(number in versions.VERSIONS for number in odd)
            severity = Severity.DIFFERS if known else Severity.COSMETIC
            sentence = (
                f"table dbversion also says {', '.join(odd)}, the structure is that of {version}"
            )
            yield _row("dbversion", severity, sentence, version, said, "")
    if records.alembic and records.alembic != (version,):
        said = ", ".join(records.alembic)
        sentence = f"Alembic's own version is {said}, the structure is that of {version}"
        yield _row("alembic_version", Severity.BREAKS, sentence, version, said, "")
    types = records.ids("dataset_type")
    if version == "26.2" and types and ELABFTW not in types:
        sentence = f"table dataset_type has no type {ELABFTW}, which the step to 26.2 adds"
        reason = "pre-releases of 26.2 recorded 26.2 before it was complete"
        said = ", ".join(map(str, sorted(types)))
        yield _row("dataset_type", Severity.DIFFERS, sentence, str(ELABFTW), said, reason)


def _row(
    name: str, severity: Severity, sentence: str, expected: str, observed: str, known: str
) -> Difference:
    return Difference(severity=severity, state=State.ROW, role="col", kind="row", name=name,
                      sentence=sentence, expected=expected, observed=observed,
                      known=known)  # fmt: skip
