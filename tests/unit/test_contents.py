"""Tables as a catalog gives them, and rows composed for them: without a database."""

import pytest
from hypothesis import given, settings

from tests import strategies
from tests.builders import content, ddl, schema, stored


@pytest.mark.parametrize("version", [*stored.UPGRADED, *stored.FRESH])
def test_a_table_follows_those_its_rows_need(version: str) -> None:
    seen: set[schema.Key] = set()
    tables = schema.tables(stored.load(version))
    for table in tables:
        for key in table.foreign_keys:
            assert key.table in seen | {table.key} or table.nullable(key), (table.key, key)
        seen.add(table.key)
    assert (
        len(seen)
        == len(tables)
        == sum(len(ddl.kinds(stored.load(version), role)["table"]) for role in ("gacl", "col"))
    )


@pytest.mark.parametrize("version", ["1.0", "1.1", "26.2"])
def test_composed_rows_respect_their_tables(version: str) -> None:
    @settings(max_examples=20, deadline=None)
    @given(strategies.contents(stored.load(version), at_most=20))
    def respect(drawn: content.Content) -> None:
        made = {table.key: rows for table, rows in drawn.tables}
        for table, rows in drawn.tables:
            for unique in table.unique:
                values = [tuple(row[c] for c in unique) for row in rows]
                whole = [value for value in values if None not in value]
                assert len(whole) == len(set(whole))
            for column in table.columns:
                assert column.nullable or all(row[column.name] is not None for row in rows)
            for key in table.foreign_keys:
                known = {tuple(row[c] for c in key.targets) for row in made[key.table]}
                own = {tuple(row[c] for c in key.columns) for row in rows}
                assert all(None in value or value in known for value in own)

    respect()


def test_the_same_draw_composes_the_same_rows() -> None:
    tables = schema.tables(stored.load("1.0.8"))
    counts = {table.key: 5 for table in tables}
    pools = {"character varying": ["a", "b"], "integer": ["1", "2"], "jsonb": ["{}"]}
    one, same, other = (
        content.compose(tables, counts=counts, pools=pools, seed=seed) for seed in (1, 1, 2)
    )
    assert one == same != other
