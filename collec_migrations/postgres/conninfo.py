"""Where a database is: addresses in the forms that people have, as libpq takes them. Pure."""

from dataclasses import dataclass, field

from psycopg2 import ProgrammingError
from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations.errors import UsageError


@dataclass(frozen=True, slots=True)
class Address:
    """A libpq connection string; it is never shown, since it may hold a password."""

    dsn: str = field(repr=False)

    @property
    def password(self) -> str:
        """The password in the address, or nothing."""
        return str(parse_dsn(self.dsn).get("password", ""))

    @property
    def shown(self) -> str:
        """The address without its password, for messages."""
        parts = parse_dsn(self.dsn)
        parts.pop("password", None)
        return str(make_dsn(**parts)) if parts else "the default of libpq"


FROM_LIBPQ = Address("")
"""What the environment variables of libpq say."""


def parse(text: str, *, source: str) -> Address:
    """Return the address for a URL (SQLAlchemy's or libpq's) or a libpq keyword string.

    SQLAlchemy's `postgresql+driver://` is taken for any driver: this project connects by
    psycopg2. Raises `UsageError`, without the text, for what libpq does not understand.
    """
    scheme, separator, rest = text.strip().partition("://")
    name = scheme.partition("+")[0]
    if separator and name not in ("postgresql", "postgres"):
        raise UsageError(
            f"{source} is not an address of PostgreSQL but of {name!r}",
            hint="Write it as postgresql://user@host:5432/database.",
        )
    try:
        dsn = f"postgresql://{rest}" if separator else text.strip()
        parts = parse_dsn(dsn)
    except ProgrammingError:
        raise UsageError(
            f"{source} is not a valid address",
            hint="Write it as postgresql://user@host:5432/database; in a password, "
            "@ / : % are written %40 %2F %3A %25.",
        ) from None
    return Address(str(make_dsn(**parts)))
