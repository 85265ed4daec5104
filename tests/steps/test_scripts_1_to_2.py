"""The scripts from 1.1 to 2.3 and back: catalogs, rows, and what each rule does to values."""

import pytest

from tests.servers import Server
from tests.steps.stepping import (
    at,
    difference,
    execute,
    expected_rows,
    findings,
    query,
    rows_of,
    step,
    steps_between,
)

STEPS = steps_between("1.1", "2.3")


# Catalogs and rows ----------------------------------------------------------------------------


def test_each_step_up_and_down_makes_the_catalog(any_server: Server) -> None:
    with at(any_server, "1.1") as connection:
        for _ in range(2):
            for before, after in STEPS:
                step(connection, before, after)
                assert difference(connection, after) == [], f"{before} to {after}"
            for before, after in STEPS[::-1]:
                step(connection, after, before)
                assert difference(connection, before) == [], f"{after} to {before}"


def test_each_step_up_and_down_makes_the_rows_of_a_fresh_database(server18: Server) -> None:
    with at(server18, "1.1") as connection:
        for before, after in STEPS:
            step(connection, before, after)
            expected = expected_rows(connection, after)
            assert rows_of(connection, expected) == expected, f"{before} to {after}"
        for before, after in STEPS[::-1]:
            step(connection, after, before)
            expected = expected_rows(connection, before)
            if before in ("1.1", "1.2", "1.2.3"):
                # What 2.0 took away only the engine has, in its archive.
                for row in expected["col.container_family"]:
                    row["is_movable"] = True
                expected["col.dbversion"] = [
                    row for row in expected["col.dbversion"] if row["dbversion_number"] == before
                ]
            found = rows_of(connection, expected)
            assert found == expected, f"{after} to {before}"


def test_the_ids_of_parameters_are_the_ones_that_the_steps_name(server18: Server) -> None:
    with at(server18, "2.3") as connection:
        rows = query(connection, "select dbparam_id, dbparam_name from col.dbparam order by 1")
        assert rows == [
            (1, "APPLI_code"),
            (2, "APPLI_title"),
            (3, "mapDefaultX"),
            (4, "mapDefaultY"),
            (5, "mapDefaultZoom"),
        ]


# 1.2 ------------------------------------------------------------------------------------------

SCHEMAS: dict[str, tuple[str | None, str | None]] = {
    "blanks before the colon, line ends, order": (
        '[ {"nom"  :"a",\n "type":"string", "require"\t: true,"meusureUnit":null} ]',
        '[ {"name"  :"a",\n "type":"string", "required"\t: true,"measureUnit":null} ]',
    ),
    "the words inside texts": (
        r'[{"nom":"nom","description":"\"nom\": \"require\":","helper":"{[\"nom\":\\"}]',
        r'[{"name":"nom","description":"\"nom\": \"require\":","helper":"{[\"nom\":\\"}]',
    ),
    "a text before a colon in a text": (
        '[{"helper":"a \\"nom\\"","nom":"}: é \\u00e9"},{"nom":"b"}]',
        '[{"helper":"a \\"nom\\"","name":"}: é \\u00e9"},{"name":"b"}]',
    ),
    "the new key is there, in one field": (
        '[{"nom":"a","name":"b","require":false},{"nom":"c"}]',
        '[{"nom":"a","name":"b","required":false},{"name":"c"}]',
    ),
    "the new key as a value": ('[{"nom":"name"}]', '[{"name":"name"}]'),
    "a list within a field": (
        '[{"nom":"a","choiceList":["nom",{"nom":"b"}],"require":true}]',
        '[{"name":"a","choiceList":["nom",{"nom":"b"}],"required":true}]',
    ),
    "an object": ('{"nom":"a"}', '{"nom":"a"}'),
    "not all of them fields": ('[1, {"nom":"a"}]', '[1, {"nom":"a"}]'),
    "a text": ('"nom"', '"nom"'),
    "no field": ("[]", "[]"),
    "in the new form": ('[{"name":"a"}]', '[{"name":"a"}]'),
    "null": (None, None),
}


