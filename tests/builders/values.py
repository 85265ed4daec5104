"""Hypothesis strategies of odd values for each type, as the texts that PostgreSQL reads."""

import json
from collections.abc import Callable

from hypothesis import strategies as st

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
"""What a text of PostgreSQL may hold: every plane, without NUL and halves of pairs."""

AWKWARD = (
    *("", " ", "'", "''", '"', "\\", "\\N", "\\.", "\\x00", "%", "%s", "%(id)s", "%%", ":name"),
    *("$1", "$$", "$body$", "{}", "{0}", "NULL", "null", "--", "/*", "*/", ";", "\t", "\r\n", "\n"),
    *("col", "gacl", "col.sample", "e\u0301", "\u202etxet", "\ufeff", "\uffff", "\U0001f9ea"),
    *("\U0010ffff", "\x01\x1b\x7f\x85", "Å\u212b", "ﬀ", "İı"),
)

_short = st.text(CHARACTERS, max_size=30)
_repeated = st.builds(
    lambda piece, times: piece * times,
    st.text(CHARACTERS, min_size=1, max_size=8),
    st.sampled_from((60, 3_000, 20_000)),
)
texts = st.one_of(st.sampled_from(AWKWARD), _short, _short, _repeated)

_blobs = st.one_of(
    st.sampled_from((b"", b"\0", b"\\", b"'", bytes(range(256)))),
    st.binary(max_size=40),
    st.builds(
        lambda piece, times: piece * times, st.binary(min_size=1, max_size=9), st.just(9_000)
    ),
)
_dates = st.one_of(
    st.sampled_from(("infinity", "-infinity", "4714-11-24 BC", "5874897-12-31", "0001-12-31 BC")),
    st.dates().map(str),
)
_timestamps = st.one_of(
    st.sampled_from(
        (
            *("infinity", "-infinity", "4714-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999"),
            *("1970-01-01 00:00:00", "0044-03-15 12:00:00 BC", "2017-09-01 23:59:60"),
        )
    ),
    st.datetimes().map(str),
)
_doubles = st.one_of(
    st.sampled_from(("NaN", "Infinity", "-Infinity", "-0", "5e-324", "1.7976931348623157e308")),
    st.floats().map(repr),
)

_space = st.sampled_from(("", "", " ", "\n  ", "\t"))
_numbers = st.sampled_from(
    (
        *("0", "-0", "1.50", "1E5", "1e-7", "-1.0", "9007199254740993", "1e308", "1E+400"),
        *("123456789012345678901234567890.123456789", "0.1000000000000000055511151231257827"),
    )
)
_strings = st.one_of(
    st.sampled_from(('"\\u00e9"', '"\\ud83e\\uddea"', '"\\/\\b\\f"', '"\\u0041"')),
    _short.map(json.dumps),
    _short.map(lambda text: json.dumps(text, ensure_ascii=False)),
)
_scalars = st.one_of(st.sampled_from(("null", "true", "false")), _numbers, _strings)


def _arrays(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda items, space: f"[{space}{f',{space}'.join(items)}{space}]",
        st.lists(inner, max_size=4),
        _space,
    )


def _objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return objects whose keys may come twice, or be empty."""
    keys = st.one_of(st.sampled_from(('""', '"a"', '"a"', '"b"')), _strings)
    return st.builds(
        lambda items, space: (
            "{" + f",{space}".join(f"{k}{space}:{space}{v}" for k, v in items) + space + "}"
        ),
        st.lists(st.tuples(keys, inner), max_size=4),
        _space,
    )


jsonb = st.one_of(
    st.recursive(_scalars, lambda inner: st.one_of(_arrays(inner), _objects(inner)), max_leaves=8),
    st.sampled_from(("[" * 300 + "]" * 300, '{"a":' * 200 + "1" + "}" * 200)),
)
json_texts = st.one_of(
    jsonb,
    # jsonb refuses these; json keeps them as they are written.
    st.sampled_from(('"\\u0000"', '{"half": "\\ud800"}', "1e1000000", ' {"a" : 1 , "a":2} ')),
)

_BY_TYPE: dict[str, st.SearchStrategy[str]] = {
    "smallint": st.integers(-(2**15), 2**15 - 1).map(str),
    "integer": st.integers(-(2**31), 2**31 - 1).map(str),
    "bigint": st.integers(-(2**63), 2**63 - 1).map(str),
    "boolean": st.sampled_from(("true", "false")),
    "character varying": texts,
    "text": texts,
    "bytea": _blobs.map(lambda data: f"\\x{data.hex()}"),
    "date": _dates,
    "timestamp without time zone": _timestamps,
    "double precision": _doubles,
    "json": json_texts,
    "jsonb": jsonb,
    "uuid": st.uuids().map(str),
}


def of_type(name: str) -> st.SearchStrategy[str] | None:
    """Return values of a type without its modifier; None for a type that is not known here."""
    return _BY_TYPE.get(name)


def fitted(kind: str, *, indexed: bool) -> Callable[[str], str]:
    """Return what cuts a text so that a column of this type takes it, in an index too."""
    base, _, modifier = kind.partition("(")
    if base not in ("character varying", "text"):
        return lambda value: value
    # A B-tree takes 2704 bytes for a row, a character has four at most, a key few columns.
    limits = [int(modifier[:-1])] if modifier else []
    limits += [200] if indexed else []
    return (lambda value: value[: min(limits)]) if limits else (lambda value: value)
