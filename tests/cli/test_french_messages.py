"""A server that speaks French: commands, statuses and hints are the same."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from collec_migrations.postgres import binaries, programs
from collec_migrations.postgres.throwaway import throwaway
from tests import chain, commands, servers
from tests.servers import Server

LOCALE = "fr_FR.UTF-8"
PASSWORD = "xyzzy-9-plugh"
PROGRAMS = next(
    (
        one
        for one in binaries.at_hand()
        if str(one.bin_dir).startswith(f"/usr/lib/postgresql/{servers.MIDDLE}/")
    ),
    None,
)
TEXTS = Path(f"/usr/share/locale/fr/LC_MESSAGES/postgres-{servers.MIDDLE}.mo")
pytestmark = pytest.mark.skipif(
    PROGRAMS is None or not TEXTS.is_file() or shutil.which("localedef") is None
    or not Path("/usr/share/i18n/locales/fr_FR").exists(),
    reason="no PostgreSQL with French messages, or no localedef to make the locale",
)  # fmt: skip


@pytest.fixture(scope="module")
def french() -> Iterator[Server]:
    """Return a French server that asks others than its superuser for a password."""
    folder = Path(tempfile.mkdtemp(dir=servers.scratch()))
    folder.chmod(0o755)
    try:
        subprocess.run(("localedef", "-i", "fr_FR", "-f", "UTF-8", folder / LOCALE), check=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(programs, "KEPT", (*programs.KEPT, "LOCPATH"))
            patch.setenv("LOCPATH", str(folder))
            assert PROGRAMS is not None
            settings = {**servers.SETTINGS, "lc_messages": LOCALE, "max_connections": "10"}
            with throwaway(
                PROGRAMS, folder=servers.scratch(), settings=settings, tcp=True,
                superuser=servers.SUPERUSER,
            ) as address:  # fmt: skip
                server = Server(address=replace(address, dbname="postgres"), binaries=PROGRAMS)
                server.create_role("lab", PASSWORD)
                server.create_database("crowded")
                server.create_database("lab")
                chain.execute(
                    server.address,
                    "alter database lab owner to lab; alter database crowded connection limit 0",
                )
                yield server
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def url(french: Server) -> str:
    """Return the address of an ordinary owner, who cannot choose the language of messages."""
    return f"postgresql://lab:{PASSWORD}@127.0.0.1:{french.address.port}/lab"


def test_the_server_speaks_french(url: str) -> None:
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor, pytest.raises(psycopg2.Error) as raised:
        cursor.execute("select * from nothing")
    connection.close()
    assert "n'existe pas" in str(raised.value)


def run(*words: str, url: str, status: int, **variables: str) -> str:
    """Run a command with a caller who speaks French, too; return all that it wrote."""
    done = commands.invoke(*words, COLLEC_DATABASE_URL=url, LANG=LOCALE, LC_ALL=LOCALE, **variables)
    shown = done.output + (repr(done.exception) if done.exit_code == 1 else "")
    assert "Traceback" not in shown
    assert done.exit_code == status, f"{words}: {shown}"
    return done.output


def test_a_life_of_a_database(url: str, french: Server, tmp_path: Path) -> None:
    """As an ordinary owner, whose sessions keep the server's language."""
    without = {"COLLEC_WITHOUT_POSTGIS": "yes", "COLLEC_BACKUP_DIR": str(tmp_path)}
    for words, status in (
        (("upgrade", "1.1", "--plan"), 0),
        (("upgrade", "1.1", "--yes"), 0),
        (("status",), 0),
        (("detect",), 0),
        (("verify",), 0),
        (("adopt", "--yes"), 0),
        (("history",), 0),
        (("backup", "run"), 0),
        (("backup", "verify", "last"), 0),
        (("rehearse", "--to", "1.2"), 0),
        (("upgrade", "--yes"), 0),
        (("downgrade", "1.1", "--yes"), 0),
        (("archive", "list"), 0),
        (("app-config",), 0),
        (("doctor",), 3),  # this server does not write to disk
        (("replica", "primary", "127.0.0.1", "--plan"), 3),  # it needs a superuser
        (("install", "--database", "other", "--plan"), 3),
    ):
        run(*words, url=url, status=status, **without)
    french.create_database("copy")
    chain.execute(french.address, "alter database copy owner to lab")
    to = url.removesuffix("lab") + "copy"
    run("backup", "restore", "last", "--yes", "--to", to, url=url, status=0, **without)
    missing = url.removesuffix("lab") + "missing"
    told = run("backup", "restore", "last", "--yes", "--to", missing, url=url, status=3, **without)
    assert "createdb" in told, "the hint has the command that makes it"


@pytest.mark.parametrize(
    ("role", "password", "database", "hint"),
    [
        ("lab", "wrong", "lab", "Check the password"),
        ("lab", PASSWORD, "missing", "Create it first"),
        ("lab", PASSWORD, "crowded", "All connections"),
        ("nobody", "x", "lab", "Check the password"),
    ],
)
def test_who_is_not_let_in_is_told_what_to_do(
    french: Server, role: str, password: str, database: str, hint: str
) -> None:
    url = f"postgresql://{role}:{password}@127.0.0.1:{french.address.port}/{database}"
    told = run("detect", url=url, status=3)
    assert f"hint: {hint}" in told, told
    assert password == "x" or password not in told
