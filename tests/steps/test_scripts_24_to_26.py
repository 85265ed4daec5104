"""The scripts from 2.8.1 to 26.2 and back: catalogs, rows, and what each rule does to values."""

from contextlib import AbstractContextManager
from datetime import datetime

import pytest
from psycopg2 import errors

from collec_migrations import catalog
from tests.servers import Server
from tests.steps.stepping import (
    SCRIPTS,
    Connection,
    at,
    difference,
    execute,
    expected_rows,
    facts,
    findings,
    fresh_rows,
    query,
    rows_of,
    step,
    steps_between,
)

STEPS = steps_between("2.8.1", "26.2")
WHOLE = steps_between("1.1", "26.2")


# Catalogs and rows ----------------------------------------------------------------------------


def test_each_step_up_and_down_makes_the_catalog(any_server: Server) -> None:
    with at(any_server, "2.8.1", start="2.8.1") as connection:
        for _ in range(2):
            for before, after in STEPS:
                step(connection, before, after)
                assert difference(connection, after) == [], f"{before} to {after}"
            for before, after in STEPS[::-1]:
                step(connection, after, before)
                assert difference(connection, before) == [], f"{after} to {before}"


def test_each_step_up_and_down_makes_the_rows_of_a_fresh_database(server18: Server) -> None:
    with at(server18, "2.8.1", start="2.8.1") as connection:
        for before, after in STEPS:
            step(connection, before, after)
            expected = expected_rows(connection, after)
            assert rows_of(connection, expected) == expected, f"{before} to {after}"
        for before, after in STEPS[::-1]:
            step(connection, after, before)
            expected = expected_rows(connection, before)
            assert rows_of(connection, expected) == expected, f"{after} to {before}"


def test_the_order_of_new_parameters_and_codes_is_that_of_their_ids(server18: Server) -> None:
    with at(server18, "26.2", start="2.8.1") as connection:
        names = "select dbparam_name from col.dbparam where dbparam_id > 6 order by dbparam_id"
        assert [name for (name,) in query(connection, names)] == [
            *("containerNameUnique", "consultSeesAll", "notificationDelay"),
            *("notificationLastDate", "labelDebugMode"),
        ]
        assert query(connection, "select label_optical_id from col.label_optical") == [
            (1,),
            (2,),
            (3,),
        ]


def test_every_sequence_is_at_least_at_the_greatest_id(server18: Server) -> None:
    with at(server18, "26.2", start="2.8.1") as connection:
        behind = []
        for schema, table, column, sequence in query(connection, SEQUENCES):
            text = (
                f'select max("{column}") >= (select last_value + is_called::int from {sequence})'
                f' from "{schema}"."{table}"'
            )
            if query(connection, text) == [(True,)]:
                behind.append(sequence)
        assert behind == []


SEQUENCES = """
select table_schema, table_name, column_name, substring(column_default from '''(.*)''')
from information_schema.columns
where table_schema in ('gacl', 'col') and column_default like 'nextval%'
"""


# 24.0 -----------------------------------------------------------------------------------------


def test_24_0_describes_parameters_by_name_and_leaves_what_is_there(server18: Server) -> None:
    with at(server18, "2.8.1", start="2.8.1") as connection:
        execute(
            connection,
            """
            delete from col.dbparam where dbparam_name = 'otp_issuer';
            insert into col.dbparam (dbparam_name, dbparam_value)
            values ('notificationDelay', '3'), ('ours', 'x');
            """,
        )
        step(connection, "2.8.1", "24.0")
        rows = query(
            connection,
            """
            select dbparam_name, dbparam_value, dbparam_description_en from col.dbparam
            where dbparam_id > 5 order by dbparam_name
            """,
        )
        assert [row[:2] for row in rows] == [
            ("consultSeesAll", "0"),
            ("containerNameUnique", "0"),
            ("notificationDelay", "3"),
            ("notificationLastDate", None),
            ("ours", "x"),
        ]
        assert rows[2][2] == "Number of days between two notifications. 0: no notification"
        assert rows[4][2] is None


STORED = """
insert into col.object (uid, identifier)
values (1, 'room'), (2, 'box'), (3, 'tie'), (4, 'out'), (5, 'never moved'), (6, 'nowhere'),
       (7, 'unnamed box');
update col.object set identifier = null where uid = 7;
insert into col.container_family (container_family_id, container_family_name) values (9, 'f')
    on conflict do nothing;
insert into col.container_type (container_type_id, container_type_name, container_family_id)
values (90, 'box of the test', 9);
insert into col.container (container_id, uid, container_type_id)
values (11, 1, 90), (12, 2, 90), (17, 7, 90);
insert into col.movement_reason (movement_reason_id, movement_reason_name) values (1, 'loan');
insert into col.movement (
    movement_id, uid, container_id, movement_type_id, movement_date, login, line_number,
    column_number, movement_reason_id
)
values (101, 2, 11, 1, '2024-01-01', 'a', 3, 4, null),
       -- Two of one moment: the greater id is the newer one, whatever the order of the rows.
       (104, 3, 12, 1, '2024-02-01', 'a', 1, 2, null),
       (103, 3, 11, 1, '2024-02-01', 'a', 5, 6, null),
       (102, 3, 11, 1, '2024-02-02', 'a', 7, 8, null),
       (105, 3, 17, 1, '2024-02-02', 'a', 9, 10, null),
       -- Out: a movement without a container.
       (106, 4, 12, 1, '2024-03-01', 'a', 1, 1, null),
       (107, 4, null, 2, '2024-03-02', 'a', 1, 1, 1),
       -- In, without a container.
       (108, 6, null, 1, '2024-04-01', 'a', 1, 1, null);
"""
LAST_MOVEMENTS = [
    # uid, movement, type, container, its uid, its identifier, line, column, reason
    (2, 101, 1, 11, 1, "room", 3, 4, None),
    (3, 105, 1, 17, 7, None, 9, 10, None),
    (4, 107, 2, None, None, None, 1, 1, 1),
    (6, 108, 1, None, None, None, 1, 1, None),
]
LAST_MOVEMENT = """
select uid, movement_id, movement_type_id, container_id, container_uid, container_identifier,
       line_number, column_number, movement_reason_id
from col.last_movement order by uid
"""


