"""Hypothesis strategies: names that PostgreSQL takes for schemas."""

from hypothesis import strategies as st

from collec_migrations.errors import InvalidNames
from collec_migrations.names import LONGEST, Names, check_identifier

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
"""What a text of PostgreSQL may hold: every plane, without NUL and halves of pairs."""

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
    drawn = st.text(CHARACTERS, min_size=1, max_size=LONGEST).map(
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
