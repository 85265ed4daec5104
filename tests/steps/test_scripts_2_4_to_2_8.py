"""The scripts from 2.3 to 2.8.1 and back: catalogs, rows, and what each rule does to values."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest
from psycopg2 import errors

from collec_migrations import sql
from collec_migrations.names import Names
from tests.builders import from_catalog, stored
from tests.servers import Server
from tests.steps.stepping import (
    SCRIPTS,
    Connection,
    at,
    difference,
    execute,
    expected_rows,
    findings,
    fresh_rows,
    query,
    rows_of,
    step,
    steps_between,
)

STEPS = steps_between("2.3", "2.8.1")
GEOGRAPHY = {"object.geom", "col_object_geom_idx"}


# Catalogs and rows ----------------------------------------------------------------------------


def test_each_step_up_and_down_makes_the_catalog(any_server: Server) -> None:
    """Without PostGIS: the position as geography alone is missing."""
    with at(any_server, "2.3") as connection:
        for _ in range(2):
            for before, after in STEPS:
                step(connection, before, after)
                found = {fact.name for fact in difference(connection, after)}
                assert found == GEOGRAPHY, f"{before} to {after}"
            for before, after in STEPS[::-1]:
                step(connection, after, before)
                missing = GEOGRAPHY if before != "2.3" else set()
                found = {fact.name for fact in difference(connection, before)}
                assert found == missing, f"{after} to {before}"


def test_each_step_up_and_down_makes_the_catalog_with_postgis(any_server: Server) -> None:
    with with_postgis(any_server) as connection:
        for _ in range(2):
            for before, after in STEPS:
                step(connection, before, after)
                if after == "2.4":
                    companion(connection, "upgrade-2.3-2.4-postgis")
                assert difference(connection, after) == [], f"{before} to {after}"
            for before, after in STEPS[::-1]:
                if before == "2.3":
                    companion(connection, "downgrade-2.4-2.3-postgis")
                step(connection, after, before)
                assert difference(connection, before) == [], f"{after} to {before}"


@contextmanager
def with_postgis(server: Server) -> Iterator[Connection]:
    """Give a fresh database of 2.3 with PostGIS, in whichever schema."""
    with at(server, "2.3") as connection:
        if not query(connection, "select 1 from pg_available_extensions where name = 'postgis'"):
            pytest.skip("this server has no PostGIS")
        execute(
            connection,
            "create schema geo; create extension postgis schema geo;"
            " grant usage on schema geo to public",
        )
        yield connection


def companion(connection: Connection, name: str) -> None:
    owner = "select quote_ident(pg_get_userbyid(nspowner)) from pg_namespace where nspname = 'col'"
    ((role,),) = query(connection, owner)
    execute(connection, f"set search_path to public, geo; set role {role}")
    execute(connection, (SCRIPTS / f"{name}.sql").read_text("utf-8"))
    execute(connection, "reset role")


def test_each_step_up_and_down_makes_the_rows_of_a_fresh_database(server18: Server) -> None:
    with at(server18, "2.3") as connection:
        for _ in range(2):
            for before, after in STEPS:
                step(connection, before, after)
                expected = expected_rows(connection, after)
                assert rows_of(connection, expected) == expected, f"{before} to {after}"
            for before, after in STEPS[::-1]:
                step(connection, after, before)
                expected = expected_rows(connection, before)
                assert rows_of(connection, expected) == expected, f"{after} to {before}"


def test_json_is_stored_as_the_exact_text(server18: Server) -> None:
    with at(server18, "2.8.1") as connection:
        for table, column in (("dataset_type", "fields"), ("export_model", "pattern")):
            found = query(connection, f"select {column}::text from col.{table} order by {table}_id")
            expected = [(row[column],) for row in fresh_rows("2.8.1")[f"col.{table}"]]
            assert found == expected


def test_no_sequence_gives_an_id_that_is_taken(server18: Server) -> None:
    with at(server18, "2.8.1") as connection:
        for table, column, value in NEXT:
            (found,) = query(
                connection, f"select nextval(pg_get_serial_sequence('col.{table}', '{column}'))"
            )
            assert found == (value,), table
        for sequence, value in (("dbparam_dbparam_id_seq", 7), ("request_request_id_seq", 2)):
            assert query(connection, f"select nextval('col.{sequence}')") == [(value,)], sequence
        assert query(connection, "select nextval('col.export_model_export_model_id_seq')") == [(3,)]


NEXT = (
    ("export_format", "export_format_id", 4),
    ("dataset_type", "dataset_type_id", 5),
    ("license", "license_id", 3),
    ("barcode", "barcode_id", 3),
)


BROUGHT_BACK = {
    "2.4": """
        insert into col.request (request_id, create_date, title, body, login)
        values (5, now(), 'Number of samples by collection', 'ours', 'b'),
               (6, now(), 'own', 'x', 'b');
        insert into col.export_model (export_model_id, export_model_name)
        values (4, 'export_model');
        """,
    "2.5": """
        insert into col.license (license_id, license_name) values (8, 'CC0'), (9, 'own');
        insert into col.export_format (export_format_id, export_format_name)
        values (2, 'our JSON'), (4, 'own');
        insert into col.dataset_type (dataset_type_id, dataset_type_name, fields)
        values (1, 'sample', '["ours"]'), (7, 'own', null);
        insert into col.country (country_id, country_name, country_code2)
        values (250, 'our France', 'FR'), (9999, 'Atlantis', 'XX');
        """,
    "2.7": """
        insert into col.barcode (barcode_id, barcode_name, barcode_code)
        values (2, 'our code', 'C128'), (3, 'own', 'EAN');
        """,
}


@pytest.mark.parametrize("version", BROUGHT_BACK)
def test_rows_that_came_back_from_the_archive_are_not_doubled(
    server18: Server, version: str
) -> None:
    """The engine puts them into a new table before the script puts its own rows there."""
    ((older, _),) = [pair for pair in STEPS if pair[1] == version]
    brought_back = BROUGHT_BACK[version]
    tables = re.findall(r"insert into (col\.\w+)", brought_back)
    with at(server18, older) as connection:
        text = (SCRIPTS / f"upgrade-{older}-{version}.sql").read_text("utf-8")
        first = re.search(rf"insert into ({'|'.join(tables)}) ", text)
        assert first is not None
        split = first.start()
        execute(
            connection,
            f"set search_path to public; {text[:split]} {brought_back} {text[split:]}",
        )
        found = {
            table: sorted(query(connection, f"select * from {table}"), key=repr) for table in tables
        }
        if version == "2.4":
            assert [(row[0], row[3], row[4]) for row in found["col.request"]] == [
                (5, "Number of samples by collection", "ours"),
                (6, "own", "x"),
            ]
            assert found["col.export_model"] == [(4, "export_model", None, None)]
        elif version == "2.5":
            names = {table: [row[1] for row in rows] for table, rows in found.items()}
            assert names["col.license"] == ["CCBY", "CC0", "own"]
            assert names["col.export_format"] == ["CSV", "our JSON", "XML", "own"]
            assert len(found["col.dataset_type"]) == 5
            assert found["col.dataset_type"][0] == (1, "sample", '["ours"]')
            assert len(found["col.country"]) == 248
            assert (250, "our France", "FR", None) in found["col.country"]
            assert query(
                connection,
                """
                select nextval('col.export_format_export_format_id_seq'),
                       nextval('col.dataset_type_dataset_type_id_seq')
                """,
            ) == [(5, 8)]
        else:
            assert [row[:2] for row in found["col.barcode"]] == [
                (1, "QRCode"),
                (2, "our code"),
                (3, "own"),
            ]
            assert query(connection, "select nextval('col.barcode_barcode_id_seq')") == [(4,)]


# 2.4 ------------------------------------------------------------------------------------------

POSITIONS = """
insert into col.object (uid, identifier, wgs84_x, wgs84_y)
values (1, 'cellar', -0.7, 44.77), (2, 'no position', null, null), (3, 'half', 5, null),
       (4, 'edge', -180, 90), (5, 'swapped', 44, 120), (6, 'beyond', 180.1, 0),
       (7, 'not a number', 'NaN', 0);