def test_24_0_sets_the_last_movement_and_the_views_show_it(server18: Server) -> None:
    with at(server18, "2.8.1", start="2.8.1") as connection:
        execute(connection, STORED)
        step(connection, "2.8.1", "24.0")
        assert query(connection, "select uid, last_movement_id from col.object order by uid") == [
            *((1, None), (2, 101), (3, 105), (4, 107), (5, None), (6, 108), (7, None))
        ]
        assert query(connection, LAST_MOVEMENT) == LAST_MOVEMENTS
        slots = "select * from col.slots_used order by container_id"
        assert query(connection, slots) == [(11, 1), (17, 1), (None, 1)]

        # The view shows what the column says, even a movement of something else.
        execute(connection, "update col.object set last_movement_id = 106 where uid = 3")
        assert (4, 106, 1, 12, 2, "box", 1, 1, None) in query(connection, LAST_MOVEMENT)
        with pytest.raises(errors.ForeignKeyViolation):
            execute(connection, "delete from col.movement where movement_id = 101")


def test_24_0_back_shows_the_newest_movements_again(server18: Server) -> None:
    with at(server18, "24.0", start="2.8.1") as connection:
        execute(connection, STORED)
        step(connection, "24.0", "2.8.1")
        shown = "select * from col.last_movement order by uid"
        newest = [
            (row[0], row[1], row[3], row[4], row[5], row[6], row[7], row[8])
            for row in query(connection, shown)
        ]
        assert newest == [row[:5] + row[6:] for row in LAST_MOVEMENTS]
        slots = "select * from col.slots_used order by container_id"
        assert query(connection, slots) == [(11, 1), (17, 1), (None, 1)]


FAMILY = """
insert into col.object (uid, identifier)
values (21, 'g'), (22, 'p'), (23, null), (24, 'c'), (25, 'd'), (26, 'e');
insert into col.collection (collection_id, collection_name) values (1, 'c');
insert into col.sample_type (sample_type_id, sample_type_name) values (1, 't');
insert into col.sample (
    sample_id, uid, collection_id, sample_type_id, sample_creation_date, parent_sample_id,
    multiple_value
)
values (31, 21, 1, 1, '2024-01-01', null, 5), (32, 22, 1, 1, '2024-01-01', 31, 2.5),
       (33, 23, 1, 1, '2024-01-01', 31, null), (34, 24, 1, 1, '2024-01-01', 32, null),
       (35, 25, 1, 1, '2024-01-01', 31, null), (36, 26, 1, 1, '2024-01-01', null, null);
"""


def test_24_0_counts_all_samples_made_of_one(server18: Server) -> None:
    with at(server18, "24.0", start="2.8.1") as connection:
        execute(connection, FAMILY)
        counted = "select * from col.v_derivated_number order by uid"
        assert query(connection, counted) == [(21, 3), (22, 1)]


def test_24_0_tells_referents_apart_by_their_first_names(server18: Server) -> None:
    with at(server18, "24.0", start="2.8.1") as connection:
        execute(
            connection,
            "insert into col.referent (referent_name, referent_firstname)"
            " values ('A', 'x'), ('A', 'y'), ('A', null), ('A', null)",
        )
        with pytest.raises(errors.UniqueViolation):
            execute(
                connection,
                "insert into col.referent (referent_name, referent_firstname) values ('A', 'x')",
            )


# 24.1 -----------------------------------------------------------------------------------------


def test_24_1_leaves_the_unique_name_out_where_there_are_homonyms(server18: Server) -> None:
    with at(server18, "24.0", start="2.8.1") as connection:
        assert findings(connection, "upgrade-24.0-24.1") == []
        execute(
            connection,
            "insert into col.referent (referent_id, referent_name, referent_firstname)"
            " values (1, 'A', 'x'), (2, 'B', null), (3, 'A', null)",
        )
        assert findings(connection, "upgrade-24.0-24.1") == [
            ("warn", ("A", 1, "x", None)),
            ("warn", ("A", 3, None, None)),
        ]
        step(connection, "24.0", "24.1")
        assert [fact.name for fact in difference(connection, "24.1")] == [
            "referent_referent_name_idx"
        ]
        step(connection, "24.1", "24.0")
        assert difference(connection, "24.0") == []


# 25.0 -----------------------------------------------------------------------------------------


def test_25_0_renames_the_right_and_group_of_that_exact_name_alone(server18: Server) -> None:
    with at(server18, "24.1", start="2.8.1") as connection:
        execute(
            connection,
            """
            insert into gacl.aclgroup (groupe) values ('gestionnaires'), ('Gestion');
            insert into gacl.aclappli (aclappli_id, appli) values (2, 'other');
            insert into gacl.aclaco (aclappli_id, aco) values (2, 'manage'), (1, 'gestion labo');
            """,
        )
        assert findings(connection, "upgrade-24.1-25.0") == []
        step(connection, "24.1", "25.0")
        groups = "select groupe from gacl.aclgroup where aclgroup_id in (3, 7, 8) order by 1"
        rights = "select aclappli_id, aco from gacl.aclaco where aco ~ 'gest|manag' order by 1, 2"
        assert sorted(query(connection, groups)) == [("Gestion",), ("gestionnaires",), ("manage",)]
        assert query(connection, rights) == [(1, "gestion labo"), (1, "manage"), (2, "manage")]


