"""Every command that the manual shows is run, in a fresh site, and does what the page says."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collec_migrations.postgres import binaries
from collec_migrations.postgres.address import Address
from tests import accounts, clusters
from tests.database.test_replica_debian import ETC, MAJOR, remove
from tests.docs import pages, running, sites
from tests.servers import Server

QUICK = ("README.md", "docs/adopting.md", "docs/backups.md", "docs/upgrading.md")
"""The pages that are run on a cluster of Debian each time, the others by `make soak`."""
BIN = Path(f"/usr/lib/postgresql/{MAJOR}/bin")

WITH_COMMANDS = [page for page in pages.every() if page.commands]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_the_commands_of_a_page_do_what_it_says(
    page: pages.Page, server18: Server, folder: Path
) -> None:
    with sites.prepared(page.state, server18, folder) as site:
        faults = running.run(page, site)
    assert not faults, "\n\n".join(faults)


@pytest.fixture(scope="module")
def of_debian() -> Iterator[Server]:
    """Give a cluster as Debian makes it, at another port than 5432, reached by its socket."""
    name, port = f"collec{os.getpid()}m", clusters.free_port()
    try:
        made = ["pg_createcluster", MAJOR, name, "-p", str(port), "--", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True)
        # Who reads the pages is root here, and is let in as the account that they name.
        (ETC / name / "pg_hba.conf").write_text("local all all trust\n")
        with (ETC / name / "postgresql.conf").open("a") as file:
            file.write("fsync = off\n")
        subprocess.run(["pg_ctlcluster", MAJOR, name, "start"], check=True)
        address = Address(host="/var/run/postgresql", port=port, user="postgres", dbname="postgres")
        yield Server(address=address, binaries=binaries.in_folder(BIN))
    finally:
        remove(name)


@accounts.needs_root
@pytest.mark.skipif(not shutil.which("pg_createcluster"), reason="Debian's own programs")
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=() if page.name in QUICK else pytest.mark.soak, id=page.name)
        for page in WITH_COMMANDS
        if page.state != sites.BARE
    ],
)
def test_they_do_on_a_cluster_of_debian(page: pages.Page, of_debian: Server, folder: Path) -> None:
    with sites.prepared(page.state, of_debian, folder) as site:
        faults = running.run(page, site)
    assert not faults, "\n\n".join(faults)


LINES = [
    pytest.param(["a", "..."], ["a", "b", "c"], True, id="any lines"),
    pytest.param(["..."], [], True, id="no line"),
    pytest.param(["in ... s"], ["in 0.1 s"], True, id="any text"),
    pytest.param(["a"], ["a", "b"], False, id="a line too many"),
    pytest.param(["a", "b"], ["a"], False, id="a line too few"),
    pytest.param(["in ... s"], ["in 0.1 ms!"], False, id="another text"),
    pytest.param(["a.c"], ["abc"], False, id="a dot is a dot"),
]


@pytest.mark.parametrize(("shown", "written", "expected"), LINES)
def test_what_is_written_is_compared(shown: list[str], written: list[str], expected: bool) -> None:
    assert running.matches(shown, written) is expected


def test_a_page_that_is_wrong_is_found(server18: Server, folder: Path) -> None:
    path = pages.ROOT / "docs" / "wrong.md"
    text = "$ echo yes\nno\n$ false\n$ false\n$ echo $?\n1\n$ export A=b\n$ echo $A\nb\n"
    block = pages.Block(language="console", text=text, line=1, not_run="")
    page = pages.Page(path=path, state="", run_by="", blocks=(block,), links=())
    with sites.prepared("", server18, folder) as site:
        faults = running.run(page, site)
    assert [one.splitlines()[0] for one in faults] == [
        "docs/wrong.md:2: $ echo yes",
        "docs/wrong.md:4: $ false",
    ]