"""


def test_2_4_fills_the_geography_of_positions_on_the_earth(any_server: Server) -> None:
    with with_postgis(any_server) as connection:
        execute(connection, POSITIONS)
        step(connection, "2.3", "2.4")
        companion(connection, "upgrade-2.3-2.4-postgis")
        execute(connection, "set search_path to public, geo")
        found = query(
            connection, "select uid, st_x(geom::geometry), st_y(geom::geometry) from col.object"
        )
        assert sorted(found) == [
            *((1, -0.7, 44.77), (2, None, None), (3, None, None), (4, -180, 90)),
            *((5, None, None), (6, None, None), (7, None, None)),
        ]


def test_2_4_tells_positions_that_are_not_on_the_earth(server18: Server) -> None:
    with at(server18, "2.3") as connection:
        execute(connection, POSITIONS)
        found = findings(connection, "upgrade-2.3-2.4")
        assert [(level, row[0]) for level, row in found] == [("warn", 5), ("warn", 6), ("warn", 7)]


def test_2_4_gives_objects_a_moment_and_an_own_uuid(server18: Server) -> None:
    with at(server18, "2.3") as connection:
        execute(connection, POSITIONS)
        step(connection, "2.3", "2.4")
        execute(connection, "insert into col.object (uid) values (8)")
        assert query(
            connection,
            """
            select count(*), count(distinct uuid), count(nullif(trashed, true)),
                   count(location_accuracy), bool_and(change_date = now())
            from col.object
            """,
        ) == [(8, 8, 8, 0, True)]
        execute(connection, "update col.object set trashed = null")
        # A later transaction has a later moment: the default is no frozen one.
        connection.commit()
        execute(connection, "insert into col.object (uid) values (9)")
        assert query(
            connection,
            """
            select change_date = now(), change_date > (select max(change_date) from col.object
                                                       where uid < 9)
            from col.object where uid = 9
            """,
        ) == [(True, True)]


def test_2_4_keeps_accounts_and_old_passwords(server18: Server) -> None:
    with at(server18, "2.3") as connection:
        execute(
            connection,
            """
            insert into gacl.logingestion (id, login, nom, datemodif, is_clientws)
            values (50, 'Anne', 'A', '2019-03-04', true), (51, 'anne', null, null, false);
            insert into gacl.login_oldpassword (id, password) values (50, 'hash');
            """,
        )
        step(connection, "2.3", "2.4")
        accounts = """
        select id, login, nom, datemodif::text, is_clientws, is_expired
        from gacl.logingestion where id >= 50 order by id
        """
        assert query(connection, accounts) == [
            (50, "Anne", "A", "2019-03-04 00:00:00", True, False),
            (51, "anne", None, None, False, False),
        ]
        assert query(connection, "select id, password from gacl.login_oldpassword") == [
            (50, "hash")
        ]
        execute(
            connection,
            """
            update gacl.logingestion set is_clientws = null, datemodif = '2024-05-06 07:08:09'
            where id = 50
            """,
        )
        assert findings(connection, "downgrade-2.4-2.3") == []
        step(connection, "2.4", "2.3")
        assert query(
            connection, "select datemodif::text, is_clientws from gacl.logingestion where id = 50"
        ) == [("2024-05-06", False)]


@pytest.mark.parametrize(
    ("column", "limit"), [("login", 32), ("nom", 32), ("prenom", 32), ("password", 255)]
)
def test_2_4_does_not_cut_texts_on_the_way_back(server18: Server, column: str, limit: int) -> None:
    with at(server18, "2.4") as connection:
        insert = "insert into gacl.logingestion (id, login) values (50, 'long'), (51, 'limit');"
        fill = "update gacl.logingestion set {} = repeat('é', {}) where id = {};"
        execute(
            connection, insert + fill.format(column, limit + 1, 50) + fill.format(column, limit, 51)
        )
        found = findings(connection, "downgrade-2.4-2.3")
        assert [(level, row[0]) for level, row in found] == [("stop", 50)]
        with pytest.raises(errors.StringDataRightTruncation):
            step(connection, "2.4", "2.3")


def test_2_4_shows_no_photograph_without_an_object_and_counts_slots(server18: Server) -> None:
    with at(server18, "2.4") as connection:
        execute(connection, MOVED)
        execute(
            connection,
            """
            insert into col.document (document_id, uid, mime_type_id, document_import_date,
                                      document_name, document_creation_date)
            values (1, 1, 4, '2020-01-01', 'a', '2020-01-01'),
                   (2, 1, 5, '2020-01-01', 'b', null),
                   (3, 1, 1, '2020-01-01', 'c', null),
                   (4, null, 4, '2020-01-01', 'of a campaign', null);
            """,
        )
        assert query(connection, "select * from col.last_photo") == [(2, 1)]
        used = "select * from col.slots_used order by 1"
        assert query(connection, used) == [(11, 2), (None, 1)]
        step(connection, "2.4", "2.3")
        assert query(connection, "select document_id from col.document order by 1") == [
            (1,),
            (2,),
            (3,),
        ]
        groups = "select aclgroup_id, groupe, aclgroup_id_parent from {} order by 1"
        of_rights = query(connection, groups.format("gacl.aclgroup"))
        assert query(connection, groups.format("col.aclgroup")) == of_rights
        assert of_rights


MOVED = """
insert into col.object (uid, identifier)
values (1, 'room'), (2, 'box'), (3, 'flask'), (4, 'out'), (5, 'nowhere'), (6, 'never moved');
insert into col.container (container_id, uid, container_type_id) values (11, 1, 1), (12, 2, 1);
insert into col.movement (movement_id, uid, container_id, movement_type_id, movement_date, login)
values (1, 2, 11, 1, '2020-01-01', 'a'),
       (2, 3, 12, 1, '2020-01-01', 'a'),
       (3, 3, 11, 1, '2020-01-02', 'a'),
       (4, 4, 12, 1, '2020-01-01', 'a'),
       (5, 4, null, 2, '2020-01-03', 'a'),
       (6, 5, null, 1, '2020-01-01', 'a');
