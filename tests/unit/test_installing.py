"""What is decided of an installation, for servers that no test can run."""

from dataclasses import replace

import pytest

from collec_migrations.errors import InstallRefused
from collec_migrations.install import access_rules, resources
from collec_migrations.install.state import Database, Desired, Found, Role, Server
from collec_migrations.migrate.required_extensions import Use
from collec_migrations.names import Names
from collec_migrations.postgres.privileges import Extensions

DESIRED = Desired(database="collec", owner="collec", pairs=(Names(),), version="1.1")
SERVER = Server(
    version=150000, role="postgres", superuser=True, standby=False, read_only=False,
    new_databases="UTF8 fr_FR.UTF-8", port=5432, sockets=("/run",), listens=("localhost",),
    databases=("postgres", "template1"),
)  # fmt: skip
NOTHING = Extensions(version=150000, installed={}, available={})
FOUND = Found(server=SERVER, role=None, database=None, schemas={}, states={}, extensions=NOTHING)
TRIGRAMS = Use(name="pg_trgm", place="upgrade.sql:3")
UUID = Use(name="pgcrypto", place="upgrade.sql:9")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 90300}, "PostgreSQL 9.3, older than 9.4"),
        ({"superuser": False}, "not a superuser"),
        ({"standby": True}, "a standby"),
        ({"read_only": True}, "read-only"),
        ({"new_databases": "LATIN1 fr_FR"}, "locale fr_FR is not one of UTF-8"),
    ],
)
def test_a_server_on_which_it_cannot_be_is_told(change: dict[str, object], told: str) -> None:
    with pytest.raises(InstallRefused, match=told) as caught:
        resources.refuse(DESIRED, replace(FOUND, server=replace(SERVER, **change)), ())  # type: ignore[arg-type]  # names of the table above
    assert "nothing was created" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("new", ["SQL_ASCII C", "UTF8 C.UTF-8", "LATIN1 POSIX"])
def test_a_locale_that_goes_with_utf8_is_no_obstacle(new: str) -> None:
    resources.refuse(DESIRED, replace(FOUND, server=replace(SERVER, new_databases=new)), ())


def test_an_extension_that_the_server_lacks_is_told_and_one_that_it_has_is_made() -> None:
    with pytest.raises(InstallRefused, match="'pg_trgm' is needed at upgrade"):
        resources.refuse(DESIRED, FOUND, (TRIGRAMS,))
    has = replace(FOUND, extensions=replace(NOTHING, available={"pg_trgm": True}))
    resources.refuse(DESIRED, has, (TRIGRAMS, UUID))
    decided = resources.decide(DESIRED, has, (TRIGRAMS, UUID), password="")
    assert [one.name for one in decided if one.kind == "extension"] == ["pg_trgm"]


def test_what_is_of_core_is_an_extension_on_older_servers() -> None:
    server = replace(SERVER, version=120000)
    has = replace(NOTHING, version=120000, available={"pgcrypto": True})
    old = replace(FOUND, server=server, extensions=has)
    decided = resources.decide(DESIRED, old, (UUID,), password="")
    assert [(one.name, one.state) for one in decided if one.kind == "extension"] == [
        ("pgcrypto", "make")
    ]


@pytest.mark.parametrize(
    ("version", "kept", "method"),
    [
        (90600, "md5", "md5"), (90600, "", "md5"), (120000, "md5", "md5"),
        (120000, "scram-sha-256", "scram-sha-256"), (180000, "", "scram-sha-256"),
    ],
)  # fmt: skip
def test_the_method_is_one_by_which_the_account_can_come_in(
    version: int, kept: str, method: str
) -> None:
    role = Role(login=True, attributes=(), limit=-1, expired=False, kept=kept)
    found = replace(FOUND, server=replace(SERVER, version=version), role=role)
    access = access_rules.unknown(DESIRED, found, "")
    assert {line.split()[-1] for line in access.block.lines} == {method, "reject"}


def test_the_encoding_of_a_database_that_is_there_counts() -> None:
    there = Database(owner="collec", encoding="LATIN1", open=True, template=False)
    with pytest.raises(InstallRefused, match="LATIN1, not UTF8"):
        resources.refuse(DESIRED, replace(FOUND, database=there), ())
