"""`collec-migrations install` on real servers: fresh, again, interrupted, over what is there."""

import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from typer.testing import CliRunner

from collec_migrations.bridge.catalog_reader import read_catalog
from collec_migrations.cli import main
from collec_migrations.install import Desired, Resource, installation
from collec_migrations.names import Names
from collec_migrations.postgres import connection, password
from collec_migrations.postgres.connection import connect
from collec_migrations.postgres.password import Password
from tests import accounts, chain, wrapping
from tests.accounts import needs_root
from tests.faults import until
from tests.installing import installations
from tests.installing.installations import PASSWORD, RULES, Lab
from tests.sites import Site

ROLE = """
select rolcanlogin, rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls,
       left(rolpassword, 14) from pg_authid where rolname = '{name}'
"""
OWNERS = """
select distinct pg_get_userbyid(relowner)::text from pg_class c
join pg_namespace n on n.oid = c.relnamespace where nspname in ('gacl', 'col')
union select pg_get_userbyid(nspowner) from pg_namespace where nspname in ('gacl', 'col')
union select pg_get_userbyid(datdba) from pg_database where datname = current_database()
"""


def test_from_nothing_to_an_installation_that_only_its_account_reaches(lab: Lab) -> None:
    done = lab.install(RULES)
    assert done.exit_code == 0, done.output
    assert lab.site.query(ROLE.format(name=lab.name)) == [(True, False, "SCRAM-SHA-256$")]
    assert lab.site.query(OWNERS, lab.name) == [(lab.name,)]
    with lab.site.admin(lab.name) as session:
        session.autocommit = False
        assert read_catalog(session, Names()) == chain.known(chain.HEAD)
    assert lab.enters() == ""
    assert lab.enters_by_socket() == ""
    for other in ("postgres", "template1"):
        assert "pg_hba.conf rejects" in lab.enters(other)
        assert "pg_hba.conf rejects" in lab.enters_by_socket(other)
    assert PASSWORD not in lab.site.log
    assert "wörd" not in lab.site.log
    assert "create role" in lab.site.log


def test_twice_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    words = (RULES, "--passfile", str(tmp_path / "pass"))
    assert lab.install(*words).exit_code == 0
    before = (lab.everything(), (tmp_path / "pass").read_bytes(), sorted(lab.site.folder.iterdir()))
    done = lab.install(*words)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "nothing was changed")
    after = (lab.everything(), (tmp_path / "pass").read_bytes(), sorted(lab.site.folder.iterdir()))
    assert after == before
    assert set(lab.resources(*words).values()) == {"there"}


def test_a_plan_touches_nothing_and_shows_the_rules(lab: Lab, tmp_path: Path) -> None:
    before = lab.site.hba.read_bytes()
    shown = lab.install("--plan", "--passfile", str(tmp_path / "pass"))
    assert shown.exit_code == 0
    assert f"make     role {lab.name}" in shown.stdout
    assert f"local   all             {lab.name}" in shown.stdout
    assert lab.exists() == []
    assert lab.site.hba.read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_where_nobody_can_be_asked_nothing_is_made_without_yes(lab18: Lab) -> None:
    done = lab18.install(installations.ASKED)
    assert done.exit_code == 2, done.output
    assert "there is no terminal to ask on" in done.output
    assert lab18.exists() == []


def test_without_apply_hba_the_rules_are_shown_and_the_file_is_left_alone(lab: Lab) -> None:
    before = lab.site.hba.read_bytes()
    done = lab.install("--json")
    assert done.exit_code == 0
    facts = json.loads(done.stdout)
    assert facts["resources"][-1]["state"] == "shown"
    assert [line.split()[-1] for line in facts["access_rules"]["lines"]] == [
        *["scram-sha-256"] * 3, "reject", "reject",
    ]  # fmt: skip
    assert lab.site.hba.read_bytes() == before


