"""The bridge from any database in the field to a version of the chain.

Each verb loads what it needs when it is called: none needs Alembic, SQLAlchemy or a parser of SQL
before it has something to repair.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812  (a class in psycopg2)

    from collec_migrations.bridge.adoption import Adoption
    from collec_migrations.bridge.answer import Detection
    from collec_migrations.bridge.repairs import Result
    from collec_migrations.bridge.report import Report
    from collec_migrations.names import Names


def detect(
    connection: "Connection", names: "Names", *, expected: str = "", role: str = ""
) -> "Detection":
    """Return what a pair of schemas is; `expected` and `role` are the application's."""
    from collec_migrations.bridge import detection

    return detection.detect(connection, names, expected=expected, role=role)


def verify(
    connection: "Connection", names: "Names", *, version: str = "", role: str = ""
) -> "Report":
    """Return every difference from a version: the one given, else Alembic's, else what is seen."""
    from collec_migrations.bridge import verification

    return verification.verify(connection, names, version=version, role=role)


def repair(
    connection: "Connection",
    names: "Names",
    version: str,
    *,
    role: str = "",
    not_valid: bool = False,
) -> "Result":
    """Make a database exactly a version, in the caller's transaction; writes no version."""
    from collec_migrations.bridge import adoption

    return adoption.repaired(connection, names, version, role=role, not_valid=not_valid)


def adopt(
    connection: "Connection",
    names: "Names",
    version: str | None = None,
    *,
    expected: str = "",
    role: str = "",
    not_valid: bool = False,
) -> "Adoption":
    """Repair and write the version that is seen, or named, in the caller's transaction."""
    from collec_migrations.bridge import adoption

    return adoption.adopt(
        connection, names, version, expected=expected, role=role, not_valid=not_valid
    )


def refuse_stamp(connection: "Connection", names: "Names", version: str) -> None:
    """Raise `AdoptionRefused` where `alembic stamp VERSION` would write what is not true."""
    from collec_migrations.bridge import adoption

    adoption.refuse_stamp(connection, names, version)
