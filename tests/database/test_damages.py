"""Every single damage to a database of 1.1: the same version, one line, the right severity."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from collec_migrations import versions
from collec_migrations import versions as releases
from collec_migrations.bridge import detection, read_catalog, repairs
from collec_migrations.bridge.difference import State
from collec_migrations.errors import RepairRefused
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.connection import Connection
from tests import damages
from tests.servers import Server

OWNER = "collec_owner"
ROOT_SCRIPTS = ("gacl_create-1.1.sql", "col_create-1.1.sql")
NAMES = Names()
parts = pytest.mark.parametrize(
    "part", [pytest.param(8, id="some"), pytest.param(1, id="all", marks=pytest.mark.soak)]
)
"""One in so many damages is told, and one in five times as many is repaired: all take minutes."""


@pytest.fixture(scope="module")
def sound(server18: Server) -> Iterator[Connection]:
    """Give a connection to a database of 1.1 that belongs to an ordinary role."""

    def build(address: Address) -> None:

        with closing(psycopg2.connect(address.dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("create role collec_owner; create role stranger")
                cursor.execute(f"grant create on database {address.dbname} to {OWNER}")
                cursor.execute(f"set role {OWNER}")
                for name in ROOT_SCRIPTS:
                    cursor.execute(versions.load(name).text)

    template = server18.template("damages", build)
    with (
        server18.database(template) as address,
        closing(psycopg2.connect(address.dsn)) as connection,
    ):
        yield connection
        connection.rollback()


@parts
def test_every_damage_is_the_same_version_one_line_and_the_right_severity(
    sound: Connection, part: int
) -> None:
    catalog = releases.upgraded("1.1")
    wrong: list[str] = []
    told: Counter[str] = Counter()
    with sound.cursor() as cursor:
        cursor.execute("rollback; begin; savepoint sound")
        for place, damage in enumerate(damages.of(catalog, owner=OWNER)):
            if place % part:
                continue
            try:
                cursor.execute(damage.statement)
            except psycopg2.Error:  # what cannot be done to a database needs no line
                cursor.execute("rollback to sound")
                continue
            report = detection.verify(sound, NAMES, version="1.1")
            told[damage.kind] += 1
            lines = [f"{one.severity} {one.sentence}" for one in report.differences]
            if (
                report.detection.versions != ("1.1",)
                or len(lines) != 1
                or report.differences[0].severity is not damage.severity
            ):
                wrong.append(f"{damage.statement}: {report.detection.versions} {lines}")
            cursor.execute("rollback to sound")
        cursor.execute("rollback")
    assert not wrong, "\n".join(wrong)
    assert len(told) >= 10


@parts
def test_what_can_be_mended_is_clean_afterwards(sound: Connection, part: int) -> None:
    wrong: list[str] = []
    with sound.cursor() as cursor:
        cursor.execute("rollback; begin; savepoint sound")
        every = list(damages.of(releases.upgraded("1.1"), owner=OWNER))
        for damage in every[:: 5 * part]:
            try:
                cursor.execute(damage.statement)
            except psycopg2.Error:
                cursor.execute("rollback to sound")
                continue
            try:
                repairs.repair(sound, NAMES, "1.1", not_valid=True)
            except RepairRefused:  # rows that only a person can correct
                cursor.execute("rollback to sound")
                continue
            left = detection.verify(sound, NAMES, version="1.1")
            lost_rows = "drop" in damage.statement and any(
                one.state in (State.CHANGED, State.ROW) or "already" in one.sentence
                or "at nothing" in one.sentence for one in left.differences
            )  # fmt: skip
            if left.differences and not lost_rows:
                wrong.append(f"{damage.statement}: {[one.sentence for one in left.differences]}")
            cursor.execute("rollback to sound")
        cursor.execute("rollback")
    assert not wrong, "\n".join(wrong)


SPECIAL = [
    ("insert into col.project (project_id, project_name) values (990000, 'p')", "sequence",
     "behind", "breaks"),
    ("create table col.extra (a serial primary key)", "table", "not part", "cosmetic"),
    ("alter table col.sample add extra integer references col.sample", "column", "not part",
     "cosmetic"),
    ("create or replace view col.last_photo as select document_id, uid from col.document",
     "view", "does not return", "breaks"),
    ("create or replace view col.last_photo as select distinct on (d.uid) d.document_id, d.uid "
     "from col.document d where d.mime_type_id = any (array[4, 5, 6]) order by d.uid, "
     "d.document_creation_date desc, d.document_import_date desc, d.document_id desc", "", "", ""),
    ("create table col.sample_metadata (sample_id integer primary key, data json)", "table",
     "neither moved nor dropped", "differs"),
    ("insert into col.dbversion (dbversion_number, dbversion_date) values ('1.3', now())", "row",
     "also says 1.3", "cosmetic"),
    ("delete from col.dbversion", "row", "says nothing", "breaks"),
    ("create unique index odd on col.sample (uid)", "index", "not part", "cosmetic"),
    ("grant select on col.sample to stranger", "", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "kind", "said", "severity"), SPECIAL)
def test_a_special_damage(
    sound: Connection, statement: str, kind: str, said: str, severity: str
) -> None:
    with sound.cursor() as cursor:
        cursor.execute("rollback; begin")
        cursor.execute(f"set local role {OWNER}; {statement}; reset role")
        report = detection.verify(sound, NAMES, version="1.1")
        cursor.execute("rollback")
    assert report.detection.versions == ("1.1",)
    if not kind:
        assert report.differences == ()
        return
    (one,) = report.differences
    assert (one.kind, one.severity) == (kind, severity)
    assert said in one.sentence + one.known


def test_orphans_are_told_with_their_key_and_kept_by_the_repair(sound: Connection) -> None:
    with sound.cursor() as cursor:
        cursor.execute("rollback; begin")
        cursor.execute(
            "alter table col.project_group drop constraint aclgroup_projet_group_fk;"
            "insert into col.project (project_id, project_name) values (900, 'p');"
            "insert into col.project_group values (900, 4711)"
        )
        report = detection.verify(sound, NAMES, version="1.1")
        key = next(one for one in report.differences if one.kind == "constraint")
        repairs.repair(sound, NAMES, "1.1", not_valid=True)
        left = detection.verify(sound, NAMES, version="1.1")
        cursor.execute("rollback")
    assert "1 row points at nothing" in key.sentence
    assert any("NOT VALID" in one.observed for one in left.differences)


def test_the_role_of_the_application_can_be_named(sound: Connection) -> None:
    with sound.cursor() as cursor:
        cursor.execute("rollback; begin")
        report = detection.verify(sound, NAMES, version="1.1", role="stranger")
        cursor.execute("rollback")
    tables = {one.name for one in report.differences if one.kind == "table"}
    wanted = {fact.name for fact in read_catalog(sound, NAMES).facts
              if fact.kind == "table"}  # fmt: skip
    assert tables == wanted