"""


# 2.5 ------------------------------------------------------------------------------------------


def test_2_5_numbers_authorizations_by_campaign_and_regulation(server18: Server) -> None:
    with at(server18, "2.4") as connection:
        execute(
            connection,
            """
            insert into col.campaign (campaign_id, campaign_name) values (1, 'b'), (2, 'a');
            insert into col.regulation (regulation_id, regulation_name) values (7, 'x'), (8, 'y');
            insert into col.campaign_regulation (campaign_id, regulation_id)
            values (2, 8), (1, 8), (2, 7), (1, 7);
            """,
        )
        step(connection, "2.4", "2.5")
        execute(
            connection,
            "insert into col.campaign_regulation (campaign_id, regulation_id) values (1, 7)",
        )
        assert query(
            connection,
            """
            select campaign_regulation_id, campaign_id, regulation_id
            from col.campaign_regulation order by 1
            """,
        ) == [(1, 1, 7), (2, 1, 8), (3, 2, 7), (4, 2, 8), (5, 1, 7)]
        with pytest.raises(errors.UniqueViolation):
            step(connection, "2.5", "2.4")


def test_2_5_shows_identifiers_without_a_code(server18: Server) -> None:
    with at(server18, "2.5") as connection:
        assert findings(connection, "downgrade-2.5-2.4") == []
        execute(
            connection,
            """
            insert into col.object (uid) values (1), (2), (3);
            insert into col.identifier_type (
                identifier_type_id, identifier_type_name, identifier_type_code
            ) values (51, 'zebra', null), (52, 'apple', null), (53, 'International', 'IGSN'),
                     (54, 'Local', 'L');
            insert into col.object_identifier (uid, identifier_type_id, object_identifier_value)
            values (1, 54, '9'), (1, 51, '1'), (1, 53, 'b'), (1, 53, 'a'), (1, 52, '1'),
                   (2, 52, '5');
            """,
        )
        assert query(connection, "select * from col.v_object_identifier order by uid") == [
            (1, "IGSN:a,IGSN:b,L:9,apple:1,zebra:1"),
            (2, "apple:5"),
        ]
        assert findings(connection, "downgrade-2.5-2.4") == [
            ("stop", (51, "zebra", 1)),
            ("stop", (52, "apple", 2)),
        ]
        with pytest.raises(errors.NotNullViolation):
            step(connection, "2.5", "2.4")


def test_2_5_leaves_the_model_of_a_name_that_is_there(server18: Server) -> None:
    with at(server18, "2.4") as connection:
        execute(
            connection,
            "insert into col.export_model (export_model_name, target)"
            " values ('export_template', 'ours')",
        )
        step(connection, "2.4", "2.5")
        assert query(
            connection, "select export_model_name, target from col.export_model order by 1"
        ) == [("export_model", None), ("export_template", "ours")]


def test_2_5_gives_documents_an_own_uuid(server18: Server) -> None:
    with at(server18, "2.4") as connection:
        execute(
            connection,
            """
            insert into col.document (mime_type_id, document_import_date, document_name)
            values (1, now(), 'a'), (1, now(), 'b')
            """,
        )
        step(connection, "2.4", "2.5")
        assert query(connection, "select count(distinct uuid) from col.document") == [(2,)]


# 2.6 ------------------------------------------------------------------------------------------

HASH = "0123456789abcdefABCDEF" + "0" * 42
OUTSIDE_ASCII = [("warn", ("logingestion", 55)), ("warn", ("acllogin", 64))]


def folds(connection: Connection) -> bool:
    """Say whether the database's collation knows letters outside ASCII."""
    return query(connection, "select lower('É') = 'é'") == [(True,)]


