"""Adoption: repaired and written at once, refused when it would be a guess."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from collec_migrations import versions
from collec_migrations.bridge import adoption, detection, history
from collec_migrations.bridge.decision import Answer
from collec_migrations.errors import AdoptionRefused, UnknownVersion
from collec_migrations.migrate import verbs
from collec_migrations.names import Names
from collec_migrations.postgres.connection import Connection
from tests.servers import Server

NAMES = Names()
UP_TO_1_0_8 = ("gacl_create-1.0.sql", "col_create-1.0.sql", "upgrade-1.0-1.0.4.sql",
               "upgrade-1.0.4-1.0.5.sql", "upgrade-1.0.5-1.0.6.sql",
               "upgrade-1.0.6-1.0.8.sql")  # fmt: skip


@pytest.fixture
def session(server18: Server) -> Iterator[Connection]:
    """Give a connection to a database of 1.0.8 that nobody adopted."""
    with server18.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        with connection.cursor() as cursor:
            for name in UP_TO_1_0_8:
                cursor.execute(versions.load(name).text)
            cursor.execute("reset search_path")
        yield connection


def past(session: Connection) -> list[tuple[str | None, str]]:
    """Return the versions and kinds of the data schema's history."""
    with session.cursor() as cursor:
        return [(row.version, row.kind) for row in history.read(cursor, "col")]


def run(session: Connection, statement: str) -> None:
    """Run a statement."""
    with session.cursor() as cursor:
        cursor.execute(statement)


def test_adoption_writes_the_version_and_history_once(session: Connection) -> None:
    first, second = adoption.adopt(session, NAMES), adoption.adopt(session, NAMES)
    assert (first.version, first.already, second.already) == ("1.0.8", False, True)
    assert past(session) == [("1.0.8", "adopted")]
    assert detection.detect(session, NAMES).records.alembic == ("1.0.8",)
    assert detection.verify(session, NAMES).differences == ()


def test_a_damaged_database_is_repaired_and_adopted_at_once(session: Connection) -> None:
    run(session, "alter table col.sample drop column dbuid_origin; drop view col.last_photo")
    done = adoption.adopt(session, NAMES)
    assert (done.counts["column added"], done.counts["view added"]) == (1, 1)
    assert detection.verify(session, NAMES).differences == ()


def test_what_is_the_sites_own_is_adopted_and_told(session: Connection) -> None:
    run(session, "create table col.extra (a integer)")
    assert adoption.adopt(session, NAMES).own == ("column extra.a", "table extra")


def test_a_contradicting_version_is_refused(session: Connection) -> None:
    with pytest.raises(AdoptionRefused, match=r"not 2\.3 but 1\.0\.8"):
        adoption.adopt(session, NAMES, "2.3")


def test_a_version_that_never_was_is_refused(session: Connection) -> None:
    with pytest.raises(UnknownVersion, match=r"25\.1"):
        adoption.adopt(session, NAMES, "25.1")


def test_what_is_ambiguous_is_decided_by_a_rule_that_is_told(server18: Server) -> None:
    with server18.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        with connection.cursor() as cursor:
            for name in UP_TO_1_0_8[:2]:
                cursor.execute(versions.load(name).text)
            cursor.execute(
                "create or replace view col.last_movement as select uid, storage_id, storage_date,"
                " movement_type_id, container_id, uid as container_uid from col.storage"
            )
        assert detection.detect(connection, NAMES).answer is Answer.AMBIGUOUS
        done = adoption.adopt(connection, NAMES)
        assert done.version in ("1.0", "1.0.4")
        assert "is taken: fewer repairs" in done.why[0]


def test_alembic_goes_on_from_there(session: Connection) -> None:
    adoption.adopt(session, NAMES)
    session.commit()
    dsn = session.get_dsn_parameters()
    parts = ("host", "port", "user", "dbname")
    address = " ".join(f"{part}={dsn[part]}" for part in parts)
    verbs.upgrade({"url": address}, "head", say=lambda _: None)
    head = versions.in_chain()[-1]
    assert detection.detect(session, NAMES).versions == (head,)
    assert past(session)[-1] == (head, "applied")
    assert detection.verify(session, NAMES).breaking == ()


def test_a_stamp_is_refused_where_adopting_would_be(session: Connection) -> None:
    adoption.refuse_stamp(session, NAMES, "1.0.8")
    with pytest.raises(AdoptionRefused, match=r"seen as 1\.0\.8, not as 1\.1"):
        adoption.refuse_stamp(session, NAMES, "1.1")