def test_25_0_asks_first_for_twins_of_the_right_and_the_group(server18: Server) -> None:
    with at(server18, "24.1", start="2.8.1") as connection:
        execute(connection, "insert into gacl.aclaco (aclappli_id, aco) values (1, 'manage')")
        execute(connection, "insert into gacl.aclgroup (groupe) values ('manage')")
        found = findings(connection, "upgrade-24.1-25.0")
        assert found == [
            ("stop", (4, "gestion", 7, "manage", 1)),
            ("stop", (3, "gestion", 7, "manage")),
        ]
    with at(server18, "25.0", start="2.8.1") as connection:
        assert findings(connection, "downgrade-25.0-24.1") == []
        execute(connection, "insert into gacl.aclaco (aclappli_id, aco) values (1, 'gestion')")
        execute(connection, "insert into gacl.aclgroup (groupe) values ('gestion')")
        assert findings(connection, "downgrade-25.0-24.1") == [
            ("stop", (4, "manage", 7, "gestion", 1)),
            ("stop", (3, "manage", 7, "gestion")),
        ]


def test_25_0_leaves_rights_that_are_that_far_already(server18: Server) -> None:
    with at(server18, "24.1", start="2.8.1") as connection:
        execute(connection, "update gacl.aclaco set aco = 'manage' where aco = 'gestion'")
        execute(connection, "update gacl.aclgroup set groupe = 'manage' where groupe = 'gestion'")
        assert findings(connection, "upgrade-24.1-25.0") == []
        step(connection, "24.1", "25.0")
        counted = "select count(*) from gacl.aclaco where aco = 'manage'"
        assert query(connection, counted) == [(1,)]


@pytest.mark.parametrize(
    ("before", "value", "english"),
    [
        ("update col.dbparam set dbparam_value = null", None, "Instance code."),
        ("update col.dbparam set dbparam_value = 'LAB'", "LAB", "Instance code."),
        ("delete from col.dbparam", "code", "Code of the application, to export data"),
    ],
)
def test_25_0_adds_the_code_only_where_no_row_has_the_name(
    server18: Server, before: str, value: str | None, english: str
) -> None:
    with at(server18, "24.1", start="2.8.1") as connection:
        execute(connection, f"{before} where dbparam_name = 'APPLI_code'")
        step(connection, "24.1", "25.0")
        ((found, description),) = query(
            connection,
            "select dbparam_value, dbparam_description_en from col.dbparam"
            " where dbparam_name = 'APPLI_code'",
        )
        assert found == value
        assert str(description).startswith(english)
        with pytest.raises(errors.UniqueViolation):
            execute(connection, "insert into col.dbparam (dbparam_name) values ('APPLI_code')")


def test_25_0_adds_missing_rows_by_name_under_a_free_id(server18: Server) -> None:
    with at(server18, "24.1", start="2.8.1") as connection:
        execute(
            connection,
            """
            delete from col.dataset_type;
            insert into col.dataset_type (dataset_type_id, dataset_type_name, fields)
            values (2, 'ours', '["a", "trashed,campaign_id","b" ]'), (1, 'document', '[]');
            select setval('col.dataset_type_dataset_type_id_seq', 1, false);
            delete from col.export_model;
            insert into col.export_model (export_model_id, export_model_name) values (1, 'ours');
            select setval('col.export_model_export_model_id_seq', 1, false);
            select setval('col.mime_type_mime_type_id_seq', 3);
            """,
        )
        step(connection, "24.1", "25.0")
        types = "select dataset_type_id, dataset_type_name from col.dataset_type order by 1"
        assert query(connection, types) == [
            *((1, "document"), (2, "ours"), (4, "arbitrary content"), (5, "sample")),
            (6, "collection"),
        ]
        models = "select export_model_id, export_model_name from col.export_model order by 1"
        assert query(connection, models) == [
            (1, "ours"),
            (2, "export_template"),
            (3, "export_model"),
        ]
        known = {row["dataset_type_name"]: row for row in fresh_rows("25.0")["col.dataset_type"]}
        lists = "select dataset_type_name, fields from col.dataset_type"
        fields = {str(name): text for name, text in query(connection, lists)}
        assert fields["sample"] == known["sample"]["fields"]
        assert fields["collection"] == known["collection"]["fields"]
        assert fields["document"] == "[]"
        assert fields["ours"] == '["a", "trashed","campaign_id","b" ]'
        shown = "select export_model_name, pattern from col.export_model"
        patterns = {str(name): text for name, text in query(connection, shown)}
        for row in fresh_rows("25.0")["col.export_model"]:
            assert patterns[str(row["export_model_name"])] == row["pattern"]
        assert query(connection, "select nextval('col.dataset_type_dataset_type_id_seq')") == [(7,)]
        assert query(connection, "select nextval('col.export_model_export_model_id_seq')") == [(4,)]
        assert query(connection, "select nextval('col.mime_type_mime_type_id_seq')") == [(15,)]


def test_25_0_names_the_parents_of_samples_made_of_subsamples(server18: Server) -> None:
    with at(server18, "25.0", start="2.8.1") as connection:
        execute(connection, FAMILY)
        execute(
            connection,
            """
            insert into col.subsample (
                sample_id, createdsample_id, movement_type_id, subsample_date, subsample_login
            )
            select sample_id, made, 2, '2024-01-01', 'a'
            from (values (34, 36), (31, 36), (34, 36), (33, 36), (33, 35), (32, null))
                 as taken (sample_id, made)
            """,
        )
        shown = "select * from col.v_sample_parents order by sample_id"
        assert query(connection, shown) == [
            # 33 has no identifier; 34 gave twice.
            (35, ""),
            (36, "21 g, 24 c, 24 c"),
            (None, "22 p"),
        ]
        execute(connection, "update col.subsample set createdsample_id = 36")
        execute(connection, "update col.sample set parent_sample_id = null")
        execute(connection, "delete from col.sample where sample_id = 36")
        made = "select count(createdsample_id) from col.subsample"
        assert query(connection, made) == [(0,)], "set null"