def test_2_6_asks_for_logins_that_differ_by_case_and_tells_lost_passwords(
    server18: Server,
) -> None:
    with at(server18, "2.5") as connection:
        assert findings(connection, "upgrade-2.5-2.6") == []
        execute(
            connection,
            f"""
            insert into gacl.logingestion (id, login, password)
            values (50, 'Anne', '$2y$bcrypt'), (51, 'anne', null), (52, 'Marie', '{HASH}'),
                   (53, 'paul', '{HASH}'), (54, 'Zoe', null), (55, 'Émile', null);
            insert into gacl.acllogin (acllogin_id, login, logindetail)
            values (60, 'JEAN', 'Jean'), (61, 'jean', 'Jean bis'), (62, 'same', '1'),
                   (63, 'same', '2'), (64, 'Élise', 'É');
            """,
        )
        found = findings(connection, "upgrade-2.5-2.6")
        assert [(level, row[:2]) for level, row in found] == [
            ("stop", (50, "Anne")),
            ("stop", (51, "anne")),
            ("stop", (60, "JEAN")),
            ("stop", (61, "jean")),
            ("stop", (62, "same")),
            ("stop", (63, "same")),
            ("warn", (52, "Marie")),
            *(OUTSIDE_ASCII if folds(connection) else []),
        ]


