"""Where a database is: addresses in the forms that people have, as libpq takes them. Pure."""

import re
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
    dsn = f"postgresql://{rest}" if separator else text.strip()
    if separator:
        _refuse_unescaped(rest, source)
    try:
        parts = parse_dsn(dsn)
    except ProgrammingError as error:
        raise _refused(source, str(error)) from None
    if not all(port.isdigit() for port in str(parts.get("port", "0")).split(",")):
        raise _refused(source)
    return Address(str(make_dsn(**parts)))


ESCAPES = "in a user or password, @ / : ? # % are written %40 %2F %3A %3F %23 %25"
_PARAMETER = re.compile(r'invalid URI query parameter: "(\w+)"|invalid connection option "(\w+)"')
_FOREIGN = {
    "schema": "Schemas are named by --gacl and --col.",
    "currentSchema": "Schemas are named by --gacl and --col.",
    "search_path": "Schemas are named by --gacl and --col.",
    "charset": "The encoding is always UTF-8.",
    "ssl": "Write sslmode=require.",
}


def _refuse_unescaped(rest: str, source: str) -> None:
    """Refuse what would cut a password in two: libpq takes the first part of it for a host."""
    before, _, query = rest.partition("?")
    login = before.rpartition("@")[0]
    if "@" in login or "/" in login or "@" in query.partition("&")[0].partition("=")[0]:
        raise UsageError(
            f"{source} is not a valid address: a character in it has to be escaped",
            hint=f"Write it as postgresql://user@host:5432/database; {ESCAPES}.",
        )
    if len(re.findall(r"(?:^|&)host=", query)) > 1:
        raise UsageError(
            f"{source} names several hosts by parameters, as SQLAlchemy does",
            hint="libpq takes them as postgresql://user@one:5432,two:5432/database.",
        )


def _refused(source: str, why: str = "") -> UsageError:
    """Return the error for what libpq does not take; of its message, a parameter's name alone."""
    found = _PARAMETER.search(why)
    name = (found[1] or found[2]) if found else ""
    if name in _FOREIGN:
        return UsageError(
            f"{source} has the parameter {name!r}, which is not one of PostgreSQL's",
            hint=f"Leave it out. {_FOREIGN[name]}",
        )
    return UsageError(
        f"{source} is not a valid address",
        hint=f"Write it as postgresql://user@host:5432/database; {ESCAPES}.",
    )