def test_25_0_back_cuts_long_logins_of_the_log(server18: Server) -> None:
    with at(server18, "25.0", start="2.8.1") as connection:
        execute(
            connection,
            f"insert into gacl.log (login, nom_module, log_date) values ('{'a' * 40}', 'm', now())",
        )
        step(connection, "25.0", "24.1")
        assert query(connection, "select login from gacl.log") == [("a" * 32,)]


# 26.0 -----------------------------------------------------------------------------------------

NOT_APPLICABLE = [
    # Both spellings, in any case, whatever stands around the value.
    ('[{"measureUnit":"N/A"}]', '[{"measureUnit":""}]'),
    (r'[{"measureUnit":"N\/A"}]', '[{"measureUnit":""}]'),
    (
        '[ {"measureUnit" : \t"n/A" , "a":"N/a"},\n {"b":\n"n\\/a"} ]',
        '[ {"measureUnit" : \t"" , "a":""},\n {"b":\n""} ]',
    ),
    # Keys and longer texts stay, and what looks like a value inside of a text.
    ('[{"N/A":"x","n\\/a":"N/A"}]', '[{"N/A":"x","n\\/a":""}]'),
    ('[{"description":"Oui/Non/Autre"}]', None),
    (r'[{"description":"Oui\/Non\/Autre"}]', None),
    ('[{"helper":"https://example.org/n/a"}]', None),
    (r'[{"helper":"https:\/\/example.org\/n\/a"}]', None),
    ('[{"a":" N/A"},{"b":"N/A "},{"c":"N/A."}]', None),
    (r'[{"description":"write \"unit\":\"N/A\" here"}]', None),
    (r'[{"description":"\"a\":\"N\/A\""}]', None),
    (
        r'[{"description":"a backslash \\","unit":"N/A"}]',
        r'[{"description":"a backslash \\","unit":""}]',
    ),
    # Choices stay: samples hold them.
    (
        r'[{"choiceList":["N/A","N\/A","Oui"],"u":"N/A"}]',
        r'[{"choiceList":["N/A","N\/A","Oui"],"u":""}]',
    ),
    # The escapes, the order and the double keys of the rest stay.
    ('[{"z":"\\u00e9","a":1.0,"a":"N/A"}]', '[{"z":"\\u00e9","a":1.0,"a":""}]'),
    # No list of fields.
    ('{"measureUnit":"N/A"}', None),
    ('"N/A"', None),
    ("[]", None),
    (None, None),
]


def test_26_0_empties_whole_values_that_say_not_applicable(server18: Server) -> None:
    with at(server18, "25.0", start="2.8.1") as connection:
        with connection.cursor() as cursor:
            for number, (before, _) in enumerate(NOT_APPLICABLE):
                cursor.execute(
                    "insert into col.metadata (metadata_id, metadata_name, metadata_schema)"
                    " values (%s, 'm', %s)",
                    [number, before],
                )
        step(connection, "25.0", "26.0")
        after = query(connection, "select metadata_schema from col.metadata order by metadata_id")
        assert [text for (text,) in after] == [
            before if changed is None else changed for before, changed in NOT_APPLICABLE
        ]


LABELS = """
insert into col.label (label_id, label_name, label_xsl, barcode_id, identifier_only, label_fields)
values (7, 'seven', 'x', 2, true, 'uuid'), (5, 'five', 'x', 1, false, ''),
       (6, 'six', 'x', 2, false, 'uid,id');
select setval('col.label_label_id_seq', 7);
"""
CODES = """
select label_optical_id, label_id, barcode_id, content_type, optical_content, radical
from col.label_optical order by label_optical_id
"""


def test_26_0_gives_each_label_its_optical_code_in_order(server18: Server) -> None:
    with at(server18, "25.0", start="2.8.1") as connection:
        execute(connection, LABELS)
        step(connection, "25.0", "26.0")
        assert query(connection, CODES) == [
            (1, 1, 1, 1, "uid,id,clp,db,prj", None),
            (2, 5, 1, 1, "", None),
            (3, 6, 2, 1, "uid,id", None),
            (4, 7, 2, 2, "uuid", None),
            (5, 8, 1, 2, "uuid", None),
            (6, 8, 2, 2, "uid", None),
        ]
        ((name, stylesheet),) = query(
            connection, "select label_name, label_xsl from col.label where label_id = 8"
        )
        assert name == "Example"
        assert '"8-logo.png"' in str(stylesheet)


def test_26_0_keeps_codes_that_came_back_and_what_was_changed_meanwhile(server18: Server) -> None:
    script = (SCRIPTS / "upgrade-25.0-26.0.sql").read_text("utf-8")
    place = "comment on table col.label_optical"
    # The engine puts the rows of the archive back before the script reads the table.
    back = """
        insert into col.label_optical (
            label_id, barcode_id, content_type, radical, optical_content
        )
        values (5, 1, 1, null, 'unchanged'), (5, 2, 2, 'https://a/', 'uuid'),
               (6, 1, 2, 'https://b/', 'changed since'), (6, 1, 1, null, 'second'),
               (7, 2, 2, null, 'of a label without its own');
        """
    with at(server18, "25.0", start="2.8.1") as connection:
        execute(
            connection,
            """
            insert into col.label (label_id, label_name, label_xsl, label_fields)
            values (5, 'five', 'x', 'unchanged'), (6, 'six', 'x', 'uid'),
                   (7, 'Example', 'x', default), (8, 'new', 'x', 'new');
            """,
        )
        execute(connection, script.replace(place, f"{back}{place}", 1))
        assert [row[1:] for row in query(connection, CODES)] == [
            (5, 1, 1, "unchanged", None),
            (5, 2, 2, "uuid", "https://a/"),
            (6, 1, 1, "uid", "https://b/"),
            (6, 1, 1, "second", None),
            (7, 2, 2, "of a label without its own", None),
            (1, 1, 1, "uid,id,clp,db,prj", None),
            (8, 1, 1, "new", None),
        ]