def test_2_6_writes_the_logins_of_two_tables_in_lower_case(server18: Server) -> None:
    with at(server18, "2.5") as connection:
        execute(
            connection,
            """
            insert into gacl.logingestion (id, login) values (50, 'Anne'), (51, 'Émile');
            insert into gacl.acllogin (acllogin_id, login, logindetail) values (60, 'JEAN', 'Jean');
            insert into gacl.log (login, log_date) values ('JEAN', now());
            """,
        )
        step(connection, "2.5", "2.6")
        assert query(
            connection, "select login from gacl.logingestion where id >= 50 order by id"
        ) == [
            ("anne",),
            ("émile" if folds(connection) else "Émile",),
        ]
        assert query(connection, "select login from gacl.acllogin where acllogin_id = 60") == [
            ("jean",)
        ]
        assert query(connection, "select login from gacl.log") == [("JEAN",)]


def test_2_6_numbers_parameters_from_the_greatest_id(server18: Server) -> None:
    with at(server18, "2.5") as connection:
        execute(
            connection,
            "insert into col.dbparam (dbparam_id, dbparam_name, dbparam_value)"
            " values (41, 'otp_issuer', 'ours')",
        )
        step(connection, "2.5", "2.6")
        execute(connection, "insert into col.dbparam (dbparam_name) values ('next')")
        assert query(
            connection,
            "select dbparam_id, dbparam_name, dbparam_value from col.dbparam"
            " where dbparam_id > 5 order by 1",
        ) == [(41, "otp_issuer", "ours"), (42, "next", None)]


def test_2_6_starts_the_numbers_of_no_parameters_at_one(server18: Server) -> None:
    with at(server18, "2.5") as connection:
        execute(connection, "delete from col.dbparam")
        step(connection, "2.5", "2.6")
        assert query(connection, "select dbparam_id, dbparam_name from col.dbparam") == [
            (1, "otp_issuer")
        ]


def test_2_6_knows_no_unknown_trash(server18: Server) -> None:
    with at(server18, "2.5") as connection:
        execute(
            connection,
            "insert into col.object (uid, trashed) values (1, null), (2, true), (3, false)",
        )
        step(connection, "2.5", "2.6")
        assert query(connection, "select uid, trashed from col.object order by 1") == [
            (1, False),
            (2, True),
            (3, False),
        ]