def test_1_2_translates_the_keys_of_fields_and_nothing_else(any_server: Server) -> None:
    with at(any_server, "1.1") as connection:
        with connection.cursor() as cursor:
            for place, (name, (text, _)) in enumerate(SCHEMAS.items(), 1):
                cursor.execute(
                    "insert into col.metadata (metadata_id, metadata_name, metadata_schema)"
                    " values (%s, %s, %s)",
                    (place, name, text),
                )
        places = {name: place for place, name in enumerate(SCHEMAS, 1)}
        told = {tuple(row) for level, row in findings(connection, "upgrade-1.1-1.2")}
        twin = "the new key is there, in one field"
        assert told == {
            (places[twin], twin, 1, "nom", "name"),
            *((places[name], name) for name in ("an object", "not all of them fields", "a text")),
        }
        assert {level for level, _ in findings(connection, "upgrade-1.1-1.2")} == {"warn"}

        step(connection, "1.1", "1.2")
        texts = "select metadata_name, metadata_schema::text from col.metadata order by metadata_id"
        expected = [(name, after) for name, (_, after) in SCHEMAS.items()]
        assert query(connection, texts) == expected

        step(connection, "1.2", "1.1")
        before = {(name, text) for name, (text, _) in SCHEMAS.items()}
        # The archive of the engine has their text; the scripts cannot know that it was older.
        assert set(query(connection, texts)) - before == {("in the new form", '[{"nom":"a"}]')}


# 1.2.3 ----------------------------------------------------------------------------------------

RIGHTS = """
select aclaco_id, aco, aclgroup_id, groupe, aclgroup_id_parent
from gacl.aclaco join gacl.aclacl using (aclaco_id) join gacl.aclgroup using (aclgroup_id)
where aco = 'import'
"""
NEXT = "select nextval('gacl.aclaco_aclaco_id_seq'), nextval('gacl.aclgroup_aclgroup_id_seq')"


@pytest.mark.parametrize(
    ("before", "expected", "following"),
    [
        pytest.param("", (6, "import", 6, "import", 3), (7, 7), id="fresh"),
        pytest.param(
            "insert into gacl.aclaco values (6, 1, 'ours'), (8, 1, 'theirs')",
            (7, "import", 6, "import", 3),
            (9, 7),
            id="6 is taken, and 8",
        ),
        pytest.param(
            "insert into gacl.aclaco values (9, 1, 'import')",
            (9, "import", 6, "import", 3),
            (10, 7),
            id="the right is there",
        ),
        pytest.param(
            "insert into gacl.aclgroup values (40, 'import', null), (50, 'other', null)",
            (6, "import", 40, "import", None),
            (7, 51),
            id="the group is there, and one of a greater id",
        ),
        pytest.param(
            "insert into gacl.aclaco values (6, 1, 'import');"
            " insert into gacl.aclgroup values (6, 'import', 3);"
            " insert into gacl.aclacl values (6, 6)",
            (6, "import", 6, "import", 3),
            (7, 7),
            id="all is there",
        ),
        pytest.param(
            "insert into gacl.aclgroup values (20, 'gestion', null)",
            (6, "import", 21, "import", 3),
            (7, 22),
            id="two groups gestion",
        ),
        pytest.param(
            "update gacl.aclgroup set groupe = 'managers' where groupe = 'gestion'",
            (6, "import", 6, "import", None),
            (7, 7),
            id="no group gestion",
        ),
        pytest.param(
            "insert into gacl.aclappli values (2, 'other', null);"
            " insert into gacl.aclaco values (30, 2, 'import')",
            (6, "import", 6, "import", 3),
            (31, 7),
            id="another application has the right",
        ),
        pytest.param(
            "update gacl.aclappli set appli = 'samples'",
            (6, "import", 6, "import", 3),
            (7, 7),
            id="the one application has another code",
        ),
        pytest.param(
            "select setval('gacl.aclgroup_aclgroup_id_seq', 77)",
            (6, "import", 6, "import", 3),
            (7, 78),
            id="a sequence never goes back",
        ),
    ],
)
def test_1_2_3_gives_the_right_to_import_once(
    server18: Server, before: str, expected: tuple[object, ...], following: tuple[int, int]
) -> None:
    with at(server18, "1.2") as connection:
        if before:
            execute(connection, before)
        assert findings(connection, "upgrade-1.2-1.2.3") == []
        step(connection, "1.2", "1.2.3")
        assert query(connection, RIGHTS) == [expected]
        assert query(connection, "select * from gacl.acllogingroup where aclgroup_id = 6") == []
        assert query(connection, NEXT) == [following]


@pytest.mark.parametrize(
    "before",
    [
        "update gacl.aclappli set appli = 'a'; insert into gacl.aclappli values (2, 'b', null)",
        "insert into gacl.aclappli values (2, 'col', null)",
        "delete from gacl.aclacl; delete from gacl.aclaco; delete from gacl.aclappli",
    ],
)
def test_1_2_3_asks_first_whose_right_it_is(server18: Server, before: str) -> None:
    with at(server18, "1.2") as connection:
        execute(connection, before)
        assert {level for level, _ in findings(connection, "upgrade-1.2-1.2.3")} == {"stop"}


