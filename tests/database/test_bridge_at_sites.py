"""What sites have beside their catalog: PostGIS or not, its library gone, schemas elsewhere."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import process_time

import psycopg2
import pytest

from collec_migrations import catalog as facts
from collec_migrations import versions
from collec_migrations.bridge import adoption, detection, read_catalog, repairs, structure, views
from collec_migrations.catalog import Catalog, Fact
from collec_migrations.names import Names
from collec_migrations.postgres import binaries
from collec_migrations.postgres.address import Address
from tests import chain, commands
from tests.conftest import Servers
from tests.servers import MIDDLE, Server

NAMES = Names()


@pytest.fixture
def at_head(server18: Server) -> Iterator[Address]:
    with server18.database(chain.template_at(server18, "26.2")) as address:
        yield address


@pytest.fixture(scope="module")
def with_postgis(server: Servers) -> Server:
    """Return a server that has PostGIS."""
    if MIDDLE not in {one.major for one in binaries.at_hand()}:
        pytest.skip("Debian's server is not here")
    found = server(MIDDLE)
    if not chain.query(found.address,
                       "select 1 from pg_available_extensions where name = 'postgis'"):  # fmt: skip
        pytest.skip("this server has no PostGIS")
    return found


def view_names(address: Address) -> list[str]:
    known = chain.query(address, "select viewname from pg_views where schemaname = 'col'")
    return sorted(str(name) for (name,) in known)


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.3", "2.6", "24.0", "26.2"])
def test_a_view_that_returns_one_row_less_is_told_at_every_version(
    server18: Server, version: str
) -> None:
    with server18.database(chain.template_at(server18, version)) as address:
        assert view_names(address) == sorted(views.queries(version))
        with closing(psycopg2.connect(address.dsn)) as session:
            assert not [one for one in detection.verify(session, NAMES).differences
                        if one.kind == "view"]  # fmt: skip
        for name in view_names(address):
            with closing(psycopg2.connect(address.dsn)) as session, session.cursor() as cursor:
                cursor.execute(f"select rtrim(pg_get_viewdef('col.{name}'::regclass), ';')")
                ((query,),) = cursor.fetchall()
                cursor.execute(
                    f"create or replace view col.{name} as select * from ({query}) as v offset 1"
                )
                found = detection.verify(session, NAMES).differences
                assert [one.name for one in found if one.kind == "view"] == [name]
                repairs.repair(session, NAMES, version)
                assert detection.verify(session, NAMES).is_sound


def test_the_sample_tells_the_views_of_neighbouring_versions_apart(server18: Server) -> None:
    """What the steps say that a view means from then on shows in what it returns."""
    changed = [("1.0", "1.0.4", "last_movement"), ("24.1", "2.8.1", "last_movement")]
    for version, other, view in changed:
        with (
            server18.database(chain.template_at(server18, version)) as address,
            closing(psycopg2.connect(address.dsn)) as session,
        ):
            observed = read_catalog(session, NAMES)
            found = views.compare(session, NAMES, observed, version, other)
            same = {one.version: one.same for one in found if one.view == view}
            assert same[version] is True
            assert same[other] is not True


WORN = {
    "1.0": "drop view col.last_movement;",
    "1.1": "drop table gacl.passwordlost; alter table col.label drop constraint label_pk cascade;",
    "2.8": "drop view col.v_subsample_quantity; drop table gacl.passwordlost;"
    "create or replace view col.slots_used as select container_id,"
    " count(*) / (select 0) as nb_slots_used from col.last_movement group by container_id",
}


@pytest.mark.parametrize("version", WORN)
def test_commands_leave_no_error_in_the_servers_log(server18: Server, version: str) -> None:
    ((folder,),) = chain.query(server18.address, "show data_directory")
    log = Path(str(folder)).parent / "log"
    with server18.database(chain.template_at(server18, version)) as address:
        chain.execute(address, f"drop table col.alembic_version;{WORN[version]}")
        chain.execute(address, f"alter database {address.dbname} set log_min_messages = warning")
        before = log.stat().st_size
        for words in ("detect", "verify", "doctor", "status", "adopt --plan", "adopt --yes",
                      "verify", "upgrade --plan", "upgrade --yes", "detect", "verify",
                      f"downgrade {version} --plan", f"downgrade {version} --yes",
                      "upgrade --yes"):  # fmt: skip
            done = commands.invoke(*words.split(), "--url", address.url)
            assert "Traceback" not in done.output
        said = log.read_bytes()[before:].decode(errors="replace")
        assert done.exit_code == 0, done.output
    assert re.findall(r"^.*(?:ERROR|FATAL|PANIC):.*$", said, re.MULTILINE) == []


def test_a_rights_schema_that_is_not_there_is_one_line(at_head: Address) -> None:
    chain.execute(at_head, "alter schema gacl rename to elsewhere")
    for words in ("detect", "verify", "adopt --yes", "upgrade --plan", "upgrade --yes",
                  "downgrade 26.1 --plan", "downgrade 26.1 --yes", "rehearse", "status",
                  "doctor"):  # fmt: skip
        named = ("--gacl", "gacl", "--col", "col")
        done = commands.invoke(*words.split(), *named, "--url", at_head.url)
        assert "Traceback" not in done.output
        if words in ("status", "doctor"):
            assert "'gacl'" in done.stdout
            continue
        assert done.exit_code == 3, (words, done.output)
        first, hint = done.stderr.strip().splitlines()[-2:]
        assert first.startswith("error: ")
        assert "'gacl'" in first
        assert "elsewhere" in first + hint or "detect" in hint


def test_what_follows_a_refused_repair_is_about_the_same_database(at_head: Address) -> None:
    chain.execute(
        at_head,
        "alter table col.booking drop constraint object_booking_fk;"
        "insert into col.booking (uid, booking_date, date_from, date_to, booking_login)"
        " values (4711, now(), now(), now(), 'x')",
    )
    named = ("--gacl", "gacl", "--col", "col")
    done = commands.invoke("adopt", "--yes", *named, "--url", at_head.url)
    assert done.exit_code == 1, done.output
    hint = done.stderr.strip().splitlines()[-1]
    assert re.search(
        rf"`collec-migrations adopt --url '[^']*{at_head.dbname}[^']*' --gacl gacl --col col`", hint
    )


def test_a_library_that_is_gone_is_told_in_one_line(with_postgis: Server) -> None:
    with with_postgis.database(chain.template_at(with_postgis, "26.2")) as address:
        chain.execute(
            address,
            "create extension if not exists postgis;"
            "alter table col.object add column if not exists geom geography(point, 4326);"
            "update pg_proc set probin = '$libdir/postgis-nosuch' where probin like '%postgis-3%'",
        )
        for words in ("detect", "verify", "adopt --yes"):
            done = commands.invoke(*words.split(), "--url", address.url)
            assert done.exit_code == 3, done.output
            error, hint = done.stderr.strip().splitlines()
            assert error.startswith('error: could not access file "$libdir/postgis-nosuch"')
            assert "alter extension postgis update" in hint
        for words in ("status", "doctor"):
            done = commands.invoke(words, "--url", address.url)
            assert "Traceback" not in done.output
            assert 'could not access file "$libdir/postgis-nosuch"' in done.output
            assert "alter extension postgis update" in done.output


@pytest.mark.parametrize("version", ["2.4", "26.2"])
def test_repair_adds_and_fills_the_geography_as_soon_as_postgis_is_there(
    with_postgis: Server, version: str
) -> None:
    with with_postgis.database(chain.template_at(with_postgis, version)) as address:
        chain.execute(
            address,
            "insert into col.object (wgs84_x, wgs84_y) values (-0.7, 44.8), (200, 1), (null, 1)",
        )
        assert commands.invoke("verify", "--url", address.url).exit_code == 0
        chain.execute(address, "create extension postgis")
        shown = commands.invoke("adopt", "--yes", "--url", address.url)
        assert shown.exit_code == 0, shown.output
        assert chain.query(address, "select st_astext(geom) from col.object order by uid") == [
            ("POINT(-0.7 44.8)",), (None,), (None,)]  # fmt: skip
        with closing(psycopg2.connect(address.dsn)) as session:
            found = facts.normalised(read_catalog(session, NAMES)).facts
            expected = facts.thawed(facts.normalised(versions.upgraded(version))).facts
            assert found ^ expected == frozenset()
            assert detection.verify(session, NAMES).differences == ()


def test_the_one_right_of_the_first_releases_becomes_all(server18: Server) -> None:
    with server18.database(chain.template_at(server18, "1.0")) as address:
        chain.execute(
            address,
            "drop table col.alembic_version; truncate gacl.aclacl, gacl.aclaco, gacl.aclappli"
            " cascade; insert into gacl.aclappli (aclappli_id, appli) values (1, 'appli');"
            "insert into gacl.aclaco (aclaco_id, aclappli_id, aco) values (1, 1, 'admin')",
        )
        with closing(psycopg2.connect(address.dsn)) as session:
            seen = detection.detect(session, NAMES)
            assert seen.versions == ("1.0",)
            assert {one.known for one in seen.serious} == {
                "releases 1.0 to 1.0.2 made the right admin alone"
            }
            assert not seen.breaking
            assert adoption.adopt(session, NAMES).version == "1.0"
            assert detection.verify(session, NAMES).differences == ()
            with session.cursor() as cursor:
                cursor.execute("select distinct appli from gacl.aclaco join gacl.aclappli"
                               " using (aclappli_id)")  # fmt: skip
                assert cursor.fetchall() == [("appli",)]
            session.commit()
        chain.upgrade(address)


def test_ten_thousand_tables_of_the_site_cost_what_they_are_many() -> None:
    """Time grows with the number of tables, not with its square."""
    expected = versions.upgraded("26.2")

    def seconds(tables: int) -> float:
        own = [
            fact
            for number in range(tables)
            for fact in (
                Fact("col", "table", f"own_{number}", ""),
                Fact("col", "column", f"own_{number}.id", "integer not null"),
                Fact("col", "column", f"own_{number}.uid", "integer"),
                Fact("col", "constraint", f"own_{number}.own_{number}_pk", "PRIMARY KEY (id)"),
                Fact("col", "constraint", f"own_{number}.own_{number}_fk",
                     "FOREIGN KEY (uid) REFERENCES object(uid)"),
                Fact("col", "index", f"own_{number}_idx", f"on own_{number} USING btree (uid)"),
            )
        ]  # fmt: skip
        # A key that is gone makes all of the site's own a candidate for its place.
        lost = {fact for fact in expected.facts if fact.name.startswith("sample.")}
        observed = Catalog((expected.facts - lost) | frozenset(own))
        begun = process_time()
        found = structure.differences(expected=expected, observed=observed)
        assert len(found) > tables
        return process_time() - begun

    few, many = seconds(1_000), seconds(10_000)
    assert many < 25 * few


def test_rows_without_a_value_for_a_lost_column_are_shown_before_its_keys(
    server18: Server,
) -> None:
    with server18.database(chain.template_at(server18, "1.1")) as address:
        chain.execute(
            address,
            "insert into col.container_family (container_family_name, is_movable)"
            " values ('x', true);"
            "insert into col.container_type (container_type_name, container_family_id)"
            " select 'x', max(container_family_id) from col.container_family;"
            "alter table col.container_type drop column container_family_id",
        )
        done = commands.invoke("adopt", "--yes", "--url", address.url)
        assert done.exit_code == 1
        assert "column container_type.container_family_id is missing, and these rows" in done.stderr


FUNCTION = "col.getgroupsfromcollection"
OTHERS: dict[str, Callable[[str], str]] = {
    "body": lambda _: (
        f"create or replace function {FUNCTION}(collection_id integer)"
        " returns varchar language sql as $$ select 'x'::varchar $$"
    ),
    "literal": lambda text: text.replace("', '", "' ,'"),
    "attribute": lambda text: f"{text}; alter function {FUNCTION}(integer) strict",
    "path": lambda text: f"{text}; alter function {FUNCTION}(integer) set search_path = public",
}


def definition(address: Address) -> str:
    return str(chain.query(address, f"select pg_get_functiondef('{FUNCTION}'::regproc)")[0][0])


@pytest.mark.parametrize("version", ["2.8", "26.2"])
@pytest.mark.parametrize("other", OTHERS)
def test_a_function_that_does_something_else_is_told_and_repaired(
    server18: Server, version: str, other: str
) -> None:
    with server18.database(chain.template_at(server18, version)) as address:
        before = definition(address)
        chain.execute(address, OTHERS[other](before))
        assert definition(address) != before
        done = commands.invoke("verify", "--url", address.url)
        assert done.exit_code == 1
        assert "function getgroupsfromcollection() does something else" in done.stdout
        assert commands.invoke("adopt", "--yes", "--url", address.url).exit_code == 0
        assert commands.invoke("verify", "--url", address.url).exit_code == 0


def test_a_function_that_is_only_written_otherwise_is_the_same(server18: Server) -> None:
    with server18.database(chain.template_at(server18, "26.2")) as address:
        before = definition(address)
        body = before.split("$function$")[1]
        other = body.replace("\n", "\n\n  ").replace("select", "SELECT /* all */")
        chain.execute(address, before.replace(body, f" -- of the laboratory\n{other};\n"))
        assert "SELECT /* all */" in definition(address)
        assert commands.invoke("verify", "--url", address.url).exit_code == 0


def test_the_password_of_every_installer_is_told_by_verify_adopt_and_doctor(
    at_head: Address,
) -> None:
    chain.execute(
        at_head,
        "update gacl.logingestion set password ="
        " encode(sha256('passwordadmin'::bytea), 'hex') where login = 'admin'",
    )
    for words in ("verify", "adopt --yes", "doctor"):
        done = commands.invoke(*words.split(), "--url", at_head.url)
        assert "login admin has the password that every installer gives it" in done.stdout
