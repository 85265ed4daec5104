"""The scripts from 1.0 to 1.1, back, and to nothing: catalogs, rows, and the view of movements."""

from tests.servers import Server
from tests.steps.stepping import (
    SCRIPTS,
    Connection,
    at,
    difference,
    execute,
    expected_rows,
    facts,
    query,
    rows_of,
    step,
    steps_between,
)

STEPS = steps_between("1.0", "1.1")


def test_each_step_up_and_down_makes_the_catalog(any_server: Server) -> None:
    with at(any_server, "1.0", start="1.0") as connection:
        for _ in range(2):
            for before, after in STEPS:
                step(connection, before, after)
                assert difference(connection, after) == [], f"{before} to {after}"
            for before, after in STEPS[::-1]:
                step(connection, after, before)
                assert difference(connection, before) == [], f"{after} to {before}"


def test_each_step_up_and_down_keeps_the_rows_of_a_fresh_database(server18: Server) -> None:
    with at(server18, "1.0", start="1.0") as connection:
        # The creation script of 1.0 gives the rights of 1.0.8.
        expected = expected_rows(connection, "1.0.8")
        del expected["col.dbversion"]
        assert rows_of(connection, expected) == expected
        versions = [("1.0.8", "2017-06-02"), ("1.1", "2017-09-01")]
        for before, after in STEPS:
            step(connection, before, after)
            assert rows_of(connection, expected) == expected, f"{before} to {after}"
        assert recorded(connection) == versions
        step(connection, "1.1", "1.0.8")
        assert recorded(connection) == versions[:1]
        assert rows_of(connection, expected) == expected


def test_a_database_installed_at_1_1_goes_back_to_a_recorded_1_0_8(server18: Server) -> None:
    with at(server18, "1.1") as connection:
        step(connection, "1.1", "1.0.8")
        assert recorded(connection) == [("1.0.8", "2017-06-02")]


def recorded(connection: Connection) -> list[tuple[object, ...]]:
    return query(
        connection,
        "select dbversion_number, to_char(dbversion_date, 'YYYY-MM-DD') from col.dbversion"
        " order by dbversion_date",
    )


def test_1_0_leaves_nothing_of_the_application(server18: Server) -> None:
    with at(server18, "1.0", start="1.0") as connection:
        execute(connection, (SCRIPTS / "drop-1.0.sql").read_text("utf-8"))
        assert facts(connection).facts == frozenset()


MOVED = """
insert into col.object (uid, identifier) values (1, 'room'), (2, 'tie'), (3, 'out'), (4, 'never');
insert into col.container (container_id, uid, container_type_id) values (11, 1, 1);
insert into col.storage (
    storage_id, uid, container_id, movement_type_id, storage_date, login, range
)
values (102, 2, 11, 1, '2024-01-02', 'a', 'shelf'), (101, 2, 11, 1, '2024-01-02', 'a', null),
       (103, 3, 11, 1, '2024-01-01', 'a', null), (104, 3, null, 2, '2024-01-03', 'a', null);
"""


def test_the_last_movement_of_each_version(server18: Server) -> None:
    """1.0 shows both of a tie and no exit; from 1.0.4 on it is one row for each object."""
    shown = "select uid, storage_id, container_uid from col.last_movement order by uid, storage_id"
    with at(server18, "1.0", start="1.0") as connection:
        execute(connection, MOVED)
        assert query(connection, shown) == [(2, 101, 1), (2, 102, 1)]
        for before, after in STEPS:
            step(connection, before, after)
            assert query(connection, shown) == [(2, 102, 1), (3, 104, None)], after
        assert query(
            connection, "select storage_location from col.storage where storage_id = 102"
        ) == [("shelf",)]
        for before, after in STEPS[::-1]:
            step(connection, after, before)
        assert query(connection, shown) == [(2, 101, 1), (2, 102, 1)]