def test_26_0_adds_no_second_example(server18: Server) -> None:
    with at(server18, "25.0", start="2.8.1") as connection:
        execute(
            connection,
            "insert into col.label (label_name, label_xsl) values ('Example', 'of the site')",
        )
        step(connection, "25.0", "26.0")
        labels = "select label_name, label_xsl from col.label where label_id > 1"
        assert query(connection, labels) == [("Example", "of the site")]
        assert query(connection, CODES)[1:] == [(2, 2, 1, 1, "uid,id,clp,db", None)]
        step(connection, "26.0", "25.0")
        assert query(connection, labels) == [("Example", "of the site")]


def test_26_0_back_gives_each_label_its_first_code(server18: Server) -> None:
    with at(server18, "26.0", start="2.8.1") as connection:
        execute(
            connection,
            """
            insert into col.label (label_id, label_name, label_xsl)
            values (5, 'five', 'x'), (6, 'six', 'x'), (7, 'none', 'x');
            insert into col.label_optical (
                label_optical_id, label_id, barcode_id, content_type, radical, optical_content
            )
            values (13, 5, 1, 1, null, 'second'), (12, 5, 2, 2, 'https://a/', 'uuid'),
                   (11, 6, 1, 1, null, 'uid,id');
            """,
        )
        step(connection, "26.0", "25.0")
        assert query(
            connection,
            "select label_id, barcode_id, identifier_only, label_fields from col.label order by 1",
        ) == [
            (1, 1, False, "uid,id,clp,db,prj"),
            (5, 2, True, "uuid"),
            (6, 1, False, "uid,id"),
            (7, 1, False, "uid,id,clp,db"),
        ]


@pytest.mark.parametrize(
    "worked",
    [
        "update col.label set label_xsl = replace(label_xsl, '2.5cm', '2cm') where label_id = 2",
        "update col.label set label_name = 'Ours' where label_id = 2",
        "update col.container_type set label_id = 2 where container_type_id = 1",
    ],
)
def test_26_0_back_leaves_an_example_that_somebody_has_made_his_own(
    server18: Server, worked: str
) -> None:
    with at(server18, "26.0", start="2.8.1") as connection:
        execute(connection, worked)
        step(connection, "26.0", "25.0")
        kept = "select barcode_id, identifier_only, label_fields from col.label where label_id = 2"
        assert query(connection, kept) == [(1, True, "uuid")]


# 26.1 -----------------------------------------------------------------------------------------

TYPES = """
insert into col.container_type (
    container_type_id, container_type_name, container_family_id, clp_classification, storage_product
)
values (51, 'a', 1, 'H225', 'alcohol'), (52, 'b', 1, ' H225 ', ''), (53, 'c', 1, 'h225', null),
       (54, 'd', 1, '', '   '), (55, 'e', 1, null, 'Water'), (56, 'f', 1, 'GHS02, flammable', null);
insert into col.sample_type (sample_type_id, sample_type_name, container_type_id)
values (61, 'a', 51), (62, 'b', 52), (63, 'c', 55), (64, 'd', 54), (65, 'e', null);
"""


def test_26_1_makes_a_row_of_each_spelling_of_risks_and_products(server18: Server) -> None:
    with at(server18, "26.0", start="2.8.1") as connection:
        execute(connection, TYPES)
        step(connection, "26.0", "26.1")
        risks = [name for (name,) in query(connection, "select risk_name from col.risk order by 1")]
        assert sorted(map(str, risks)) == ["GHS02, flammable", "H225", "h225"]
        in_text_order = "select risk_name from col.risk order by risk_id"
        assert [name for (name,) in query(connection, in_text_order)] == risks
        assert query(connection, "select min(risk_id), max(risk_id) from col.risk") == [(1, 3)]
        assert query(connection, "select * from col.product order by product_name") == (
            query(connection, "select * from col.product order by product_id")
        )
        assert query(
            connection,
            """
            select container_type_id, risk_name, product_name
            from col.container_type left join col.risk using (risk_id)
            left join col.product using (product_id)
            where container_type_id > 50 order by 1
            """,
        ) == [
            (51, "H225", "alcohol"),
            (52, "H225", None),
            (53, "h225", None),
            (54, None, None),
            (55, None, "Water"),
            (56, "GHS02, flammable", None),
        ]
        assert query(
            connection,
            """
            select sample_type_id, risk_name, product_name
            from col.sample_type left join col.risk using (risk_id)
            left join col.product using (product_id)
            where sample_type_id > 60 order by 1
            """,
        ) == [
            (61, "H225", "alcohol"),
            (62, "H225", None),
            (63, None, "Water"),
            (64, None, None),
            (65, None, None),
        ]
        step(connection, "26.1", "26.0")
        assert query(
            connection,
            "select container_type_id, clp_classification, storage_product from col.container_type"
            " where container_type_id > 50 order by 1",
        ) == [
            (51, "H225", "alcohol"),
            (52, "H225", None),
            (53, "h225", None),
            (54, None, None),
            (55, None, "Water"),
            (56, "GHS02, flammable", None),
        ]


