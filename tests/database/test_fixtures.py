"""The servers that tests are given."""

import psycopg
import psycopg2
import pytest

from collec_migrations.postgres.address import Address
from tests.conftest import Clone
from tests.servers import PsqlError, Server


def test_every_major_runs_a_script_by_its_own_psql(any_server: Server) -> None:
    with any_server.database() as address:
        shown = any_server.psql(
            "create table :name (); show server_version_num;", address.dbname, {"name": "kept"}
        )
        assert int(shown) // 10_000 == any_server.major
        assert any_server.psql("select to_regclass('kept')", address.dbname) == "kept\n"


def test_a_script_that_fails_leaves_nothing(server18: Server, database: Address) -> None:
    with pytest.raises(PsqlError, match="division by zero"):
        server18.psql("create table gone (); select 1/0;", database.dbname)
    assert server18.psql("select to_regclass('gone')", database.dbname) == "\n"


def test_a_clone_has_what_its_template_has(server18: Server, clone: Clone) -> None:
    def build(address: Address) -> None:
        server18.psql("create table laboratory ()", address.dbname)

    template = server18.template("laboratory", build)
    assert server18.template("laboratory", build) == template
    for address in (clone(template), clone(template)):
        assert server18.psql("select to_regclass('laboratory')", address.dbname) == "laboratory\n"


def test_pytest_postgresql_uses_our_server(
    postgresql: psycopg.Connection[tuple[object, ...]], server18: Server
) -> None:
    assert postgresql.info.host == server18.address.host


def test_only_a_role_with_a_password_comes_in_by_tcp(server18: Server, database: Address) -> None:
    server18.create_role("clerk", "kept secret")
    with psycopg2.connect(
        server18.tcp_url("clerk", "kept%20secret", database.dbname)
    ) as connection:
        assert connection.info.user == "clerk"
    connection.close()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(server18.tcp_url("super", "guess", database.dbname))
