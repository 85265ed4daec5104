"""Two roads meet: whatever the start, the same catalog; and no row is lost on the way.

The catalog is that of the newest version. Rows are compared at 1.1, where no step changes a value;
tests/steps have what later steps do to rows.
"""

from collections.abc import Callable

import pytest

from collec_migrations.bridge import adoption
from collec_migrations.catalog import compare
from collec_migrations.errors import MigrationError
from collec_migrations.postgres.address import Address
from collec_migrations.testing import sample_data
from tests import chain
from tests.builders import rows, variants
from tests.builders.variants import Variant, contents
from tests.conftest import Clone
from tests.servers import Server

SAMPLE = ("1.0", "1.0.8", "2.3")
"""Where the ordinary run starts; all versions in the soak."""
STARTS = [
    pytest.param(version, marks=[] if version in SAMPLE else pytest.mark.soak)
    for version in chain.VERSIONS[:-1]
]
UP_TO_1_0_8 = chain.VERSIONS[: chain.VERSIONS.index("1.1")]
MOVEMENTS = 300
ARCHIVED = ("metadata_attribute", "metadata_schema", "metadata_set", "sample_metadata")

KNOWN_IN_THE_FIELD = (
    "projet_group",
    "json_sample_metadata",
    "rights_of_1_0",
    "orphan_groups",
    "sequences_behind",
    "other_owners",
    "no_sample_metadata",
)


@pytest.fixture
def filled(server18: Server, clone: Clone) -> Callable[[str], Address]:
    """Return a function that gives a database of a version, with rows in every table."""

    def fill(address: Address) -> None:
        with chain.connected(address) as connection:
            sample_data.fill(connection, chain.DEFAULT, movements=MOVEMENTS)
            connection.commit()

    def template(version: str) -> str:
        return server18.template(f"filled_{version}", fill, chain.template_at(server18, version))

    return lambda version: clone(template(version))


def dump(address: Address, schema: str) -> dict[str, list[str]]:
    with chain.connected(address) as connection:
        return rows.dump_rows(connection, schema)


def columns(address: Address, schema: str) -> dict[str, list[str]]:
    with chain.connected(address) as connection:
        return rows.columns(connection, schema)


def kept(address: Address, schema: str, only: dict[str, list[str]]) -> dict[str, list[str]]:
    with chain.connected(address) as connection:
        return rows.dump_rows(connection, schema, only)


@pytest.mark.parametrize("start", STARTS)
def test_every_start_reaches_the_catalog_of_a_fresh_installation(
    filled: Callable[[str], Address], start: str
) -> None:
    address = filled(start)
    chain.upgrade(address)
    assert not compare(expected=chain.known(chain.HEAD), observed=chain.catalog(address))


@pytest.mark.parametrize("start", UP_TO_1_0_8)
def test_no_row_is_lost_and_no_value_changes(filled: Callable[[str], Address], start: str) -> None:
    address = filled(start)
    for schema in ("gacl", "col"):
        before = columns(address, schema)
        shared = rows.common(before, columns_of_1_1(filled, schema))
        shared = {table: names for table, names in shared.items() if table != "dbversion"}
        shared = {
            t: n for t, n in shared.items() if t not in ("alembic_version", "migration_history")
        }
        content = kept(address, schema, shared)
        assert all(content.values()), "every table holds rows"
        upgraded = filled(start)
        chain.upgrade(upgraded, "1.1")
        assert not rows.difference(content, kept(upgraded, schema, shared))


def columns_of_1_1(filled: Callable[[str], Address], schema: str) -> dict[str, list[str]]:
    return columns(filled("1.1"), schema)


def test_a_location_keeps_its_value_under_the_new_name(
    filled: Callable[[str], Address],
) -> None:
    address = filled("1.0")
    before = chain.query(address, "select storage_id, range from col.storage order by 1")
    chain.upgrade(address, "1.1")
    after = chain.query(address, "select storage_id, storage_location from col.storage order by 1")
    assert before == after
    assert any(value for _, value in before)


def archived(address: Address, table: str) -> str:
    """Return the table of the archive that holds what was taken from a table."""
    of_source = f"select relation from col_archive.collec_archive where source = '{table}'"
    ((relation,),) = chain.query(address, of_source)
    return str(relation)


def test_archived_rows_equal_what_was_there(filled: Callable[[str], Address]) -> None:
    address = filled("1.0.8")
    before = dump(address, "col")
    sets = "select sample_type_id, metadata_set_id, metadata_set_id_second from {} order by 1"
    where = " where metadata_set_id is not null or metadata_set_id_second is not null"
    linked = chain.query(address, sets.format("col.sample_type" + where))
    chain.upgrade(address, "1.1")
    archive = dump(address, "col_archive")
    for table in ARCHIVED:
        assert before[table], table
        assert archive[archived(address, table)] == before[table]
    assert linked
    kept_links = f"col_archive.{archived(address, 'sample_type')}"
    assert chain.query(address, sets.format(kept_links)) == linked