OTHER_SHAPES = {
    "superuser": ("alter role {name} superuser", "role", "SUPERUSER"),
    "more rights": ("alter role {name} createdb createrole", "role", "CREATEDB, CREATEROLE"),
    "replication": ("alter role {name} replication", "role", "REPLICATION"),
    "bypassrls": ("alter role {name} bypassrls", "role", "BYPASSRLS"),
    "monitor": ("grant pg_monitor to {name}", "role", "the rights of pg_monitor"),
    "nologin": ("alter role {name} nologin", "role", "may not log in"),
    "expired": ("alter role {name} valid until '2001-01-01'", "role", "has expired"),
    "no connection": ("alter role {name} connection limit 0", "role", "no connection"),
    "md5": (
        "alter role {name} password 'md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", "role", "by md5",
    ),
    "no password": ("alter role {name} password null", "role", "no password"),
    "database's owner": ("alter database {name} owner to postgres", "database", "to postgres"),
    "template": ("alter database {name} is_template true", "database", "template"),
    "schema's owner": ("alter schema gacl owner to postgres", "schema", "belongs to postgres"),
    "older version": ("update col.alembic_version set version_num = '1.0.8'", "version",
                      f"is {chain.HEAD}"),
}  # fmt: skip


def test_what_is_there_in_another_shape_is_told_and_never_changed(lab: Lab) -> None:
    assert lab.install().exit_code == 0
    for name, (statement, kind, told) in OTHER_SHAPES.items():
        lab.execute(statement, inside=kind in ("schema", "version"))
        shown = lab.install("--plan", "--json")
        assert shown.exit_code == 1, name
        differing = [
            one for one in json.loads(shown.stdout)["resources"] if one["state"] == "differs"
        ]
        details = [one["detail"] for one in differing if one["kind"] == kind]
        assert told in "".join(details), name
    before = lab.everything()
    done = lab.install()
    assert done.exit_code == 1
    assert done.stdout.count("differs ") == 4
    assert done.stdout.count("to do: alter ") == 3
    assert 'revoke "pg_monitor"' in done.stdout
    assert lab.everything() == before
    lab.execute("alter database {name} is_template false")


