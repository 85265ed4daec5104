"""Hypothesis strategies: names that PostgreSQL takes for schemas, and rows that it takes."""

from collections.abc import Collection

from hypothesis import strategies as st

from collec_migrations.catalog import Catalog
from collec_migrations.errors import InvalidNames
from collec_migrations.names import LONGEST, Names, check_identifier
from tests.builders import content, schema, values

AWKWARD_NAMES = (
    *("user", "order", "select", "table", "COL", "Gacl", "Mes Échantillons", "a.b", 'a"b', '"'),
    *("a'b", "'", '""', "''", "100%", "%s", "%(col)s", "%%", ":name", "::", "$1", "$$", "$a$"),
    *("\\", "a\\'b", "new\nline", "tab\tstop", " ", " lead", "trail ", "--", "/* x", ";", "{}"),
    *("x" * 63, "é" * 31, "\U0001f9ea" * 15, "e\u0301", "\u202e", "İ", "NULL", "col", "gacl", "0"),
)


def _legal(name: str) -> bool:
    try:
        check_identifier("data", name)
    except InvalidNames:
        return False
    return name != "public"


def identifiers() -> st.SearchStrategy[str]:
    """Return legal names of schemas, but `public`, which every database has."""
    drawn = st.text(values.CHARACTERS, min_size=1, max_size=LONGEST).map(
        lambda text: text.encode()[:LONGEST].decode(errors="ignore")
    )
    return st.one_of(st.sampled_from(AWKWARD_NAMES), drawn).filter(_legal)


def names() -> st.SearchStrategy[Names]:
    """Return pairs of different names."""
    return (
        st.lists(identifiers(), min_size=2, max_size=2, unique=True)
        .map(lambda pair: Names.parse(gacl=pair[0], col=pair[1]))
        .filter(lambda pair: len(set(pair.by_default_name.values())) == 4)
    )


def two_names() -> st.SearchStrategy[tuple[Names, Names]]:
    """Return two pairs that can stand in one database: none of their eight schemas is shared."""
    return st.tuples(names(), names()).filter(
        lambda pairs: len({n for pair in pairs for n in pair.by_default_name.values()}) == 8
    )


def contents(
    catalog: Catalog, *, at_most: int = 6, without: Collection[str] = ("dbversion",)
) -> st.SearchStrategy[content.Content]:
    """Return arbitrary rows for every table of a catalog but `without`.

    Hypothesis draws how many rows a table gets, a few values of each type and a seed; the rows
    choose among the values. So thousands of rows (`at_most`) cost little more than ten, and a
    failure shrinks to few rows of simple values.
    """
    tables = [table for table in schema.tables(catalog) if table.name not in without]
    kinds = sorted({c.type.partition("(")[0] for table in tables for c in table.columns})
    pools = {
        kind: st.lists(strategy, min_size=1, max_size=5)
        for kind in kinds
        if (strategy := values.of_type(kind)) is not None
    }
    return st.builds(
        content.compose,
        st.just(tables),
        counts=st.fixed_dictionaries({table.key: st.integers(0, at_most) for table in tables}),
        pools=st.fixed_dictionaries(pools),
        seed=st.integers(0, 2**32 - 1),
    )
