"""`replica primary` says what is missing, writes it once, and repairs what is half there."""

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from tests import clusters
from tests.primaries import Prepared

ROLES = (
    "select rolname, rolcanlogin, rolreplication from pg_roles where rolname in ('rep', 'rewind')"
)


def primary(prepared: Prepared, *words: str | Path, standby: str = "127.0.0.1") -> tuple[int, str]:
    """Run the command on the shared primary; return exit status and output."""
    url = prepared.address.url
    done = clusters.command("replica", "primary", standby, "--url", url,
                            *(words if "--yes" in words else ("--plan", *words)))  # fmt: skip
    return done.exit_code, done.output


def verifiers(prepared: Prepared) -> dict[str, str]:
    """Return what the server keeps instead of passwords."""
    query = "select rolname, rolpassword from pg_authid where rolname in ('rep', 'rewind')"
    return dict(clusters.rows(prepared.address, query))


@pytest.fixture
def kept(prepared: Prepared) -> Iterator[None]:
    """Put passwords, roles, access and settings back at the end."""
    before = verifiers(prepared)
    data = prepared.site.node("primary").data
    files = {path: path.read_text() for path in (data / "postgresql.conf", data / "pg_hba.conf")}
    yield
    for path, text in files.items():
        path.write_text(text)
    for name, verifier in before.items():
        prepared.execute(f"alter role {name} login password '{verifier}'")
    prepared.execute("alter role rep replication")
    prepared.reload()


def test_a_second_run_changes_nothing(prepared: Prepared) -> None:
    data = prepared.site.node("primary").data
    before = ((data / "pg_hba.conf").read_text(), (data / "postgresql.conf").read_text())
    keeps = verifiers(prepared)
    status, said = primary(prepared, "--yes", "--passfile", prepared.passfile)
    assert status == 0, said
    assert "the primary is ready" in said
    assert ((data / "pg_hba.conf").read_text(), (data / "postgresql.conf").read_text()) == before
    assert verifiers(prepared) == keeps
    assert all(one.startswith("SCRAM-SHA-256$") for one in keeps.values())


@pytest.mark.usefixtures("kept")
def test_new_passwords_come_in_and_the_old_ones_do_not(prepared: Prepared, tmp_path: Path) -> None:
    passfile = tmp_path / "new.pgpass"
    status, said = primary(prepared, "--yes", "--new-passwords", "--passfile", passfile)
    assert status == 0, said
    assert passfile.stat().st_mode & 0o777 == 0o600
    for role in ("rep", "rewind"):
        dsn = f"host=127.0.0.1 port={prepared.port} user={role} dbname=postgres"
        psycopg2.connect(f"{dsn} passfile={passfile}").close()
        with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
            psycopg2.connect(f"{dsn} passfile={prepared.passfile}")


@pytest.mark.usefixtures("kept")
def test_roles_that_may_not_do_what_they_are_for_are_given_their_rights(
    prepared: Prepared, tmp_path: Path
) -> None:
    prepared.execute("alter role rep noreplication; alter role rewind nologin")
    prepared.execute("revoke execute on function pg_read_binary_file(text) from rewind")
    keeps = verifiers(prepared)
    status, said = primary(prepared)
    assert status == 1
    assert "missing: role rep" in said
    assert "missing: role rewind" in said
    status, said = primary(prepared, "--yes", "--passfile", tmp_path / "none")
    assert status == 0, said
    assert sorted(clusters.rows(prepared.address, ROLES)) == [
        ("rep", True, True),
        ("rewind", True, False),
    ]
    assert verifiers(prepared) == keeps
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("kept")
@pytest.mark.filterwarnings("ignore")
def test_a_password_kept_as_md5_is_replaced(prepared: Prepared, tmp_path: Path) -> None:
    prepared.execute("set password_encryption = 'md5'; alter role rep password 'guess'")
    status, said = primary(prepared)
    assert (status, "the password of rep is kept as MD5" in said) == (1, True)
    status, said = primary(prepared, "--yes", "--passfile", tmp_path / "pgpass")
    assert status == 0, said
    assert "rep:" in (tmp_path / "pgpass").read_text()
    assert "rewind:" not in (tmp_path / "pgpass").read_text()
    assert verifiers(prepared)["rep"].startswith("SCRAM-SHA-256$")


@pytest.mark.usefixtures("kept")
def test_another_standby_gets_its_own_lines_and_the_first_keeps_its(
    prepared: Prepared, tmp_path: Path
) -> None:
    status, said = primary(prepared, "--yes", "--passfile", tmp_path / "none", standby="127.0.0.9")
    assert status == 0, said
    rules = (prepared.site.node("primary").data / "pg_hba.conf").read_text()
    for address in ("127.0.0.9/32", "127.0.0.1/32"):
        assert f"host replication rep {address} scram-sha-256\n" in rules
    assert primary(prepared)[0] == 0


def test_an_address_beyond_this_machine_needs_more_than_loopback(prepared: Prepared) -> None:
    status, said = primary(prepared, standby="192.0.2.7")
    assert status == 1
    assert "missing: listen_addresses is 127.0.0.1" in said
    assert "note: ssl is off" in said
    assert "host replication rep 192.0.2.7/32 scram-sha-256" in said


def test_a_role_that_is_no_superuser_is_told_so(prepared: Prepared, tmp_path: Path) -> None:
    prepared.execute("create role prepares_nothing in role pg_monitor")
    url = f"{prepared.address.url}&options=-c%20role%3Dprepares_nothing"
    words = ("replica", "primary", "127.0.0.1", "--url", url)
    try:
        reads = clusters.command(*words, "--plan")
        told = clusters.command(*words, "--yes", "--passfile", tmp_path / "none")
    finally:
        prepared.execute("drop role prepares_nothing")
    assert reads.exit_code == 0, reads.output
    assert told.exit_code == 3
    assert "only a superuser" in told.output
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("standby", ["10.0.0.0/8", "", "db1,db2", "two words", "10.0.0.1/33"])
def test_what_is_not_one_address_is_refused(prepared: Prepared, standby: str) -> None:
    status, said = primary(prepared, standby=standby)
    assert status == 2
    assert "is not one address" in said


def test_a_standby_is_not_prepared_as_a_primary(prepared: Prepared, name: str) -> None:
    port = clusters.free_port()
    assert prepared.clone(name, "--listen", f":{port}").exit_code == 0
    url = prepared.site.address(port).url
    told = clusters.command("replica", "primary", "127.0.0.1", "--url", url, "--plan")
    assert told.exit_code == 3
    assert "is a standby itself" in told.output
    again = clusters.command(
        *("replica", "clone", f"postgresql://127.0.0.1:{port}"),
        *("--data", prepared.site.home / f"{name}x", "--passfile", prepared.passfile, "--plan"),
    )
    assert again.exit_code == 1, again.output
    assert "is a standby itself" in again.output