@pytest.mark.parametrize(
    ("use", "told"),
    [
        ("", []),
        ("insert into gacl.acllogingroup values (1, 6)", [(6, "import", 1, 0, 0, 0)]),
        ("insert into gacl.aclgroup values (7, 'below', 6)", [(6, "import", 0, 1, 0, 0)]),
        ("insert into gacl.aclacl values (5, 6)", [(6, "import", 0, 0, 1, 0)]),
        (
            "insert into col.project (project_id, project_name) values (1, 'p');"
            " insert into col.project_group values (1, 6)",
            [(6, "import", 0, 0, 0, 1)],
        ),
    ],
)
def test_1_2_3_back_leaves_a_group_that_is_in_use(
    server18: Server, use: str, told: list[tuple[object, ...]]
) -> None:
    with at(server18, "1.2.3") as connection:
        if use:
            execute(connection, use)
        assert findings(connection, "downgrade-1.2.3-1.2") == [("warn", row) for row in told]
        step(connection, "1.2.3", "1.2")
        groups = query(connection, "select aclgroup_id from gacl.aclgroup where groupe = 'import'")
        assert groups == [(6,)] * len(told)
        assert query(connection, RIGHTS) == []
        assert query(connection, "select 1 from gacl.aclaco where aco = 'import'") == []
        step(connection, "1.2", "1.2.3")
        assert len(query(connection, RIGHTS)) == 1


def test_1_2_3_replaces_an_index_that_a_site_made(server18: Server) -> None:
    with at(server18, "1.2") as connection:
        execute(connection, "create index object_identifier_idx on col.object (identifier)")
        step(connection, "1.2", "1.2.3")
        assert difference(connection, "1.2.3") == []


# 2.0 ------------------------------------------------------------------------------------------

STORED = """
insert into col.object (uid, identifier)
values (1, 'room'), (2, 'box'), (3, 'tie'), (4, 'out'), (5, 'never moved'), (6, 'nowhere');
insert into col.container (container_id, uid, container_type_id) values (11, 1, 1), (12, 2, 1);
insert into col.storage_reason (storage_reason_id, storage_reason_name) values (1, 'sold');
insert into col.storage (
    storage_id, uid, container_id, movement_type_id, storage_date, login, line_number,
    column_number, storage_reason_id, storage_location, storage_comment
)
values (101, 2, 11, 1, '2024-01-01', 'a', 3, 4, null, 'shelf', 'careful'),
       -- Two of one moment: the greater id is the newer one, whatever the order of the rows.
       (105, 3, 12, 1, '2024-02-02', 'a', 9, 10, null, null, null),
       (103, 3, 11, 1, '2024-02-02', 'a', 5, 6, null, null, null),
       (106, 3, 11, 1, '2024-02-01', 'a', 7, 8, null, null, null),
       -- Out: a movement without a container.
       (107, 4, 12, 1, '2024-03-01', 'a', 1, 1, null, null, null),
       (108, 4, null, 2, '2024-03-02', 'a', 1, 1, 1, null, null),
       -- In, without a container.
       (109, 6, null, 1, '2024-04-01', 'a', 1, 1, null, null, null);
insert into col.project (project_id, project_name) values (1, 'p');
insert into col.project_group (project_id, aclgroup_id) values (1, 3);
insert into col.protocol (protocol_id, protocol_name, project_id) values (1, 'q', 1);
insert into col.sample_type (sample_type_id, sample_type_name) values (1, 't');
insert into col.sample (
    sample_id, uid, project_id, sample_type_id, sample_date, sample_creation_date
)
values (1, 5, 1, 1, '2024-05-01', '2024-05-02');
"""
LAST_MOVEMENTS = [
    (2, 101, "2024-01-01", 1, 11, 1, 3, 4),
    (3, 105, "2024-02-02", 1, 12, 2, 9, 10),
    (4, 108, "2024-03-02", 2, None, None, 1, 1),
    (6, 109, "2024-04-01", 1, None, None, 1, 1),
]
LAST_MOVEMENT = (
    "select uid, {0}_id, to_char({0}_date, 'YYYY-MM-DD'), movement_type_id, container_id,"
    " container_uid, line_number, column_number from col.last_movement order by uid"
)