@pytest.mark.parametrize(
    ("before", "after", "version"),
    [
        # Blanks and escapes do not matter: the value is the previous list.
        ("previous", "new", "2.6"),
        (
            '["uid", "ours"]',
            '["uid", "ours","metadata_unit","country_code","country_origin_code","trashed"]',
            "2.6",
        ),
        (
            '["trashed","ours" ] ',
            '["trashed","ours","metadata_unit","country_code","country_origin_code"]',
            "2.6",
        ),
        ("[]", '["metadata_unit","country_code","country_origin_code","trashed"]', "2.6"),
        ('["trashed","metadata_unit","country_origin_code","country_code"]', None, "2.6"),
        ('{"a": 1}', None, "2.6"),
        (None, None, "2.6"),
        ("previous", "new", "2.7"),
        (
            '["uid","campaign_name"]\n',
            '["uid","campaign_name","campaign_id","campaign_uuid"]',
            "2.7",
        ),
    ],
)
def test_field_lists_gain_what_they_lack(
    server18: Server, before: str | None, after: str | None, version: str
) -> None:
    ((older, newer),) = [pair for pair in STEPS if pair[1] == version]
    previous, new = (
        str(fresh_rows(number)["col.dataset_type"][0]["fields"]) for number in (older, newer)
    )
    spaced = previous.replace(",", " ,\n ").replace('"uid"', '"\\u0075id"')
    stored = spaced if before == "previous" else before
    expected = new if after == "new" else after if after is not None else stored
    with at(server18, older) as connection:
        with connection.cursor() as cursor:
            cursor.execute(
                "update col.dataset_type set fields = %s where dataset_type_id = 1", [stored]
            )
        told = [level for level, _ in findings(connection, f"upgrade-{older}-{newer}")]
        assert told == ([] if before in ("previous", None) else ["warn"])
        step(connection, older, newer)
        fields = "select fields::text from col.dataset_type where dataset_type_id = 1"
        assert query(connection, fields) == [(expected,)]
        step(connection, newer, older)
        assert query(connection, fields) == [(previous if after == "new" else expected,)]


def test_2_6_sums_what_subsamples_took_and_put_back(server18: Server) -> None:
    with at(server18, "2.6") as connection:
        execute(
            connection,
            """
            insert into col.object (uid) values (1), (2), (3);
            insert into col.collection (collection_id, collection_name) values (1, 'c');
            insert into col.sample_type (sample_type_id, sample_type_name) values (1, 't');
            insert into col.sample (
                sample_id, uid, collection_id, sample_type_id, sample_creation_date, multiple_value
            ) values (11, 1, 1, 1, now(), 100), (12, 2, 1, 1, now(), null), (13, 3, 1, 1, now(), 5);
            insert into col.subsample (
                sample_id, movement_type_id, subsample_quantity, subsample_date, subsample_login
            ) values (11, 1, 2.5, now(), 'a'), (11, 1, 1, now(), 'a'), (11, 1, null, now(), 'a'),
                     (11, 2, 30, now(), 'a'), (12, 2, null, now(), 'a');
            """,
        )
        assert query(connection, "select * from col.v_subsample_quantity order by 1") == [
            (11, 1, 100, 3.5, 30),
            (12, 2, None, 0, 0),
            (13, 3, 5, 0, 0),
        ]


# 2.7 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "select 1",
        "SELECT\n1",
        "  \r\n\tSelect 1",
        "with a as (select 1) select * from a",
        "-- with a comment\nselect 1",
        "/* a comment */select 1",
        "/* one *//* two **/ -- three\n WITH a as (select 1) select * from a",
        "/* a /* nested */ comment */ select 1",
        "select(1)",
        "select*from sample",
    ],
)
def test_2_7_leaves_a_body_that_has_its_own_first_word(server18: Server, body: str) -> None:
    assert body_after(server18, body) == body


@pytest.mark.parametrize(
    "body",
    [
        "collection_name from collection",
        "selection from sample",
        "select_count from sample",
        "without from sample",
        "-- select\n 1",
        "-- a comment select",
        "/* select */ 1",
        "/* a */ 1, /* b */ select from x",
        "/* a /* b */ select */ 1",
        "/* never closed select 1",
        "(select 1)",
        "",
    ],
)
def test_2_7_puts_the_first_word_before_other_bodies(server18: Server, body: str) -> None:
    assert body_after(server18, body) == "SELECT " + body


