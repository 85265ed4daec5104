"""Databases of any version, and the scripts of single steps run on them as psql would run them."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import psycopg2
from psycopg2 import extensions, extras, sql

from collec_migrations import catalog, versions
from collec_migrations.bridge.catalog_reader import read_catalog
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from tests.builders import from_catalog, stored
from tests.servers import Server

Connection = extensions.connection
Row = dict[str, object]
Rows = dict[str, list[Row]]

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = ROOT / "legacy_sql"
GAINED: Mapping[str, Mapping[str, Mapping[str, list[Row]]]] = json.loads(
    (ROOT / "tests" / "data" / "rows.json").read_text("utf-8")
)
REFERENCE = json.loads((ROOT / "tests" / "data" / "reference_data.json").read_text("utf-8"))
OWN_STYLESHEET = "own stylesheet"
FIRST_LABEL: Row = {
    "label_id": 1,
    "label_name": "Exemple - ne pas utiliser",
    "label_xsl": OWN_STYLESHEET,
}
FREE_IDS = {"col.dbparam": "dbparam_id", "col.dbversion": "dbversion_id"}
"""Ids that come from a sequence, and that nothing refers to."""
OWNER = "laboratory"
"""The role that owns what the creation scripts make, and that runs the steps on it."""


def steps_between(first: str, last: str) -> tuple[tuple[str, str], ...]:
    """Return the steps up from a version to another one."""
    chain = versions.VERSIONS
    return tuple(pairwise(chain[chain.index(first) : chain.index(last) + 1]))


# A fresh database, version by version ---------------------------------------------------------


def fresh_rows(version: str) -> Rows:
    """Return the rows of an installation, and what each step changes in them."""
    order = versions.VERSIONS.index
    first = max((known for known in REFERENCE if order(known) <= order(version)), key=order)
    rows: Rows = {
        table: [dict(zip(known["columns"], row, strict=True)) for row in known["rows"]]
        for table, known in REFERENCE[first].items()
    }
    rows["col.label"] = [dict(FIRST_LABEL, label_fields="uid,id,clp,db,prj")]
    for number in (known for known in GAINED if order(known) <= order(version)):
        for table, change in GAINED[number].items():
            here = rows.setdefault(table, [])
            if "removed" in change:
                # All that the table had, in the one place: the older versions, in 2.0.
                here.clear()
            here += [dict(row) for row in change.get("added", [])]
            for changed in change.get("changed", []):
                before, after = changed["from"], changed["to"]
                assert isinstance(before, dict)
                assert isinstance(after, dict)
                key = next(name for name in before if name.endswith("_id"))
                next(row for row in here if row[key] == before[key]).update(after)
    return rows


def put(connection: Connection, rows: Rows) -> None:
    """Insert rows where the table has their columns, and set the sequences right."""
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role to replica")
        for table, several in rows.items():
            name = sql.Identifier(*table.split("."))
            cursor.execute(sql.SQL("select * from {} limit 0").format(name))
            known = {column.name for column in cursor.description or ()}
            for row in several:
                row = {k: v for k, v in row.items() if k in known}
                if "create_date" in row:
                    row["create_date"] = "2024-01-01"
                cursor.execute(
                    sql.SQL("insert into {} ({}) values ({})").format(
                        name,
                        sql.SQL(", ").join(map(sql.Identifier, row)),
                        sql.SQL(", ").join([sql.Placeholder()] * len(row)),
                    ),
                    list(row.values()),
                )
        cursor.execute("set session_replication_role to origin")
        cursor.execute(
            "select table_schema, table_name, column_name, column_default"
            " from information_schema.columns"
            " where table_schema in ('gacl', 'col') and column_default like 'nextval%'"
        )
        for schema, table, column, default in cursor.fetchall():
            sequence = re.findall("'(.*)'", default)[0]
            cursor.execute(
                sql.SQL("select setval(%s, max({c})) from {t} having max({c}) > 0").format(
                    c=sql.Identifier(column), t=sql.Identifier(schema, table)
                ),
                [sequence],
            )


@contextmanager
def at(server: Server, version: str, *, start: str = "1.1") -> Iterator[Connection]:
    """Give a connection to a fresh database of a version, made of an older one step by step."""
    with (
        server.database(template_at(server, version, start)) as address,
        closing(psycopg2.connect(address.dsn)) as connection,
    ):
        extras.register_default_json(connection, loads=str)
        yield connection


def template_at(server: Server, version: str, start: str) -> str:
    """Return the name of a fresh database: the first version as it can be had, then the steps.

    The first version comes from its creation scripts, or from its catalog, without the queries
    of its views.
    """
    steps = steps_between(start, version)

    def build(address: Address) -> None:
        with closing(psycopg2.connect(address.dsn)) as connection, connection:
            if steps:
                step(connection, *steps[-1])
            elif (SCRIPTS / f"col_create-{version}.sql").exists():
                create(connection, version)
            else:
                from_catalog.build(connection, stored.load(version), Names())
                put(connection, fresh_rows(version))

    before = template_at(server, steps[-1][0], start) if steps else None
    return server.template(f"steps_{start}_{version}", build, before)


def create(connection: Connection, version: str) -> None:
    """Run the creation scripts as a role that is no superuser."""
    (database,) = query(connection, "select quote_ident(current_database())")[0]
    if not query(connection, f"select 1 from pg_roles where rolname = '{OWNER}'"):
        execute(connection, f"create role {OWNER}")
    execute(
        connection,
        f"create extension pg_trgm schema public; grant create on database {database} to {OWNER}",
    )
    execute(connection, f"set role {OWNER}")
    for schema in ("gacl", "col"):
        execute(connection, (SCRIPTS / f"{schema}_create-{version}.sql").read_text("utf-8"))
    execute(connection, "reset role")


def step(connection: Connection, before: str, after: str) -> None:
    """Run the script from a version to another one, as psql would, as the owner of the schemas."""
    up = versions.VERSIONS.index(before) < versions.VERSIONS.index(after)
    script = SCRIPTS / f"{'upgrade' if up else 'downgrade'}-{before}-{after}.sql"
    (owner,) = query(
        connection,
        "select quote_ident(pg_get_userbyid(nspowner)) from pg_namespace where nspname = 'col'",
    )[0]
    # The scripts name their schemas; extensions are found in public.
    execute(connection, f"set search_path to public; set role {owner}")
    execute(connection, script.read_text("utf-8"))
    execute(connection, "reset role")


def execute(connection: Connection, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text)


def query(connection: Connection, text: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return list(cursor.fetchall())


def findings(connection: Connection, script: str) -> list[tuple[str, tuple[object, ...]]]:
    """Return what a script of checks finds: `stop` or `warn`, and the row."""
    text = (SCRIPTS / f"check-{script}.sql").read_text("utf-8")
    checks = re.findall(r"^-- (stop|warn): .+\n-- hint: .+\.\n(select[^;]+);$", text, re.M)
    assert len(checks) == text.count(";\n"), "each statement says what it looks for"
    return [(level, row) for level, check in checks for row in query(connection, check)]


def facts(connection: Connection) -> catalog.Catalog:
    return catalog.normalised(read_catalog(connection, Names()))


def expected_facts(version: str) -> catalog.Catalog:
    return catalog.normalised(catalog.thawed(stored.load(version)))


def difference(connection: Connection, version: str) -> list[catalog.Fact]:
    """Return in what the catalog is not that of the version."""
    return sorted(facts(connection).facts ^ expected_facts(version).facts)


def rows_of(connection: Connection, tables: Rows) -> Rows:
    """Return all rows of tables, without the ids that are free, in the columns that are given."""
    found: Rows = {}
    for table, expected in tables.items():
        with connection.cursor(cursor_factory=extras.RealDictCursor) as cursor:
            cursor.execute(sql.SQL("select * from {}").format(sql.Identifier(*table.split("."))))
            given = {name for row in expected for name in row}
            found[table] = [comparable(table, row, given) for row in cursor.fetchall()]
        found[table].sort(key=repr)
    return found


def comparable(table: str, row: Mapping[str, object], given: set[str]) -> Row:
    """Return a row as `rows.json` has it."""
    left_out = {FREE_IDS.get(table), "create_date", "password"}
    kept = {name: row[name] for name in sorted(given & row.keys() - left_out)}
    if "dbversion_date" in kept:
        kept["dbversion_date"] = str(kept["dbversion_date"]).replace(" ", "T")
    if kept.get("label_xsl"):
        kept["label_xsl"] = OWN_STYLESHEET
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in kept.items()
    }


def expected_rows(connection: Connection, version: str) -> Rows:
    """Return the fresh rows in the columns that the tables have at the version."""
    columns = {
        table: {name for (name,) in query(connection, COLUMNS.format(*table.split(".")))}
        for table in fresh_rows(version)
    }
    found = {}
    for table, rows in fresh_rows(version).items():
        given = {name for row in rows for name in row} & columns[table]
        full = [{**dict.fromkeys(given), **row} for row in rows]
        found[table] = sorted((comparable(table, row, given) for row in full), key=repr)
    return found


COLUMNS = (
    "select column_name from information_schema.columns"
    " where table_schema = '{}' and table_name = '{}'"
)
