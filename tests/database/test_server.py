"""The embedded server of a folder: it starts, stops, survives, and lets nobody else in."""

import os
import signal
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import binaries, cluster, embedded, postmaster
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.cluster import Cluster
from tests import accounts

ENSURE = """
import sys
from pathlib import Path
from collec_migrations.postgres import embedded
address = embedded.ensure_running(Path(sys.argv[1]), say=lambda said: print("said:", said))
print(address.dsn)
"""


def ensure(folder: Path) -> tuple[Address, list[str]]:
    said: list[str] = []
    return embedded.ensure_running(folder, say=said.append), said


def ask(address: Address, question: str) -> object:
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        connection.commit()
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def cluster_of(folder: Path) -> Cluster:
    found = embedded.find(folder)
    assert found
    return found


def kill(folder: Path) -> int:
    running = postmaster.running(cluster_of(folder).data)
    assert running
    os.kill(running.pid, signal.SIGKILL)
    return running.pid


def modes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mode for path in (folder, *folder.parents)}


def test_the_first_use_makes_a_server_and_says_how_to_reach_it(folder: Path) -> None:
    address, said = ensure(folder)
    assert ask(address, "select current_user || current_database()") == "colleccollec"
    assert address.psql in said[-1]
    assert "server stop" in said[-1]
    assert (folder / ".collec" / ".gitignore").read_text() == "*\n"


def test_a_second_start_does_nothing(folder: Path) -> None:
    first, _ = ensure(folder)
    running = postmaster.running(cluster_of(folder).data)
    second, said = ensure(folder)
    assert (second, said) == (first, [])
    assert postmaster.running(cluster_of(folder).data) == running


def test_rows_survive_a_stop(folder: Path) -> None:
    address, _ = ensure(folder)
    ask(address, "create table kept as select 7 as n")
    assert embedded.stop(folder)
    assert not embedded.stop(folder)
    again, said = ensure(folder)
    assert ask(again, "select n from kept") == 7
    assert len(said) == 1


def test_rows_survive_a_kill(folder: Path) -> None:
    address, _ = ensure(folder)
    ask(address, "create table kept as select 7 as n")
    kill(folder)
    again, _ = ensure(folder)
    assert ask(again, "select n from kept") == 7


def test_a_process_with_the_id_of_a_killed_server_does_not_matter(folder: Path) -> None:
    ensure(folder)
    found = cluster_of(folder)
    killed = kill(folder)
    with subprocess.Popen(["/bin/sleep", "600"], cwd="/", **found.account.identity()) as stranger:
        for name in ("data/postmaster.pid", ".s.PGSQL.5432.lock"):
            path = found.home / name
            path.write_text(path.read_text().replace(f"{killed}\n", f"{stranger.pid}\n", 1))
        assert cluster.address(found) is None
        assert not embedded.stop(folder)
        address, _ = ensure(folder)
        assert ask(address, "select 1") == 1
        assert stranger.poll() is None
        stranger.kill()


def test_a_dropped_database_is_made_again(folder: Path) -> None:
    address, _ = ensure(folder)
    cluster.psql(
        binaries.embedded(), Address(host=address.host, dbname="postgres"), "drop database collec"
    )
    assert ask(ensure(folder)[0], "select 1") == 1


def test_two_starts_at_once_make_one_server(folder: Path) -> None:
    processes = [accounts.spawn(ENSURE, folder) for _ in range(3)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert sum("said: making" in out for out, _ in outputs) == 1
    assert len({out.splitlines()[-1] for out, _ in outputs}) == 1


def test_a_half_made_server_is_made_anew(folder: Path) -> None:
    with accounts.spawn(ENSURE, folder) as process:
        while not list((folder / ".collec").glob("server/data.partial-*/PG_VERSION")):
            assert process.poll() is None, "it was made before it could be killed"
        process.kill()
        process.communicate()
    assert not cluster_of(folder).data.exists()
    assert ask(ensure(folder)[0], "select 1") == 1
    assert not list(cluster_of(folder).home.glob("data.partial-*"))


@pytest.mark.parametrize(
    "name",
    [
        "a space",
        'l\'été "à" Montpellier',
        "$HOME `id` \\ % #",
        "a,b=c;d&e?f",
        "-D",
        "\u6a19\u672c\ttwo words",
        "x" * 200,
    ],
)
def test_any_name_of_a_folder_will_do(folder: Path, name: str) -> None:
    awkward = folder / name
    awkward.mkdir()
    address, _ = ensure(awkward)
    assert ask(address, "select 1") == 1
    assert embedded.stop(awkward)
    assert ask(ensure(awkward)[0], "select 1") == 1


def test_a_line_break_in_a_path_is_refused(folder: Path) -> None:
    broken = folder / "two\nlines"
    broken.mkdir()
    with pytest.raises(ServerFailed, match="line break"):
        ensure(broken)
    assert not list(broken.iterdir())


def test_a_folder_moved_while_its_server_runs_keeps_its_rows(folder: Path) -> None:
    before, after = folder / "before", folder / "after"
    before.mkdir()
    address, _ = ensure(before)
    ask(address, "create table kept as select 7 as n")
    before.rename(after)
    again, said = ensure(after)
    assert ask(again, "select n from kept") == 7
    assert "was moved" in said[0]


def test_data_of_another_major_are_refused(folder: Path) -> None:
    ensure(folder)
    embedded.stop(folder)
    (cluster_of(folder).data / "PG_VERSION").write_text("17\n")
    with pytest.raises(ServerFailed, match="was made by PostgreSQL 17") as caught:
        ensure(folder)
    assert "restore" in caught.value.hint


def test_a_server_that_does_not_start_says_why(folder: Path) -> None:
    ensure(folder)
    embedded.stop(folder)
    with (cluster_of(folder).data / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(ServerFailed, match="did not start") as caught:
        ensure(folder)
    assert "no_such_setting" in caught.value.hint
    assert "\n" not in f"{caught.value}{caught.value.hint}"


def test_a_missing_folder_is_one_clear_line(folder: Path) -> None:
    with pytest.raises(ServerFailed, match=r"no such file or directory: .*nowhere"):
        ensure(folder / "nowhere")


def test_the_address_is_one_for_every_client(folder: Path) -> None:
    address, _ = ensure(folder)
    engine = sqlalchemy.create_engine(address.url.replace("postgresql:", "postgresql+psycopg2:"))
    with engine.connect() as connection:
        assert connection.scalar(sqlalchemy.text("select current_user")) == "collec"
    engine.dispose()
    with closing(psycopg2.connect(address.url)) as connection:
        assert connection.info.host == address.host


def test_there_is_no_password_and_no_trust_and_no_network(folder: Path) -> None:
    address, _ = ensure(folder)
    assert ask(address, "select count(*) from pg_authid where rolpassword is not null") == 0
    assert (
        ask(address, "select string_agg(distinct auth_method, ' ') from pg_hba_file_rules")
        == "peer"
    )
    assert ask(address, "show listen_addresses") == ""
    hba = (cluster_of(folder).data / "pg_hba.conf").read_text().splitlines()
    assert not [line for line in hba if "trust" in line and not line.startswith("#")]


def test_only_what_is_needed_is_open(folder: Path) -> None:
    before = modes(folder)
    ensure(folder)
    assert modes(folder) == before
    mode = stat.S_IMODE((folder / ".collec").stat().st_mode)
    assert mode == (0o711 if accounts.AS_ROOT else 0o700)
    home = cluster_of(folder).home
    assert all(not path.lstat().st_mode & 0o077 for path in (home, *home.iterdir()))