def body_after(server: Server, body: str) -> str:
    with at(server, "2.6") as connection:
        with connection.cursor() as cursor:
            cursor.execute("update col.request set body = %s", [body])
        step(connection, "2.6", "2.7")
        ((found,),) = query(connection, "select body from col.request")
        step(connection, "2.7", "2.6")
        ((back,),) = query(connection, "select body from col.request")
        # A word of the body's own that is written like ours goes too: 2.6 puts it back.
        assert back == (body.removeprefix("SELECT "))
        return str(found)


def test_2_7_gives_labels_the_first_code_and_campaigns_a_uuid(server18: Server) -> None:
    with at(server18, "2.6") as connection:
        execute(
            connection,
            """
            insert into col.label (label_name, label_xsl, label_fields) values ('ours', 'x', 'uid');
            insert into col.campaign (campaign_name) values ('a'), ('b');
            """,
        )
        step(connection, "2.6", "2.7")
        assert query(connection, "select distinct barcode_id from col.label") == [(1,)]
        assert query(connection, "select count(distinct uuid) from col.campaign") == [(2,)]


# 2.8 ------------------------------------------------------------------------------------------

TIED = """
insert into col.collection (collection_id, collection_name) values (1, 'full'), (2, 'empty');
insert into col.event_type (event_type_id, event_type_name)
values (50, 'frozen'), (51, 'broken'), (52, 'of no collection');
insert into col.sample_type (sample_type_id, sample_type_name) values (50, 'water'), (51, 'leaf');
insert into col.collection_eventtype (collection_id, event_type_id) values (1, 50), (1, 51);
insert into col.collection_sampletype (collection_id, sample_type_id) values (1, 50), (1, 51);
insert into gacl.aclgroup (aclgroup_id, groupe) values (50, 'writers'), (51, 'readers');
insert into col.collection_group (collection_id, aclgroup_id) values (1, 50), (1, 51);
"""


@pytest.mark.parametrize("version", ["2.8", "2.8.1"])
def test_functions_name_what_is_tied_to_a_collection(server18: Server, version: str) -> None:
    with at(server18, version) as connection:
        execute(connection, TIED)
        # The application's own path is not needed.
        execute(connection, "set search_path to pg_catalog")
        for function, expected in (
            ("geteventtypesfromcollection", ["broken", "frozen"]),
            ("getsampletypesfromcollection", ["leaf", "water"]),
            ("getgroupsfromcollection", ["readers", "writers"]),
        ):
            ((names, none, unknown),) = query(
                connection, f"select col.{function}(1), col.{function}(2), col.{function}(null)"
            )
            assert sorted(str(names).split(", ")) == expected, function
            assert (none, unknown) == (None, None), function
            if version == "2.8.1" and "types" in function:
                assert names == ", ".join(expected)


def test_2_8_deletes_ties_with_either_side(server18: Server) -> None:
    with at(server18, "2.8") as connection:
        execute(connection, TIED)
        execute(connection, "delete from col.event_type where event_type_id = 50")
        execute(connection, "delete from col.sample_type where sample_type_id = 51")
        ties = "select * from col.collection_{}type"
        assert query(connection, ties.format("event")) == [(1, 51)]
        assert query(connection, ties.format("sample")) == [(1, 50)]


def test_2_8_tells_events_without_a_date_on_the_way_back(server18: Server) -> None:
    with at(server18, "2.8") as connection:
        execute(
            connection,
            """
            insert into col.object (uid) values (1);
            insert into col.event (event_id, uid, event_type_id, event_date, due_date)
            values (1, 1, 1, null, '2024-01-01'), (2, 1, 1, '2024-01-01', null);
            """,
        )
        found = findings(connection, "downgrade-2.8-2.7")
        assert [(level, row[0]) for level, row in found] == [("warn", 1)]
        step(connection, "2.8", "2.7")
        assert query(connection, "select event_id from col.event") == [(2,)]


# 2.8.1 ----------------------------------------------------------------------------------------

