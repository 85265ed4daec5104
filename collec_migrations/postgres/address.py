"""Where a database is, as libpq and SQLAlchemy want it written."""

import shlex
from dataclasses import dataclass
from urllib.parse import quote

from collec_migrations.postgres import quoting

ROLE = "collec"
"""The superuser and the database of a server of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A database on a server that is reached by a unix socket; it never holds a password."""

    host: str
    """The folder of the socket."""
    port: int = 5432
    user: str = ROLE
    dbname: str = ROLE

    @property
    def dsn(self) -> str:
        """Return the keywords that psql and psycopg2 take."""
        pairs = (
            ("host", self.host),
            ("port", str(self.port)),
            ("user", self.user),
            ("dbname", self.dbname),
        )
        return " ".join(f"{keyword}={quoting.libpq_value(value)}" for keyword, value in pairs)

    @property
    def psql(self) -> str:
        """Return the command to type in a shell."""
        return f"psql {shlex.quote(self.dsn)}"

    @property
    def url(self) -> str:
        """Return an address that libpq and SQLAlchemy both take.

        SQLAlchemy does not decode the part where a host stands: a socket goes to the parameters.
        """
        user, dbname = quote(self.user, safe=""), quote(self.dbname, safe="")
        return f"postgresql://{user}@/{dbname}?host={quote(self.host)}&port={self.port}"
