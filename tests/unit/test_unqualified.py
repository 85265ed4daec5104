"""Definitions without schema names, whatever the schemas are called; and changed scripts."""

import pytest

from collec_migrations.bridge import findings
from collec_migrations.bridge.catalog_reader import unqualified
from collec_migrations.bridge.difference import State


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FOREIGN KEY (uid) REFERENCES col.object(uid)",
         "FOREIGN KEY (uid) REFERENCES object(uid)"),
        ('REFERENCES "o\'b""r".t(a)', "REFERENCES t(a)"),
        ("integer default nextval('col.x_seq'::regclass)",
         "integer default nextval('x_seq'::regclass)"),
        ("nextval('\"o''b\"\"r\".\"A b\"'::regclass)", "nextval('\"A b\"'::regclass)"),
        ("default 'col.x'::character varying", "default 'col.x'::character varying"),
        ("default 'it''s col.x'::text", "default 'it''s col.x'::text"),
        ("a OPERATOR(col.%>) b", "a %> b"),
        ("a OPERATOR(other.%>) b", "a OPERATOR(other.%>) b"),
        ("col.geometry(Point,4326)", "geometry(Point,4326)"),
        ("default col.gen_random_uuid()", "default col.gen_random_uuid()"),
        ("collection.col.x", "collection.x"),
        ("other.f(1.5)", "other.f(1.5)"),
    ],
)  # fmt: skip
def test_schema_names_are_taken_out_of_names_only(text: str, expected: str) -> None:
    schemas = frozenset(["col", "o'b\"r"])
    assert unqualified(text, schemas, frozenset(["gen_random_uuid"])) == expected


def test_a_script_that_changed_since_it_was_applied_is_told() -> None:
    applied = [
        {"version": "1.0.8", "script": "a.sql", "checksum": "1", "kind": "applied"},
        {"version": "1.1", "script": "b.sql", "checksum": "2", "kind": "applied"},
        {"version": "1.0", "script": "", "checksum": "", "kind": "adopted"},
    ]
    told = findings.scripts(applied, {"a.sql": "1", "b.sql": "3"}.get)
    assert [(one.state, one.name) for one in told] == [(State.SCRIPT, "b.sql")]