LONG = "a_very_long_name_of_a_field_that_no_index_can_bear_as_a_whole"
SEARCHABLE = f"""
create index sample_metadata_lower_TaxonName_idx
    on col.sample using gin (lower(metadata ->> 'TaxonName') gin_trgm_ops);
create index sample_metadata_lower_{LONG}_idx
    on col.sample using gin (lower(metadata ->> '{LONG}') gin_trgm_ops);
create index "sample_metadata_lower_it's_idx"
    on col.sample using gin (lower(metadata ->> 'it''s') gin_trgm_ops);
create index sample_metadata_lower_partial_idx
    on col.sample using gin (lower(metadata ->> 'partial') gin_trgm_ops) where uid > 5;
create index sample_metadata_lower_two_idx
    on col.sample using gin (lower(metadata ->> 'two') gin_trgm_ops, dbuid_origin gin_trgm_ops);
create index sample_metadata_lower_Known_idx on col.sample (dbuid_origin);
create index sample_metadata_lower_unknown_idx on col.sample (dbuid_origin);
create index sample_metadata_gin on col.sample using gin (lower(metadata ->> 'x') gin_trgm_ops);
insert into col.metadata (metadata_name, metadata_schema)
values ('m', '[{{"name": "Known"}}, {{"name": "TaxonName"}}]'), ('none', null), ('odd', '{{}}');
"""
LEFT = ("partial", "two", "unknown")


def definitions(connection: Connection) -> dict[str, str]:
    """Return access method and columns of the indexes on metadata, by what they are named for."""
    found = query(
        connection,
        """
        select indexname, indexdef from pg_indexes
        where schemaname = 'col' and indexname like 'sample\\_metadata\\_%'
        """,
    )
    return {
        str(name).removeprefix("sample_metadata_lower_").removesuffix("_idx"): str(text)
        .partition(" USING ")[2]
        .replace("public.", "")
        for name, text in found
    }


def test_2_8_1_makes_the_indexes_on_metadata_again_by_their_fields(any_server: Server) -> None:
    with at(any_server, "2.8") as connection:
        execute(connection, SEARCHABLE)
        before = definitions(connection)
        step(connection, "2.8", "2.8.1")
        found = definitions(connection)
        cut = next(name for name in found if name.startswith("a_very"))
        assert cut != LONG
        gist = "gist (lower((metadata ->> '{}'::text)) gist_trgm_ops)"
        assert found == {
            **before,
            "taxonname": gist.format("TaxonName"),
            cut: gist.format(LONG),
            "it's": gist.format("it''s"),
            "known": gist.format("Known"),
        }
        for name in (*LEFT, "sample_metadata_gin"):
            assert found[name] == before[name]
        # Nothing depends on the caller's path; called again, it does the same again.
        execute(connection, "set search_path to pg_catalog")
        assert query(connection, "select col.regenerate_metadata_indexes()") == [(1,)]
        assert definitions(connection) == found
        step(connection, "2.8.1", "2.8")
        gin = "gin (lower((metadata ->> 'Known'::text)) gin_trgm_ops)"
        assert definitions(connection) == {**before, "known": gin}


AWKWARD = Names(gacl="user", col="l'a\"b %s")


def test_functions_look_in_the_schemas_where_they_live(any_server: Server) -> None:
    with any_server.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        from_catalog.build(connection, stored.load("2.7"), AWKWARD)
        bound = AWKWARD.by_default_name
        execute(connection, "set search_path to public")
        for before, after in (("2.7", "2.8"), ("2.8", "2.8.1")):
            execute(connection, sql.bind(script(f"upgrade-{before}-{after}"), bound))
            if after == "2.8":
                execute(connection, sql.bind(SEARCHABLE, bound))
                execute(
                    connection,
                    """
                    create schema col;
                    create table col.sample (metadata json, dbuid_origin varchar, uid integer);
                    create index sample_metadata_lower_other_idx
                        on col.sample using gin (lower(metadata ->> 'other') gin_trgm_ops);
                    """,
                )
        execute(connection, sql.bind(TIED, bound))
        assert query(connection, sql.bind("select col.geteventtypesfromcollection(1)", bound)) == [
            ("broken, frozen",)
        ]
        ((groups,),) = query(connection, sql.bind("select col.getgroupsfromcollection(1)", bound))
        assert sorted(str(groups).split(", ")) == ["readers", "writers"]
        gist = """
        select schemaname, indexname from pg_indexes
        where indexname like 'sample\\_metadata%' and indexdef like '% USING gist %' order by 2
        """
        made = [(schema, str(name)[22:30]) for schema, name in query(connection, gist)]
        assert made == [
            (AWKWARD.col, name) for name in ("a_very_l", "it's_idx", "known_id", "taxonnam")
        ]
        execute(connection, sql.bind(script("downgrade-2.8.1-2.8"), bound))
        assert query(connection, gist) == []


def script(name: str) -> str:
    return (SCRIPTS / f"{name}.sql").read_text("utf-8")