MISSING = {
    "schema gacl": ("drop schema gacl cascade; drop schema col cascade", "schema gacl"),
    "default rights": (
        "alter default privileges in schema col revoke insert on tables from {name}",
        "default rights col",
    ),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_piece_that_is_missing_is_made_again(lab18: Lab, name: str) -> None:
    assert lab18.install().exit_code == 0
    statement, resource = MISSING[name]
    lab18.execute(statement, inside=True)
    assert lab18.resources()[resource] == "make"
    assert lab18.install().exit_code == 0
    assert lab18.resources()[resource] == "there"
    assert lab18.resources()[f"version col {chain.HEAD}"] == "there"


def test_what_the_administrator_makes_later_the_account_may_use(lab18: Lab) -> None:
    assert lab18.install().exit_code == 0
    lab18.execute("create table col.later (id serial primary key)", inside=True)
    with closing(psycopg2.connect(lab18.site.tcp(lab18.name, PASSWORD, lab18.name))) as session:
        cursor = session.cursor()
        cursor.execute("insert into col.later default values returning id")
        assert cursor.fetchall() == [(1,)]
        cursor.execute("truncate col.later")


STEPS = ("role", "database", "schemas")


@pytest.mark.parametrize("steps", range(1, len(STEPS) + 1), ids=STEPS)
def test_running_again_completes_what_was_interrupted(lab18: Lab, steps: int) -> None:
    admin = connection.administrator(lab18.site.address())
    desired = Desired(database=lab18.name, owner=lab18.name, pairs=(Names(),))
    for step in STEPS[:steps]:
        if step == "role":
            installation._create_role(admin, desired, Password(PASSWORD))
        elif step == "database":
            installation._create_database(admin, desired)
        else:
            installation._create_inside(
                admin, desired, [Resource(kind="schema", name="gacl", state="make")]
            )
    assert lab18.install(RULES).exit_code == 0
    assert set(lab18.resources(RULES).values()) == {"there"}
    assert lab18.enters() == ""


def test_a_generated_password_is_kept_before_the_server_knows_it(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "pass"
    words = ("--passfile", str(file))
    assert lab.install(*words, password=None).exit_code == 0
    key = ("localhost", str(lab.site.port), lab.name, lab.name)
    secret = password.lookup_password(installations.read_private(file), key)
    assert secret
    assert lab.enters(password=secret) == ""
    assert secret not in lab.site.log
    # Killed between the file and the role: the same password serves again.
    lab.execute("drop database {name}")
    lab.execute("drop role {name}")
    assert lab.install(*words, RULES, password=None).exit_code == 0
    assert lab.enters(password=secret) == ""


def test_a_password_that_nobody_would_learn_is_refused_before_anything_is_made(lab18: Lab) -> None:
    done = lab18.install(password=None)
    assert done.exit_code == 2
    assert "COLLEC_DB_PASSWORD" in done.stderr
    assert "--passfile" in done.stderr
    assert lab18.exists() == []


def test_the_password_file_never_loses_another_password(lab18: Lab, tmp_path: Path) -> None:
    file = tmp_path / "pass"
    words = ("--passfile", str(file))
    assert lab18.install(*words).exit_code == 0
    before = file.read_bytes()
    done = lab18.install(*words, password="another")
    assert done.exit_code == 1
    assert "holds another password" in done.stdout
    assert file.read_bytes() == before
    file.chmod(0o640)
    assert "others may read it" in lab18.install(*words).stdout
    file.unlink()
    unknown = lab18.install(*words, password=None)
    assert unknown.exit_code == 2
    assert "its password is not known" in unknown.stderr


REFUSED = {
    "encoding": "create database {name} encoding 'SQL_ASCII' template template0 lc_collate 'C'"
    " lc_ctype 'C'",
    "unknown tables": "create database {name}",
    "closed": "create database {name} allow_connections false",
}


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ("encoding", "SQL_ASCII, not UTF8"),
        ("unknown tables", "holds 1 tables but no version"),
        ("closed", "does not accept connections"),
    ],
)
def test_what_would_fail_is_one_line_before_anything_is_made(
    lab: Lab, shape: str, told: str
) -> None:
    lab.execute(REFUSED[shape])
    if shape == "unknown tables":
        lab.execute("create schema col; create table col.mine (id int)", inside=True)
    for words in (("--plan",), (), (RULES,)):
        done = lab.install(*words)
        assert done.exit_code == 3
        assert told in done.stderr
        assert done.stderr.count("\n") == 2
    assert lab.exists() == ["database"]
    lab.execute("alter database {name} allow_connections true")