def test_empty_tables_leave_no_archive(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "1.0.8"))
    chain.upgrade(address, "1.1")
    assert chain.query(address, "select 1 from pg_namespace where nspname ~ 'archive'") == []


def test_fresh_and_walked_installations_hold_the_same_rows(
    server18: Server, clone: Clone, database: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLEC_ADMIN_PASSWORD", chain.PASSWORD)
    walked = clone(server18.create_database().dbname)
    chain.upgrade(walked, "1.0")
    chain.upgrade(walked, "1.1")
    chain.upgrade(database, "1.1")
    for schema in ("gacl", "col"):
        one, other = dump(database, schema), dump(walked, schema)
        for own in ("migration_history", "alembic_version", "dbversion"):
            one.pop(own, None), other.pop(own, None)
        assert not rows.difference(one, other)
    newest = "select dbversion_number, dbversion_date from col.dbversion order by 2 desc limit 1"
    assert chain.query(database, newest) == chain.query(walked, newest)


CASES = [
    pytest.param(variant, version, id=f"{variant.name}-{version}")
    for variant in variants.VARIANTS
    if variant.name in KNOWN_IN_THE_FIELD
    for version in ("1.0", "1.0.8")
    if version in variant.versions
]


def test_every_variant_known_in_the_field_is_tried() -> None:
    assert {case.values[0].name for case in CASES} == set(KNOWN_IN_THE_FIELD)  # type: ignore[union-attr]  # cases hold variants


@pytest.mark.parametrize(("variant", "version"), CASES)
def test_a_variant_of_the_field_meets_the_others(
    filled: Callable[[str], Address], variant: Variant, version: str
) -> None:
    address = filled(version)
    with chain.connected(address) as connection:
        variant(connection, chain.DEFAULT)
        connection.commit()
    if variant.name == "orphan_groups":
        with pytest.raises(MigrationError, match=r"(?s)900001.*900002.*nothing was applied"):
            chain.upgrade(address)
        chain.execute(address, "delete from col.project_group where aclgroup_id >= 900001")
    else:
        adopt(address)
    chain.upgrade(address)
    assert not compare(expected=chain.known(chain.HEAD), observed=chain.catalog(address))


def test_orphans_stay_where_the_site_says_so_and_the_upgrade_goes_on(
    filled: Callable[[str], Address],
) -> None:
    address = filled("1.0.8")
    with chain.connected(address) as connection:
        contents.orphan_groups(connection, chain.DEFAULT)
        connection.commit()
    count = "select count(*) from col.{} where aclgroup_id >= 900001"
    assert chain.query(address, count.format("project_group")) == [(2,)]
    said = chain.upgrade(address, not_valid="yes")
    assert any("stays NOT VALID: rows point at nothing" in line for line in said)
    assert chain.query(address, count.format("collection_group")) == [(2,)]
    assert chain.query(
        address, "select conrelid::regclass::text from pg_constraint"
        " where contype = 'f' and not convalidated",
    ) == [("col.collection_group",)]  # fmt: skip


def adopt(address: Address) -> None:
    """Repair what differs from the version that a database says."""
    with chain.connected(address) as connection:
        adoption.adopt(connection, chain.DEFAULT)
        connection.commit()


def test_sequences_left_behind_are_set_right(filled: Callable[[str], Address]) -> None:
    address = filled("1.0.8")
    with chain.connected(address) as connection:
        variants.contents.sequences_behind(connection, chain.DEFAULT)
        connection.commit()
    adopt(address)
    chain.upgrade(address, "1.1")
    chain.execute(
        address,
        "insert into col.mime_type (extension, content_type) values ('gif', 'image/gif');"
        "insert into col.movement_type (movement_type_name) values ('Prêt')",
    )
    assert chain.query(address, "select 1 from col.mime_type where extension = 'gif'")


def test_a_json_document_is_archived_as_it_was_written(
    filled: Callable[[str], Address],
) -> None:
    address = filled("1.0.8")
    with chain.connected(address) as connection:
        variants.structure.json_sample_metadata(connection, chain.DEFAULT)
        connection.commit()
    odd = '{"a" : 1,  "a":2, "n": 1.0e400 }'
    chain.execute(
        address,
        f"update col.sample_metadata set data = '{odd}'"
        " where sample_id = (select min(sample_id) from col.sample_metadata)",
    )
    chain.upgrade(address, "1.1")
    relation = archived(address, "sample_metadata")
    kept_text = f"select data::text from col_archive.{relation} order by sample_id"
    assert chain.query(address, kept_text)[0] == (odd,)