def test_26_1_renames_two_items_of_the_list_of_samples(server18: Server) -> None:
    changed = (
        '[ "a","storage_product", "x storage_product","clp_classification","trashed,campaign_id"]'
    )
    with at(server18, "26.0", start="2.8.1") as connection:
        assert findings(connection, "upgrade-26.0-26.1") == []
        execute(connection, "update col.dataset_type set fields = fields::jsonb::json")
        assert findings(connection, "upgrade-26.0-26.1") == [], "the same list, spaced"
        execute(
            connection,
            f"""
            update col.dataset_type set fields = '{changed}' where dataset_type_id = 1;
            update col.dataset_type set fields = '["storage_product"]' where dataset_type_id = 3;
            insert into col.dataset_template (
                dataset_template_id, dataset_template_name, export_format_id, dataset_type_id
            )
            values (1, 't', 1, 1);
            insert into col.dataset_column (
                dataset_column_id, dataset_template_id, column_name, export_name
            )
            values (1, 1, 'storage_product', 'p'), (2, 1, 'uid', 'clp_classification');
            insert into col.request (request_id, create_date, title, body, login)
            values (8, '2024-01-01', 't', 'SELECT clp_classification from container_type', 'a'),
                   (9, '2024-01-01', 't', 'SELECT my_clp_classification, storage_product2', 'a');
            """,
        )
        assert findings(connection, "upgrade-26.0-26.1") == [
            ("warn", (1, "sample", changed)),
            ("warn", (1, 1, "storage_product", "p")),
            ("warn", (8, "t", "a", "SELECT clp_classification from container_type")),
        ]
        step(connection, "26.0", "26.1")
        fields = (
            "select fields from col.dataset_type where dataset_type_id in (1, 3)"
            " order by dataset_type_id"
        )
        assert query(connection, fields) == [
            ('[ "a","product_name", "x storage_product","risk_name","trashed","campaign_id"]',),
            ('["storage_product"]',),
        ]
        step(connection, "26.1", "26.0")
        (text,) = query(connection, fields)[0]
        assert text == changed.replace("trashed,campaign", 'trashed","campaign')


def test_26_1_keeps_types_that_a_collection_offers(server18: Server) -> None:
    with at(server18, "26.1", start="2.8.1") as connection:
        execute(connection, FAMILY)
        execute(
            connection,
            "insert into col.collection (collection_id, collection_name) values (2, 'd')",
        )
        execute(connection, "insert into col.collection_eventtype values (2, 1)")
        execute(connection, "update col.collection set collection_id = 3 where collection_id = 2")
        offered = "select collection_id, event_type_id from col.collection_eventtype"
        assert query(connection, offered) == [(3, 1)]
        with pytest.raises(errors.ForeignKeyViolation):
            execute(connection, "delete from col.event_type where event_type_id = 1")


# 26.2 -----------------------------------------------------------------------------------------

OPERATIONS = """
insert into col.protocol (protocol_id, protocol_name) values (1, 'p');
insert into col.operation (operation_id, protocol_id, operation_name)
values (1, 1, 'a'), (2, 1, 'b');
"""
SAMPLES = """
insert into col.collection (collection_id, collection_name) values (1, 'c');
insert into col.object (uid) values (1), (2), (3), (4), (5), (6), (7);
insert into col.sample (sample_id, uid, collection_id, sample_type_id, sample_creation_date)
values (1, 1, 1, 71, '2024-01-01'), (2, 2, 1, 72, '2024-01-01'), (3, 3, 1, 73, '2024-01-01'),
       (4, 4, 1, 71, '2024-01-01'), (5, 5, 1, 72, '2024-01-01'), (6, 6, 1, 75, '2024-01-01'),
       (7, 7, 1, 75, '2024-01-01');
"""


def test_26_2_moves_the_operation_from_the_type_to_its_samples(server18: Server) -> None:
    with at(server18, "26.1", start="2.8.1") as connection:
        execute(connection, OPERATIONS)
        execute(
            connection,
            "insert into col.sample_type (sample_type_id, sample_type_name, operation_id)"
            " values (71, 'a', 1), (72, 'b', 2), (73, 'c', null), (74, 'no samples', 1),"
            " (75, 'd', null)",
        )
        execute(connection, SAMPLES)
        step(connection, "26.1", "26.2")
        operations = "select sample_id, operation_id from col.sample order by 1"
        assert query(connection, operations) == [
            *((1, 1), (2, 2), (3, None), (4, 1), (5, 2), (6, None), (7, None))
        ]
        execute(connection, "delete from col.operation where operation_id = 2")
        assert query(connection, operations)[1] == (2, None)
        execute(connection, "update col.operation set operation_code = 'x'")
        with pytest.raises(errors.UniqueViolation):
            execute(
                connection,
                "insert into col.operation (protocol_id, operation_name, operation_code)"
                " values (1, 'c', 'x')",
            )


def test_26_2_back_gives_a_type_the_operation_that_its_samples_share(server18: Server) -> None:
    with at(server18, "26.2", start="2.8.1") as connection:
        execute(connection, OPERATIONS)
        execute(
            connection,
            "insert into col.sample_type (sample_type_id, sample_type_name)"
            " values (71, 'shared'), (72, 'two'), (73, 'none'), (74, 'no samples'), (75, 'some')",
        )
        execute(connection, SAMPLES)
        execute(
            connection,
            "update col.sample set operation_id = 1 where sample_id in (1, 4, 2, 6);"
            "update col.sample set operation_id = 2 where sample_id = 5",
        )
        assert findings(connection, "downgrade-26.2-26.1") == [
            ("warn", (72, "two", 2, 2, 2)),
            ("warn", (75, "some", 2, 1, 1)),
        ]
        step(connection, "26.2", "26.1")
        assert query(
            connection,
            "select sample_type_id, operation_id from col.sample_type"
            " where sample_type_id > 70 order by 1",
        ) == [(71, 1), (72, None), (73, None), (74, None), (75, None)]


def test_26_2_asks_first_for_the_ids_and_names_that_the_application_knows(
    server18: Server,
) -> None:
    with at(server18, "26.1", start="2.8.1") as connection:
        assert findings(connection, "upgrade-26.1-26.2") == []
        execute(
            connection,
            "insert into col.dataset_type (dataset_type_id, dataset_type_name)"
            " values (5, 'ours'), (6, 'elabftw');"
            "insert into col.dataset_template (dataset_template_id, dataset_template_name,"
            " export_format_id, dataset_type_id) values (3, 'elabftw', 1, 1);"
            "update col.export_format set export_format_name = 'TSV' where export_format_id = 1",
        )
        assert findings(connection, "upgrade-26.1-26.2") == [
            ("stop", (5, "ours")),
            ("stop", (6, "elabftw")),
            ("stop", (3, "elabftw", 1)),
            ("stop", (1, "TSV")),
        ]
        execute(connection, "delete from col.dataset_template; delete from col.export_format")
        assert ("stop", (1, None)) in findings(connection, "upgrade-26.1-26.2")