def test_2_0_renames_and_moves_no_value(server18: Server) -> None:
    with at(server18, "1.2.3") as connection:
        execute(connection, STORED)
        assert query(connection, LAST_MOVEMENT.format("storage")) == LAST_MOVEMENTS
        step(connection, "1.2.3", "2.0")
        assert query(connection, LAST_MOVEMENT.format("movement")) == LAST_MOVEMENTS
        for text, expected in {
            "select movement_id, storage_location, movement_comment, movement_reason_name"
            " from col.movement left join col.movement_reason using (movement_reason_id)"
            " where movement_id in (101, 108) order by 1": [
                (101, "shelf", "careful", None),
                (108, None, None, "sold"),
            ],
            "select collection_id, collection_name, aclgroup_id, protocol_name,"
            " to_char(sampling_date, 'YYYY-MM-DD')"
            " from col.collection join col.collection_group using (collection_id)"
            " join col.protocol using (collection_id) join col.sample using (collection_id)": [
                (1, "p", 3, "q", "2024-05-01")
            ],
            "select is_clientws, tokenws from gacl.logingestion": [(False, None)],
            "select dbversion_number from col.dbversion": [("2.0",)],
        }.items():
            assert query(connection, text) == expected
        step(connection, "2.0", "1.2.3")
        assert query(connection, LAST_MOVEMENT.format("storage")) == LAST_MOVEMENTS
        assert query(connection, "select is_movable from col.container_family") == [(True,)] * 2


TWINS = [
    pytest.param("aclaco values (20, 1, '{}')", (3, "{}", 20, "{}", 1), id="right"),
    pytest.param("aclgroup values (20, '{}', null)", (4, "{}", 20, "{}"), id="group"),
]


@pytest.mark.parametrize(("version", "other", "way"), [
    ("1.2.3", "2.0", "upgrade"), ("2.0", "1.2.3", "downgrade"),
])  # fmt: skip
@pytest.mark.parametrize(("twin", "told"), TWINS)
def test_2_0_asks_first_about_rights_and_groups_that_would_be_twins(
    server18: Server, twin: str, told: tuple[object, ...], version: str, other: str, way: str
) -> None:
    old, new = ("projet", "collection") if way == "upgrade" else ("collection", "projet")
    with at(server18, version) as connection:
        assert findings(connection, f"{way}-{version}-{other}") == []
        execute(connection, "insert into gacl.aclappli values (2, 'other', null)")
        execute(connection, f"insert into gacl.aclaco values (21, 2, '{new}')")
        assert findings(connection, f"{way}-{version}-{other}") == [], "of another application"
        execute(connection, f"insert into gacl.{twin.format(new)}")
        names = iter((old, new))
        row = tuple(next(names) if value == "{}" else value for value in told)
        assert findings(connection, f"{way}-{version}-{other}") == [("stop", row)]


# 2.1, 2.2 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "present", "told"),
    [
        ("2.0-2.1", "(2, 'ours', 'x')", [(2, "ours", "x")]),
        ("2.0-2.1", "(9, 'APPLI_title', 'x')", [(9, "APPLI_title", "x")]),
        ("2.0-2.1", "(2, 'APPLI_title', 'x')", []),
        ("2.0-2.1", "(3, 'ours', 'x')", []),
        ("2.1-2.2", "(4, 'ours', 'x')", [(4, "ours", "x", "mapDefaultY")]),
        ("2.1-2.2", "(9, 'mapDefaultX', '1'), (5, 'mapDefaultZoom', '3')", []),
        ("2.1-2.2", "(9, 'mapDefaultX', '1'), (3, 'ours', 'x')", []),
    ],
)
def test_parameters_ask_first_for_their_ids(
    server18: Server, way: str, present: str, told: list[tuple[object, ...]]
) -> None:
    before, after = way.split("-")
    with at(server18, before) as connection:
        execute(connection, f"insert into col.dbparam values {present}")
        rows = query(connection, "select * from col.dbparam order by dbparam_id")
        assert findings(connection, f"upgrade-{way}") == [("stop", row) for row in told]
        if told:
            return
        step(connection, before, after)
        assert set(rows) <= set(query(connection, "select * from col.dbparam"))
        names = [name for (name,) in query(connection, "select dbparam_name from col.dbparam")]
        assert len(names) == len(set(names))


# 2.3 ------------------------------------------------------------------------------------------

NEXT_STATUS = "select nextval('col.object_status_object_status_id_seq')"


