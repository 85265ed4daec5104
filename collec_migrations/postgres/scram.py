"""What the server keeps instead of a password, computed here.

`create role ... password 'clear text'` sends the password to the server, which writes it to its log
when it logs statements or when the statement fails. A verifier that the client computes never
lets it leave this process.
"""

from psycopg2.extensions import encrypt_password

from collec_migrations.postgres.connection import Connection
from collec_migrations.postgres.password import Password

SCRAM_SINCE = 100000
"""PostgreSQL 10 brought SCRAM-SHA-256 (release notes); older servers know md5 alone."""


def algorithm(version: int) -> str:
    """Return the best algorithm of a server, by its `server_version_num`."""
    return "scram-sha-256" if version >= SCRAM_SINCE else "md5"


def verifier(connection: Connection, user: str, password: Password) -> str:
    """Return what stands in `create role ... password` for a user, made by libpq.

    Unicode is normalised as libpq does at login (SASLprep). The server's `password_encryption`
    is not asked: it is md5 by default up to 13. Sends nothing.
    """
    how = algorithm(connection.server_version)
    return str(encrypt_password(password.clear, user, connection, how))
