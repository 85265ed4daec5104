"""Root does not do what somebody else's folder says."""

import os
import subprocess
from pathlib import Path

import pytest

from collec_migrations import trust
from tests import chain
from tests.accounts import needs_root, somebody
from tests.servers import Server

TRAP = """
from pathlib import Path
Path({called!r}).touch()
revision = "99.0"
down_revision = "26.2"
def upgrade(): pass
def downgrade(): pass
"""
COMMANDS = ("history", "upgrade --plan", "upgrade --yes", "rehearse", "verify", "detect",
            "install --plan")  # fmt: skip

pytestmark = needs_root


def run(words: str, folder: Path, url: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, as root."""
    named = [] if words.startswith("install") else ["--url", url]
    return chain.run(
        "collec-migrations", *words.split(), *named, folder=folder, variables=variables
    )


@pytest.mark.parametrize(
    ("words", "how"),
    [
        *((words, "owner") for words in COMMANDS),
        *(("upgrade --yes", how) for how in ("everybody writes", "file", "link")),
    ],
)
def test_versions_of_somebody_else_are_not_executed(
    server18: Server, tmp_path: Path, words: str, how: str
) -> None:
    called, who = tmp_path / "called", somebody()
    folder = tmp_path / "collec-versions"
    place = folder if how != "link" else tmp_path / "real"
    place.mkdir()
    (place / "v99_0.py").write_text(TRAP.format(called=str(called)))
    match how:
        case "owner":
            os.chown(folder, who.uid, who.gid)
        case "everybody writes":
            folder.chmod(0o777)
        case "file":
            os.chown(folder / "v99_0.py", who.uid, who.gid)
        case "link":
            os.chown(place, who.uid, who.gid)
            folder.symlink_to(place)
    with server18.database(chain.template_at(server18, "1.1")) as address:
        done = run(words, tmp_path, address.url)
    assert not called.exists(), done.stderr
    assert "Traceback" not in done.stderr
    if words == "upgrade --yes":  # it runs revisions; `history` reads none any more
        assert done.returncode == 2
        assert "root does not do what others wrote" in done.stderr
        assert "COLLEC_TRUST" in done.stderr


def test_versions_of_an_account_that_is_trusted_are_executed(
    server18: Server, tmp_path: Path
) -> None:
    called, who = tmp_path / "called", somebody()
    folder = tmp_path / "collec-versions"
    folder.mkdir()
    (folder / "v99_0.py").write_text(TRAP.format(called=str(called)))
    os.chown(folder / "v99_0.py", who.uid, who.gid)
    with server18.database(chain.template_at(server18, "1.1")) as address:
        run("history", tmp_path, address.url, COLLEC_TRUST=who.name)
        run("upgrade --plan", tmp_path, address.url, COLLEC_TRUST=who.name)
    assert called.exists()


def test_an_ini_file_of_somebody_else_names_no_database(server18: Server, tmp_path: Path) -> None:
    ini = tmp_path / "alembic.ini"
    ini.write_text("[alembic]\nscript_location = collec_migrations:migrate/alembic\n")
    os.chown(ini, somebody().uid, somebody().gid)
    with server18.database(chain.template_at(server18, "1.1")) as address:
        refused = run("history", tmp_path, address.url)
        assert refused.returncode == 2
        assert "alembic.ini" in refused.stderr
        trusted = run("history", tmp_path, address.url, COLLEC_TRUST=str(somebody().uid))
        assert trusted.returncode == 0, trusted.stderr


def test_what_is_not_there_is_no_reason_to_refuse(tmp_path: Path) -> None:
    trust.check(tmp_path / "nothing")
    (tmp_path / "own").mkdir()
    trust.check(tmp_path / "own")
