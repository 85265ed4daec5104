"""From what was read to differences: owners, rights, sequences, orphans, views. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from collec_migrations.bridge import catalog_index, view_samples
from collec_migrations.bridge import view_dependencies as comparison_views
from collec_migrations.bridge.difference import Difference, Severity, State
from collec_migrations.bridge.owners import Owned, Owners
from collec_migrations.bridge.records import Applied, Position
from collec_migrations.bridge.row_checks import Orphans
from collec_migrations.bridge.view_results import Meanings
from collec_migrations.catalog import Catalog

_EXTENSIONS = ("pg_trgm", "btree_gin", "postgis", "pgcrypto")


def owners(read: Owners, observed: Catalog) -> tuple[Difference, ...]:
    """Return a line for each object with another owner, or that the application may not use.

    A sequence follows its table, so it is told of with it.
    """
    owner_of = {(one.role, one.name): one.owner for one in read.objects if one.kind == "table"}
    followers = {
        (fact.role, fact.name): owner_of.get((fact.role, catalog_index.table_of(fact)), "")
        for fact in observed.facts
        if fact.kind == "sequence" and fact.definition
    }
    return tuple(
        one
        for each in read.objects
        if each.kind != "sequence"
        or each.owner == read.majority
        or each.owner != followers.get((each.role, each.name))
        for one in _owned(each, read)
    )


def _owned(one: Owned, read: Owners) -> Iterable[Difference]:
    title = f"{one.kind} {one.name}" if one.kind != "schema" else f"the {one.name} schema"
    base = Difference(
        severity=Severity.BREAKS,
        state=State.OWNER,
        role=one.role,
        kind=one.kind,
        name=one.name,
        sentence="",
    )
    if one.owner != read.majority and one.kind != "schema":
        yield replace(
            base,
            sentence=f"{title} belongs to {one.owner} instead of {read.majority}",
            expected=read.majority,
            observed=one.owner,
        )
    elif one.lacking:
        rights = ", ".join(one.lacking)
        yield replace(
            base,
            state=State.RIGHT,
            sentence=f"role {read.application} has no right to {rights} on {title}",
            expected=rights,
            observed=read.application,
        )


def extensions(read: Owners, col: str, gacl: str) -> tuple[Difference, ...]:
    """Return a line for each extension that the application's search path does not reach."""
    usual = ("public", "pg_catalog", col, gacl)
    return tuple(
        Difference(
            severity=Severity.DIFFERS,
            state=State.CHANGED,
            role="col",
            kind="extension",
            name=name,
            observed=schema,
            sentence=f"extension {name} is in schema {schema}, out of the application's reach",
        )
        for name, schema in read.extensions
        if name in _EXTENSIONS and schema not in usual
    )


def sequences(read: Iterable[Position]) -> tuple[Difference, ...]:
    """Return a line for each sequence whose next number is taken."""
    behind = {(one.role, one.sequence): one for one in sorted(read, key=_greatest) if one.is_behind}
    return tuple(
        Difference(
            severity=_severity(one),
            state=State.BEHIND,
            role=one.role,
            kind="sequence",
            name=one.sequence,
            sentence=f"sequence {one.sequence} is behind: its next number is {one.next}, "
            f"{one.column} has {one.greatest} already",
            expected=str(one.greatest),
            observed=str(one.next),
            known="" if _severity(one) is Severity.BREAKS else "installers leave it so",
        )
        for one in behind.values()
    )


INSTALLED = frozenset(
    (
        *("barcode", "container_family", "container_type", "country", "dataset_template"),
        *("dataset_type", "event_type", "export_format", "export_template", "label"),
        *("license", "mime_type", "movement_type", "multiple_type", "object_status", "request"),
    )
)
"""Tables whose rows installers give ids of their own, without a word to the sequence."""


def _severity(one: Position) -> Severity:
    """Return how bad it is: an installation that nobody touched has nothing that breaks."""
    table = one.column.partition(".")[0]
    if table == "dbversion":
        return Severity.COSMETIC  # only scripts write there
    return Severity.DIFFERS if one.next == 1 and table in INSTALLED else Severity.BREAKS


def known_password(read: Mapping[tuple[str, str], Sequence[object]]) -> tuple[Difference, ...]:
    """Return a line where the login that every installer makes has the password that it gives."""
    if not read.get(("gacl", "logingestion")):
        return ()
    return (
        Difference(
            severity=Severity.COSMETIC,
            state=State.PASSWORD,
            role="gacl",
            kind="row",
            name="logingestion admin",
            sentence="login admin has the password that every installer gives it: change it in the"
            " application",
            known="everybody who reads the application's manual knows it",
        ),
    )


def _greatest(one: Position) -> int:
    return one.greatest or 0


def views(
    wanted: Iterable[view_samples.Expected], read: Meanings, told: Iterable[Difference]
) -> tuple[Difference, ...]:
    """Return a line for each view that returns something else, unless it is told of already."""
    known = {one.name for one in told if one.kind == "view"}
    known |= {name.removeprefix("view ") for one in told for name in one.along}
    damaged = {one.name.split(".")[0] for one in told if one.kind in ("table", "column")}
    affected = {view for view in comparison_views.READS
                if any(comparison_views.reads(view, table) for table in damaged)}  # fmt: skip
    return tuple(
        Difference(
            severity=Severity.BREAKS,
            state=State.CHANGED,
            role="col",
            kind="view",
            name=one.view,
            expected=str(one.rows),
            observed=str(read[one.view]),
            sentence=f"view {one.view} does not return what it should",
        )
        for one in wanted
        if one.view in read and one.view not in known | affected and read[one.view] != one.rows
    )


def with_orphans(told: Iterable[Difference], read: Iterable[Orphans]) -> tuple[Difference, ...]:
    """Return the differences, those of foreign keys with the rows that they would refuse."""
    counts = {(one.role, one.constraint): one.count for one in read}

    def with_count(one: Difference) -> Difference:
        count = counts.get((one.role, one.name), 0) if one.kind == "constraint" else 0
        if not count:
            return one
        rows = "1 row points at nothing" if count == 1 else f"{count} rows point at nothing"
        return replace(one, sentence=f"{one.sentence}; {rows}", along=(*one.along, rows))

    return tuple(map(with_count, told))


def scripts(
    applied: Iterable[Applied], current: Callable[[str], str | None]
) -> tuple[Difference, ...]:
    """Return a line for each script that was changed after it was applied.

    `current` gives the checksum of scripts, named as in the history, as they are now; None when
    they are not at hand.
    """
    last = {one.version: one for one in applied if one.kind == "applied" and one.checksum}
    now = {version: current(one.script) for version, one in last.items()}
    return tuple(
        Difference(
            severity=Severity.DIFFERS,
            state=State.SCRIPT,
            role="col",
            kind="script",
            name=one.script,
            expected=one.checksum,
            observed=now[version] or "",
            sentence=f"script {one.script} was changed after it brought this database to {version}",
        )
        for version, one in last.items()
        if now[version] not in (None, one.checksum)
    )