@pytest.mark.parametrize(
    ("before", "told", "following"),
    [
        ("", [], 7),
        ("insert into col.object_status values (6, 'Objet prêté')", [], 7),
        ("insert into col.object_status values (9, 'ours')", [], 10),
        ("select setval('col.object_status_object_status_id_seq', 30)", [], 31),
        ("insert into col.object_status values (6, 'ours')", [(6, "ours", 0)], 0),
        (
            "insert into col.object_status values (8, 'Objet prêté');"
            " insert into col.object (uid, object_status_id) values (1, 8), (2, 8), (3, 1)",
            [(8, "Objet prêté", 2)],
            0,
        ),
    ],
)
def test_2_3_gives_the_status_6_to_lent_objects(
    server18: Server, before: str, told: list[tuple[object, ...]], following: int
) -> None:
    with at(server18, "2.2") as connection:
        if before:
            execute(connection, before)
        assert findings(connection, "upgrade-2.2-2.3") == [("stop", row) for row in told]
        if told:
            return
        step(connection, "2.2", "2.3")
        status = "select object_status_name from col.object_status where object_status_id = 6"
        assert query(connection, status) == [("Objet prêté",)]
        assert query(connection, NEXT_STATUS) == [(following,)]


def test_2_3_back_leaves_the_status_that_an_object_has(server18: Server) -> None:
    with at(server18, "2.3") as connection:
        execute(connection, "insert into col.object (uid, object_status_id) values (1, 6), (2, 6)")
        assert findings(connection, "downgrade-2.3-2.2") == [("warn", (6, "Objet prêté", 2))]
        step(connection, "2.3", "2.2")
        assert query(connection, "select uid from col.object where object_status_id = 6") == [
            (1,),
            (2,),
        ]
        step(connection, "2.2", "2.3")
        assert difference(connection, "2.3") == []


LENT = """
insert into col.object (uid) values (1), (2), (3), (4), (5);
insert into col.borrower (borrower_name) values ('b');
insert into col.borrowing (
    borrowing_id, uid, borrower_id, borrowing_date, expected_return_date, return_date
)
values -- A newer one that is closed does not hide the open one.
       (1, 1, 1, '2024-01-01', null, null), (2, 1, 1, '2024-05-01', null, '2024-05-02'),
       -- Two of one moment, whatever the order of the rows.
       (4, 2, 1, '2024-01-01', '2024-06-01', null), (3, 2, 1, '2024-01-01', null, null),
       (5, 3, 1, '2024-01-01', null, '2024-01-02'),
       (6, 4, 1, '2024-02-01', null, null), (7, 4, 1, '2024-01-01', null, null);
"""


def test_2_3_shows_the_newest_open_loan_of_each_object(server18: Server) -> None:
    with at(server18, "2.3") as connection:
        execute(connection, LENT)
        loans = query(
            connection,
            "select borrowing_id, uid, to_char(borrowing_date, 'YYYY-MM-DD'),"
            " to_char(expected_return_date, 'YYYY-MM-DD'), borrower_id"
            " from col.last_borrowing order by uid",
        )
        assert loans == [
            (1, 1, "2024-01-01", None, 1),
            (4, 2, "2024-01-01", "2024-06-01", 1),
            (6, 4, "2024-02-01", None, 1),
        ]


def test_2_3_shows_the_reason_of_the_last_movement(server18: Server) -> None:
    with at(server18, "1.2.3") as connection:
        execute(connection, STORED)
        # A view of the site's own: it stays, because the new column comes at the end.
        for before, after in steps_between("1.2.3", "2.2"):
            step(connection, before, after)
        execute(connection, "create view public.own as select uid from col.last_movement")
        step(connection, "2.2", "2.3")
        assert query(connection, LAST_MOVEMENT.format("movement")) == LAST_MOVEMENTS
        reasons = "select uid, movement_reason_id from col.last_movement order by uid"
        assert query(connection, reasons) == [(2, None), (3, None), (4, 1), (6, None)]
        assert len(query(connection, "select * from public.own")) == 4


def test_2_3_has_counters_from_one_on_that_nothing_owns(server18: Server) -> None:
    with at(server18, "2.3") as connection:
        rows = query(
            connection,
            "select sequencename, data_type::text, start_value, min_value, max_value"
            " from pg_sequences where schemaname = 'col'"
            " and sequencename ~ '^(borrow|referent)' order by 1",
        )
        assert rows == [
            ("borrower_borrower_id_seq", "bigint", 1, 0, 2147483647),
            ("borrowing_borrowing_id_seq", "bigint", 1, 0, 2147483647),
            ("referent_referent_id_seq", "bigint", 1, 1, 9223372036854775807),
        ]
