"""The scripts from 1.1 to 2.3 and back: catalogs, rows, and what each rule does to values."""

from tests.servers import Server
from tests.steps.stepping import (
    at,
    difference,
    expected_rows,
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
