"""What a run is told, and which source wins."""

from collections.abc import Mapping

import pytest
from psycopg2.extensions import parse_dsn

from collec_migrations import settings
from collec_migrations.errors import InvalidNames, UsageError
from collec_migrations.names import Names
from collec_migrations.postgres import conninfo

NOTHING: Mapping[str, str] = {}


def resolve(
    options: Mapping[str, str] = NOTHING,
    environment: Mapping[str, str] = NOTHING,
    ini: Mapping[str, str] = NOTHING,
) -> settings.Settings:
    return settings.resolve(options=options, environment=environment, ini=ini)


def test_nothing_told_means_the_embedded_server_and_the_default_names() -> None:
    told = resolve()
    assert told.address is None
    assert told.pairs == (Names(gacl="gacl", col="col"),)


@pytest.mark.parametrize(
    ("options", "environment", "ini", "expected"),
    [
        ({"url": "postgresql://a/x"}, {"COLLEC_DATABASE_URL": "postgresql://b/x"}, {}, "host=a"),
        ({}, {"COLLEC_DATABASE_URL": "postgresql://b/x", "PGHOST": "c"}, {}, "host=b"),
        ({}, {"PGSERVICE": "lab"}, {"sqlalchemy.url": "postgresql://d/x"}, "the default of libpq"),
        ({}, {"PGPASSFILE": "/x"}, {}, "the default of libpq"),
        ({}, {}, {"sqlalchemy.url": "postgresql+psycopg://d/x"}, "host=d"),
    ],
    ids=["option", "variable", "libpq", "passfile", "ini"],
)
def test_the_first_source_that_tells_an_address_wins(
    options: dict[str, str], environment: dict[str, str], ini: dict[str, str], expected: str
) -> None:
    told = resolve(options, environment, ini)
    assert told.address is not None
    assert expected in told.address.shown


def test_names_come_from_option_then_variable_then_ini() -> None:
    ini = {"collec.gacl": "ini", "collec.col": "ini data"}
    environment = {"COLLEC_GACL_SCHEMA": "env", "COLLEC_COL_SCHEMA": "env data"}
    assert resolve(ini=ini).pairs == (Names(gacl="ini", col="ini data"),)
    assert resolve(environment=environment, ini=ini).pairs == (Names(gacl="env", col="env data"),)
    given = resolve({"col": "given"}, environment, ini)
    assert given.pairs == (Names(gacl="env", col="given"),)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("lab_a,lab_b", ("lab_a", "lab_b")),
        (" lab_a , lab_b ", ("lab_a", "lab_b")),
        ('"a,b",c', ("a,b", "c")),
        ('"say ""hi""","x"', ('say "hi"', "x")),
        ('we"ird', ('we"ird',)),
        ('" blank "', (" blank ",)),
        ("", ("",)),
        ("a,", ("a", "")),
    ],
)
def test_a_list_of_schemas_is_read(text: str, names: tuple[str, ...]) -> None:
    assert settings.split_list(text) == names


@pytest.mark.parametrize("text", ['"open', '"a"b', '"a" b,c'])
def test_a_list_with_a_broken_quote_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        settings.split_list(text)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("transaction", "both", "transaction is 'both'"),
        ("lock_wait", "-1", "lock_wait is '-1'"),
        ("lock_wait", "soon", "lock_wait is 'soon'"),
        ("lock_timeout", "nan", "lock_timeout is 'nan'"),
        ("destroy", "maybe", "destroy is 'maybe'"),
        ("application_code", "", "application_code is empty"),
        ("col", "a,a", "'a' is used twice"),
        ("col", "a,a_archive", "'a_archive' is used twice"),
        ("col", "lab,gacl_archive", "'gacl_archive' is used twice"),
        ("nonsense", "x", "unknown option -x nonsense"),
    ],
)
def test_what_cannot_be_used_is_refused(option: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve({option: value})


@pytest.mark.parametrize("name", ["", "x" * 64, "é" * 32, "nul\0", "\udc80", "pg_x"])
@pytest.mark.parametrize("role", ["gacl", "col"])
def test_names_that_postgresql_would_not_take_are_refused(role: str, name: str) -> None:
    with pytest.raises(InvalidNames):
        Names.parse(**{"gacl": "rights", "col": "data", role: name})


@pytest.mark.parametrize(
    "names",
    [
        Names(gacl="gacl", col="x" * 63),
        Names(gacl="a_archive", col="a"),
        Names(gacl="a", col="a_archive"),
        Names(gacl="é" * 31, col="è" * 31),
    ],
)
def test_archives_have_legal_names_of_their_own(names: Names) -> None:
    four = names.by_default_name.values()
    assert len(set(four)) == 4
    assert all(len(name.encode()) <= 63 for name in four)


@pytest.mark.parametrize(
    ("text", "dsn"),
    [
        ("postgresql://u:p%40@h:5433/d", "user=u password=p@ dbname=d host=h port=5433"),
        ("postgresql+psycopg2://u@/d?host=/tmp", "user=u dbname=d host=/tmp"),
        ("postgres://h/d", "dbname=d host=h"),
        ("host=h dbname='a b'", "host=h dbname='a b'"),
    ],
)
def test_addresses_of_every_form_are_taken(text: str, dsn: str) -> None:
    assert parse_dsn(conninfo.parse(text, source="test").dsn) == parse_dsn(dsn)


def test_a_password_is_never_shown() -> None:
    address = conninfo.parse("postgresql://u:s3cret@h/d", source="test")
    assert "s3cret" not in repr(address) + address.shown
    assert "s3cret" not in repr(resolve(environment={"COLLEC_ADMIN_PASSWORD": "s3cret"}))