@pytest.mark.parametrize(
    "words",
    [
        ("--owner", "pg_mine"), ("--owner", ""), ("--owner", "x" * 64), ("--owner", "/regex"),
        ("--database", "template1"), ("--col", "pg_col"), ("--gacl", "col"),
        ("--address", "somewhere"), ("--address", "10.1.2.3/8"),
        ("--plan", "--yes"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_names_and_addresses_that_cannot_be_are_usage_errors(words: tuple[str, ...]) -> None:
    nowhere = {"COLLEC_DATABASE_URL": "host=/nowhere"}
    done = CliRunner().invoke(
        main.app, ["install", *words, *(() if "--plan" in words else ("--yes",))], env=nowhere
    )
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")


def test_a_role_that_is_no_superuser_is_told_so(lab18: Lab) -> None:
    lab18.execute("create role {name} login createdb createrole password 'x'")
    url = lab18.site.tcp(lab18.name, "x", "postgres")
    done = lab18.install("--url", url, "--owner", "somebody_else")
    assert done.exit_code == 3
    assert f"role '{lab18.name}' is not a superuser" in done.stderr


def test_other_schema_names_and_several_laboratories(lab18: Lab) -> None:
    words = ("--gacl", 'the "rights"', "--col", "lab one,lab_two")
    assert lab18.install(*words).exit_code == 0
    assert lab18.install(*words).stdout.endswith("nothing was changed\n")
    versions = lab18.site.query('select version_num from "lab one".alembic_version', lab18.name)
    assert versions == [(chain.HEAD,)]


INSTALL = """
import os, sys
os.environ["COLLEC_DATABASE_URL"] = sys.argv[1]
os.environ["COLLEC_DB_PASSWORD"] = "secret"
from collec_migrations.cli.main import main
words = ["--yes", *sys.argv[2:]]
words.remove("with access rules") if "with access rules" in words else words.append("--no-hba")
sys.argv[1:] = ["install", *words]
main()
"""


@needs_root
def test_the_servers_own_account_installs_too(lab: Lab) -> None:
    from collec_migrations.postgres import programs

    words = ("--database", lab.name, "--owner", lab.name, RULES)
    shown = accounts.run(INSTALL, lab.site.address().dsn, *words, who=programs.server_account())
    assert "the access rules are in force and proved" in shown
    assert lab.enters(password="secret") == ""


@needs_root
def test_root_needs_nothing_but_the_socket(lab18: Lab, tmp_path: Path) -> None:
    where = {"PGHOST": str(lab18.site.folder), "PGPORT": str(lab18.site.port)}
    words = ("--database", lab18.name, "--owner", lab18.name, "--plan")
    done = chain.run(
        "collec-migrations",
        "install",
        "--no-hba",
        *words,
        folder=tmp_path,
        variables=where,
    )
    assert done.returncode == 0, done.stderr
    assert f", as postgres, version {chain.HEAD}" in done.stdout


@needs_root
def test_a_stranger_is_told_whom_to_be(lab18: Lab) -> None:
    socket = lab18.site.folder / f".s.PGSQL.{lab18.site.port}"
    mode = socket.stat().st_mode
    socket.chmod(0o777)
    lab18.site.folder.chmod(0o711)
    try:
        with accounts.spawn(
            INSTALL, lab18.site.address().dsn, "--database", lab18.name, who=accounts.somebody()
        ) as process:
            _, err = process.communicate(timeout=60)
    finally:
        socket.chmod(mode)
        lab18.site.folder.chmod(0o700)
    assert process.returncode == 3
    assert "sudo -u postgres collec-migrations install" in err


def test_killed_in_the_middle_it_goes_on_where_it_was(lab18: Lab) -> None:
    words = ("--database", lab18.name, "--owner", lab18.name)
    with accounts.spawn(INSTALL, lab18.site.address().dsn, *words) as process:
        until(lambda: "database" in lab18.exists())
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
    assert lab18.install(RULES, password="secret").exit_code == 0
    assert set(lab18.resources(RULES, password="secret").values()) == {"there"}
    with closing(connect(lab18.site.address(lab18.name))) as session:
        assert read_catalog(session, Names()) == chain.known(chain.HEAD)


def test_two_at_once_make_it_once(lab18: Lab) -> None:
    words = ("--database", lab18.name, "--owner", lab18.name)
    with (
        accounts.spawn(INSTALL, lab18.site.address().dsn, *words) as first,
        accounts.spawn(INSTALL, lab18.site.address().dsn, *words) as second,
    ):
        ends = [(one.communicate(timeout=60), one.returncode) for one in (first, second)]
    assert [status for _, status in ends] == [0, 0], ends
    assert sorted("nothing was changed" in out for (out, _), _ in ends) == [False, True]


def test_on_a_terminal_the_password_is_asked_and_not_shown(lab18: Lab, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [str(Path(sys.executable).parent / "collec-migrations"), "install",
               "--database", lab18.name, "--owner", lab18.name, "--yes"]  # fmt: skip
    environment = {**os.environ, "COLLEC_DATABASE_URL": lab18.site.address().dsn, "TERM": "xterm"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environment,
        start_new_session=True, preexec_fn=_take_terminal,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        for question in (b"generate one): ", b"again: "):
            while not shown.endswith(question):
                shown += os.read(ours, 1)
            os.write(ours, b"a s3cret\n")
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # Linux reports the end of a pseudo-terminal as EIO
            pass
    os.close(ours)
    assert process.returncode == 0
    assert b"s3cret" not in shown
    assert lab18.enters(password="a s3cret") == ""


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_an_extension_that_a_version_needs_is_made_by_the_administrator(
    lab18: Lab, site: Path
) -> None:
    wrapping.wrapped({f"col_alter_{chain.HEAD}-27.0.sql": "create table col.t ();"})
    assert lab18.resources()["extension pg_trgm"] == "make"
    done = lab18.install()
    assert done.exit_code == 0, done.output
    assert lab18.resources()["version col 27.0"] == "there"
    assert lab18.resources()["extension pg_trgm"] == "there"
    assert lab18.site.query("select extname from pg_extension order by 1", lab18.name) == [
        ("pg_trgm",), ("plpgsql",),
    ]  # fmt: skip


def test_where_the_server_has_postgis_objects_have_their_geography(lab: Lab) -> None:
    available = "select 1 from pg_available_extensions where name = 'postgis'"
    if not lab.site.query(available):
        pytest.skip("this server has no PostGIS")
    done = lab.install(postgis=True)
    assert done.exit_code == 0, done.output
    kind = (
        "select typname::text from pg_attribute join pg_type on pg_type.oid = atttypid"
        " where attname = 'geom' and attrelid = 'col.object'::regclass"
    )
    assert lab.site.query(kind, lab.name) == [("geography",)]


def test_an_extension_whose_package_is_missing_is_told_before_anything_is_made(
    lab18: Lab,
) -> None:
    done = lab18.install(postgis=True)
    assert done.exit_code == 3
    assert "extension 'postgis' is needed" in done.stderr
    assert "the server does not have it" in done.stderr
    assert "--without-postgis" in done.stderr
    assert lab18.exists() == []
    assert lab18.install("--without-postgis", postgis=True).exit_code == 0


def test_the_servers_log_holds_no_password(lab18: Lab) -> None:
    """Not even where every statement is written down."""
    log = lab18.site.folder / "log"
    lab18.site.execute("alter system set log_statement = 'all'")
    lab18.site.execute("select pg_reload_conf()")
    before = log.stat().st_size
    try:
        assert lab18.install(RULES).exit_code == 0
    finally:
        lab18.site.execute("alter system reset log_statement")
        lab18.site.execute("select pg_reload_conf()")
    said = log.read_bytes()[before:].decode(errors="replace")
    assert f'create role "{lab18.name}"' in said
    assert "SCRAM-SHA-256$" in said
    for form in (PASSWORD, PASSWORD.replace("'", "''"), PASSWORD.replace("\\", "\\\\")):
        assert form not in said


def test_it_waits_for_no_standby_that_nobody_is(site18: Site) -> None:
    """A commit of any other session would wait for ever."""
    site18.execute("alter system set synchronous_standby_names = 'db9'")
    site18.execute("select pg_reload_conf()")
    until(lambda: site18.query("show synchronous_standby_names") == [("db9",)])
    with installations.lab(site18, "unmet") as lab:
        try:
            done = lab.install(RULES)
            assert done.exit_code == 0, done.output
            assert lab.enters() == ""
        finally:
            site18.execute("alter system reset synchronous_standby_names")
            site18.execute("select pg_reload_conf()")
            until(lambda: site18.query("show synchronous_standby_names") == [("",)])