ELABFTW = """
select dataset_type_id, dataset_template_id, separator, dataset_template.filename,
       export_template_id, export_template_description
from col.dataset_type
join col.dataset_template using (dataset_type_id)
join col.export_dataset using (dataset_template_id)
join col.export_template using (export_template_id)
where export_template_name = 'elabftw'
"""


def test_26_2_uses_what_is_there_of_the_export(server18: Server) -> None:
    with at(server18, "26.1", start="2.8.1") as connection:
        execute(
            connection,
            """
            insert into col.dataset_type (dataset_type_id, dataset_type_name) values (5, 'elabftw');
            insert into col.dataset_template (
                dataset_template_id, dataset_template_name, export_format_id, dataset_type_id,
                separator
            )
            values (3, 'elabftw', 1, 5, ';');
            insert into col.export_template (export_template_id, export_template_name)
            values (4, 'elabftw');
            """,
        )
        assert findings(connection, "upgrade-26.1-26.2") == []
        step(connection, "26.1", "26.2")
        assert query(connection, ELABFTW) == [(5, 3, ";", "cs-export.csv", 4, None)]
        assert query(connection, "select nextval('col.dataset_type_dataset_type_id_seq')") == [(6,)]


@pytest.mark.parametrize(
    "used",
    [
        "insert into col.dataset_column (dataset_template_id, column_name, export_name)"
        " values (1, 'uid', 'id')",
        "insert into col.lot (lot_id) values (1);"
        "insert into col.export (lot_id, export_template_id) values (1, 1)",
    ],
)
def test_26_2_back_leaves_an_export_that_is_in_use(server18: Server, used: str) -> None:
    with at(server18, "26.2", start="2.8.1") as connection:
        execute(connection, used)
        step(connection, "26.2", "26.1")
        assert query(connection, ELABFTW) == [
            (5, 1, ",", "export_to_elabftw.csv", 1, "Export to elabftw")
        ]
        step(connection, "26.1", "26.2")
        assert len(query(connection, ELABFTW)) == 1


# The whole way --------------------------------------------------------------------------------

ROADS = ("steps", "creation")


def at_the_end(server: Server, road: str) -> AbstractContextManager[Connection]:
    """Give a connection to a fresh 26.2: made at once, or 1.1 taken up by the scripts."""
    return at(server, "26.2", start="1.1" if road == "steps" else "26.2")


# The views and functions of 26.2 --------------------------------------------------------------

CONTENT = """
update col.object set last_movement_id = newest.id
from (values (2, 101), (3, 105), (4, 107), (6, 108)) as newest (uid, id)
where newest.uid = object.uid;

insert into col.subsample (
    sample_id, createdsample_id, movement_type_id, subsample_quantity, subsample_date,
    subsample_login
)
values (34, 36, 2, 0.25, '2024-01-01', 'a'), (31, 36, 1, 2.5, '2024-01-01', 'a'),
       (31, 36, 1, 0.5, '2024-01-01', 'a'), (31, null, 2, 1, '2024-01-01', 'a'),
       (31, null, 2, null, '2024-01-01', 'a'), (33, 35, 2, null, '2024-01-01', 'a');

insert into col.borrower (borrower_id, borrower_name) values (1, 'b');
insert into col.borrowing (
    borrowing_id, uid, borrower_id, borrowing_date, expected_return_date, return_date
)
values -- A newer one that is closed does not hide the open one.
       (1, 1, 1, '2024-01-01', null, null), (2, 1, 1, '2024-05-01', null, '2024-05-02'),
       -- Two of one moment, whatever the order of the rows.
       (4, 2, 1, '2024-01-01', '2024-06-01', null), (3, 2, 1, '2024-01-01', null, null),
       (5, 3, 1, '2024-01-01', null, '2024-01-02'),
       (6, 4, 1, '2024-02-01', null, null), (7, 4, 1, '2024-01-01', null, null);

insert into col.document (
    document_id, uid, mime_type_id, document_name, document_creation_date, document_import_date
)
values -- No date of creation counts as the newest.
       (1, 1, 4, 'd', null, '2024-01-01'), (2, 1, 6, 'd', '2024-02-01', '2024-02-01'),
       (3, 2, 5, 'd', '2024-01-01', '2024-01-02'), (4, 2, 4, 'd', '2024-01-01', '2024-01-01'),
       (6, 3, 4, 'd', '2024-01-01', '2024-01-01'), (5, 3, 4, 'd', '2024-01-01', '2024-01-01'),
       (7, 4, 1, 'd', '2024-01-01', '2024-01-01'),
       (8, 5, 6, 'd', '2024-01-01', '2024-01-01'), (9, 5, 1, 'd', '2024-02-01', '2024-02-01'),
       (10, null, 4, 'd', '2024-01-01', '2024-01-01');

insert into col.identifier_type (identifier_type_id, identifier_type_name, identifier_type_code)
values (1, 'Beta', 'b'), (2, 'Aa', 'a'), (3, 'Zeta', null), (4, 'Alpha', null);
insert into col.object_identifier (uid, identifier_type_id, object_identifier_value)
values (1, 3, '5'), (1, 4, '5'), (1, 4, '1'), (1, 1, '2'), (1, 2, '9'), (1, 2, '10'), (2, 3, 'x');

insert into col.collection (collection_id, collection_name) values (2, 'nothing');
insert into col.event_type (event_type_id, event_type_name, is_sample, is_container)
values (91, 'zz', true, false), (92, 'aa', true, false), (93, 'mm', true, false);
insert into col.collection_eventtype (collection_id, event_type_id) values (1, 91), (1, 92);
insert into col.sample_type (sample_type_id, sample_type_name) values (2, 's');
insert into col.collection_sampletype (collection_id, sample_type_id) values (1, 1), (1, 2);
insert into gacl.aclgroup (aclgroup_id, groupe) values (91, 'readers'), (92, 'writers');
insert into col.collection_group (collection_id, aclgroup_id) values (1, 91), (1, 92);
"""
SHOWN: dict[str, list[tuple[object, ...]]] = {
    "last_borrowing": [
        (1, 1, "2024-01-01", None, 1),
        (4, 2, "2024-01-01", "2024-06-01", 1),
        (6, 4, "2024-02-01", None, 1),
    ],
    "last_movement": [
        (2, 101, "2024-01-01", 1, 11, 1, "room", 3, 4, None),
        (3, 105, "2024-02-02", 1, 17, 7, None, 9, 10, None),
        (4, 107, "2024-03-02", 2, None, None, None, 1, 1, 1),
        (6, 108, "2024-04-01", 1, None, None, None, 1, 1, None),
    ],
    "last_photo": [(1, 1), (3, 2), (6, 3), (8, 5)],
    "slots_used": [(11, 1), (17, 1), (None, 1)],
    "v_derivated_number": [(21, 3), (22, 1)],
    "v_object_identifier": [(1, "a:10,a:9,b:2,Alpha:1,Alpha:5,Zeta:5"), (2, "Zeta:x")],
    "v_sample_parents": [(35, ""), (36, "21 g, 21 g, 24 c"), (None, "21 g, 21 g")],
    "v_subsample_quantity": [
        (31, 21, 5.0, 3.0, 1.0),
        (32, 22, 2.5, 0.0, 0.0),
        (33, 23, None, 0.0, 0.0),
        (34, 24, None, 0.0, 0.25),
        (35, 25, None, 0.0, 0.0),
        (36, 26, None, 0.0, 0.0),
    ],
}
CALLED = {
    "geteventtypesfromcollection(1)": "aa, zz",
    "getsampletypesfromcollection(1)": "s, t",
    "geteventtypesfromcollection(2)": None,
    "getsampletypesfromcollection(2)": None,
    "getgroupsfromcollection(2)": None,
    "geteventtypesfromcollection(null)": None,
    "getsampletypesfromcollection(null)": None,
    "getgroupsfromcollection(null)": None,
    "regenerate_metadata_indexes()": 1,
}


