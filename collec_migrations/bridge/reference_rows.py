"""The rows that the application itself needs at a version: what is missing, and how to add it.

The stored form is that of a step: by version and table, the rows `added` and `changed`. Only rows
that the application's code relies on are here; what users rename and delete is not.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from collec_migrations import versions
from collec_migrations.bridge.difference import Difference, Severity, State
from collec_migrations.names import Names
from collec_migrations.postgres.quoting import identifier, literal

_DATA = Path(__file__).parent.parent / "data" / "reference_rows.json"
Row = dict[str, Any]

BY_ID: Mapping[str, str] = {
    "barcode": "barcode_id",
    "dataset_type": "dataset_type_id",
    "export_format": "export_format_id",
    "movement_type": "movement_type_id",
    "multiple_type": "multiple_type_id",
    "object_status": "object_status_id",
}
"""Tables whose ids stand in the application's code; their names may be a site's."""
GACL = ("aclaco", "aclacl", "aclgroup", "aclappli", "logingestion")
COL = (*BY_ID, "dbparam")
KNOWN_PASSWORD = "password"


@cache
def of(version: str) -> Mapping[str, tuple[Row, ...]]:
    """Return the rows of a version by `role.table`."""
    found: dict[str, list[Row]] = {}
    for number, tables in json.loads(_DATA.read_text("utf-8")).items():
        if versions.order(number) > versions.order(version):
            continue
        for table, step in tables.items():
            rows = found.setdefault(table, [])
            for change in step.get("changed", ()):
                rows[:] = [row | change["to"] if _is(row, change["from"]) else row for row in rows]
            rows += step.get("added", ())
    return {table: tuple(rows) for table, rows in found.items()}


def _is(row: Row, changed: Row) -> bool:
    """Say whether a change is of this row: they have the same id."""
    key = next((name for name in changed if name.endswith("_id") and name in row), "")
    return bool(key) and row[key] == changed[key]


def missing(version: str, read: Mapping[tuple[str, str], list[Row]]) -> tuple[Difference, ...]:
    """Return a line for each row of a version that is not there, in the tables that were read."""
    rights = read.get(("gacl", "aclaco"), [])
    return tuple(
        _difference(role, table, row, is_alone=table == "aclaco" and len(rights) == 1)
        for role, table, row in _missing(version, read)
    )


def additions(
    version: str, read: Mapping[tuple[str, str], list[Row]], names: Names
) -> tuple[str, ...]:
    """Return the statements that add the missing rows."""
    return tuple(
        statement
        for role, table, row in _missing(version, read)
        for statement in _insertion(
            identifier(names.by_default_name[role]), table, row, read, version
        )
    )


def _missing(
    version: str, read: Mapping[tuple[str, str], list[Row]]
) -> Iterator[tuple[str, str, Row]]:
    rows = of(version)
    for table, key in BY_ID.items():
        there = read.get(("col", table))
        if there is not None:
            ids = {str(row.get(key)) for row in there}
            for row in rows.get(f"col.{table}", ()):
                if str(row[key]) not in ids:
                    yield "col", table, row
    there = read.get(("col", "dbparam"))
    if there is not None:
        found = {row.get("dbparam_name") for row in there}
        for row in rows.get("col.dbparam", ()):
            if row["dbparam_name"] not in found:
                yield "col", "dbparam", row
    found = {row.get("aco") for row in read.get(("gacl", "aclaco"), ())}
    if "admin" in found:  # else these are no rights of the application
        for row in rows.get("gacl.aclaco", ()):
            if row["aco"] not in found:
                yield "gacl", "aclaco", row


def _difference(role: str, table: str, row: Row, *, is_alone: bool) -> Difference:
    value = row.get("dbparam_name") or row.get("aco") or row[BY_ID[table]]
    return Difference(
        severity=Severity.DIFFERS if table == "aclaco" else Severity.COSMETIC,
        state=State.ROW,
        role=role,
        kind="row",
        name=f"{table} {value}",
        sentence=f"table {table} has no row {value}, which this version has",
        expected=str(value),
        known="releases 1.0 to 1.0.2 made the right admin alone" if is_alone else "",
    )


def _insertion(
    schema: str, table: str, row: Row, read: Mapping[tuple[str, str], list[Row]], version: str
) -> Iterator[str]:
    if table == "aclaco":
        yield from _right(schema, row, read, version)
        return
    values = {name: _sql(value) for name, value in row.items()}
    if table == "dbparam":
        # Its ids mean nothing, and before 2.6 no sequence gives them.
        number, place = int(row["dbparam_id"]), f"{schema}.dbparam"
        values["dbparam_id"] = (
            f"(select case when exists (select 1 from {place} where dbparam_id = {number})"
            f" then (select max(dbparam_id) + 1 from {place}) else {number} end)"
        )
    columns = ", ".join(map(identifier, values))
    yield f"insert into {schema}.{table} ({columns}) values ({', '.join(values.values())})"


def _right(
    schema: str, row: Row, read: Mapping[tuple[str, str], list[Row]], version: str
) -> Iterator[str]:
    """Yield what adds a right, and the group of the same name that has it.

    It is of the application that has the right `admin`: releases 1.0 to 1.0.2 made that one alone,
    under the code `appli`.
    """
    application = next(one["aclappli_id"] for one in read[("gacl", "aclaco")]
                       if one.get("aco") == "admin")  # fmt: skip
    aco = literal(row["aco"])
    yield (f"insert into {schema}.aclaco (aclappli_id, aco) values ({int(application)}, {aco})")
    groups = {one["aclgroup_id"]: one for one in of(version)["gacl.aclgroup"]}
    holders = [one["aclgroup_id"] for one in of(version)["gacl.aclacl"]
               if one["aclaco_id"] == row["aclaco_id"]]  # fmt: skip
    for group in (groups[one] for one in holders if one in groups):
        name, parent = literal(group["groupe"]), groups.get(group["aclgroup_id_parent"])
        of_parent = (f"(select min(aclgroup_id) from {schema}.aclgroup where groupe ="
                     f" {literal(parent['groupe'])})" if parent else "null")  # fmt: skip
        yield (
            f"insert into {schema}.aclgroup (groupe, aclgroup_id_parent) select {name}, {of_parent}"
            f" where not exists (select 1 from {schema}.aclgroup where groupe = {name})"
        )
        yield (
            f"insert into {schema}.aclacl (aclaco_id, aclgroup_id)"
            f" select a.aclaco_id, g.aclgroup_id from {schema}.aclaco a, {schema}.aclgroup g"
            f" where a.aco = {aco} and g.groupe = {name}"
            f" and not exists (select 1 from {schema}.aclacl o"
            " where o.aclaco_id = a.aclaco_id and o.aclgroup_id = g.aclgroup_id)"
        )


def _sql(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else literal(str(value))
