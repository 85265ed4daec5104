"""The servers that tests are given."""

import psycopg
import psycopg2
import pytest

from collec_migrations.postgres.address import Address
from tests.servers import Server


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