@pytest.mark.parametrize("road", ROADS)
def test_the_views_and_functions_of_26_2(server18: Server, road: str) -> None:
    with at_the_end(server18, road) as connection:
        for text in (STORED, FAMILY, CONTENT):
            execute(connection, text)
        views = [fact.name for fact in facts(connection).facts if fact.kind == "view"]
        assert sorted(views) == sorted(SHOWN)
        for view, expected in SHOWN.items():
            rows = query(connection, f"select * from col.{view}")
            assert sorted(map(plain, rows), key=repr) == sorted(expected, key=repr), view
        for call, value in CALLED.items():
            assert query(connection, f"select col.{call}") == [(value,)], call
        ((groups,),) = query(connection, "select col.getgroupsfromcollection(1)")
        assert sorted(str(groups).split(", ")) == ["readers", "writers"], "in any order"


def plain(row: tuple[object, ...]) -> tuple[object, ...]:
    """Return a row with its days as texts."""
    return tuple(v.date().isoformat() if isinstance(v, datetime) else v for v in row)


def test_a_database_made_at_once_goes_back_and_says_its_version(server18: Server) -> None:
    with at_the_end(server18, "creation") as connection:
        # The application's own installer records its version alone.
        execute(connection, "delete from col.dbversion where dbversion_number <> '26.2'")
        for before, after in STEPS[::-1]:
            step(connection, after, before)
            assert without_geometry(difference(connection, before)) == [], f"{after} to {before}"
            dates = {row["dbversion_date"] for row in fresh_rows(before)["col.dbversion"][-1:]}
            recorded = "select dbversion_number, dbversion_date from col.dbversion"
            ((number, date),) = query(connection, recorded)
            assert number == before
            assert str(date).replace(" ", "T") in dates


def test_the_scripts_lead_from_1_1_to_26_2_and_back(server18: Server) -> None:
    with at_the_end(server18, "steps") as connection:
        expected = expected_rows(connection, "26.2")
        assert rows_of(connection, expected) == expected
        assert without_geometry(difference(connection, "26.2")) == []
        for before, after in WHOLE[::-1]:
            step(connection, after, before)
            assert without_geometry(difference(connection, before)) == [], f"{after} to {before}"
        expected = expected_rows(connection, "1.1")
        # What a step took away, the archive of the engine gives back: not the scripts.
        del expected["col.container_family"]
        assert rows_of(connection, expected) == expected
        for before, after in WHOLE:
            step(connection, before, after)
            assert without_geometry(difference(connection, after)) == [], f"{before} to {after}"


def without_geometry(different: list[catalog.Fact]) -> list[catalog.Fact]:
    """Leave out what needs PostGIS."""
    return [fact for fact in different if "geom" not in fact.name]


DEFINITIONS = """
select viewname, definition from pg_views where schemaname = 'col'
union all
select proname, prosrc from pg_proc where pronamespace = 'col'::regnamespace
"""


def test_views_and_functions_are_those_of_the_creation_script(server18: Server) -> None:
    with at_the_end(server18, "steps") as connection:
        found = query(connection, DEFINITIONS)
    with at_the_end(server18, "creation") as connection:
        assert sorted(query(connection, DEFINITIONS)) == sorted(found)
