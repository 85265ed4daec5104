"""The pytest plugin, used from a project of its own in a process of its own."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from collec_migrations.postgres import binaries
from tests import accounts, chain
from tests.servers import Server

SAMPLE = chain.ROOT / "tests" / "data" / "sample_project"
RUN = "import sys, pytest; sys.path.insert(0, sys.argv.pop(1)); sys.exit(pytest.main(sys.argv[1:]))"


@pytest.fixture
def project(folder: Path) -> Path:
    """Return a copy of the sample project, beside an installation of this package."""
    shutil.copytree(SAMPLE, folder / "project")
    site = folder / "site" / "collec_migrations-0.dist-info"
    site.mkdir(parents=True)
    entry_points = tomllib.loads((chain.ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "entry-points"
    ]["pytest11"]
    lines = [f"{name} = {module}\n" for name, module in entry_points.items()]
    (site / "entry_points.txt").write_text("[pytest11]\n" + "".join(lines))
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: collec-migrations\nVersion: 0\n")
    return folder / "project"


def run_tests(project: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a project; its plugins come by their entry points, as everywhere."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "COLLEC_", "PYTEST_")) or name == "COLLEC_SERVER_ACCOUNT"
    }
    paths = (str(project.parent / "site"), str(chain.ROOT))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
        cwd=project,
        env={**inherited, "PYTHONPATH": os.pathsep.join(paths), **variables},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def databases(server: Server) -> list[tuple[object, ...]]:
    query = "select datname from pg_database where datname like 'collec_test%'"
    return chain.query(server.address, query)


def test_a_project_with_two_workers(project: Path) -> None:
    done = run_tests(project, "-n", "2")
    assert done.returncode == 0, done.stdout
    assert "12 passed" in done.stdout


def test_every_major_by_one_option(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(binaries.VARIABLE)  # as `run_tests` does
    majors = {one.major for one in binaries.at_hand()}
    listed = run_tests(project, "--collect-only", "-k", "own_names", "--collec-majors", "all")
    assert listed.stdout.count("names[pg") == len(majors), listed.stdout
    oldest, *_, newest = sorted(majors)
    chosen = {"COLLEC_TEST_MAJORS": f"{newest},{oldest}"}
    done = run_tests(project, "-n0", "-vv", "-k", "own_names", **chosen)
    assert done.returncode == 0, done.stdout
    assert f"names[pg{oldest}] PASSED" in done.stdout
    assert f"names[pg{newest}] PASSED" in done.stdout


@accounts.needs_root
def test_an_ordinary_account_has_a_server_of_its_own(project: Path) -> None:
    who = accounts.somebody()
    words = ("-q", "-n0", "-p", "no:cacheprovider", f"--rootdir={project}", "-k", "own_names")
    with accounts.spawn(RUN, project.parent / "site", *words, project, who=who) as process:
        out, _ = process.communicate(timeout=120)
    assert "1 passed" in out, out


def test_a_server_that_is_there_is_left_as_it_was(project: Path, server18: Server) -> None:
    role, password = "plugin_tester", "se/c:r@t"
    server18.create_role(role, password)
    chain.execute(server18.address, f"alter role {role} createdb")
    url = server18.tcp_url(role, "se%2Fc%3Ar%40t", "postgres")
    done = run_tests(project, "-n2", "-k", "other_sees or sqlalchemy", COLLEC_TEST_SERVER=url)
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout
    assert password not in done.stdout + done.stderr
    assert databases(server18) == []


def test_the_server_of_pytest_postgresql(project: Path, server18: Server) -> None:
    address = server18.address
    where = (f"--postgresql-host={address.host}", f"--postgresql-port={address.port}")
    done = run_tests(
        project,
        *("-n0", "-k", "own_names", "--collec-server=postgresql_noproc", *where),
        *(f"--postgresql-user={address.user}", "--postgresql-dbname=sample"),
    )
    assert done.returncode == 0, done.stdout
    assert databases(server18) == []


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("--collec-majors=8",), 4, "no PostgreSQL 8 on this machine"),
        (("--collec-majors=many",), 4, "a list as 15,17,18"),
        (("--collec-majors=18", "--collec-server=host=/x"), 4, "does not go with collec_server"),
        (("--collec-server=host=/nowhere", "-k", "own_names"), 1, "Is the server running?"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    project: Path, words: tuple[str, ...], status: int, told: str
) -> None:
    done = run_tests(project, "-n0", *words)
    assert done.returncode == status
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_project_that_does_not_use_it_loads_pytest_alone() -> None:
    code = (
        "import pytest, sys; before = set(sys.modules);"
        "import collec_migrations.testing.plugin;"
        "print(sorted(m for m in set(sys.modules) - before))"
    )
    ours = [f"collec_migrations{tail}" for tail in ("", ".testing", ".testing.plugin")]
    assert accounts.run(code) == f"{ours}\n"
