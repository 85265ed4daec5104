"""A password is in no command line, no other program's environment, no file and no message."""

import json
import shlex
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest

from tests import chain
from tests.accounts import ROOT
from tests.servers import Server

MARK = "Zq7%'x\"pass word"
WRONG = "wR0ng-7Zq"
"""What is never let in, and is no more to be shown than the right one."""
NIGHTLY = "--into backups --at 02:30 --plan"
COMMANDS = (
    "detect --json",
    "verify --json",
    "history --json",
    "status --json",
    "upgrade --plan --json",
    "backup run --into backups --json",
    "upgrade --yes --no-backup",
    "archive list --json",
    "doctor --json",
    "app-config",
    "backup list --into backups --json",
    "backup verify last --into backups --json",
    "rehearse --from last --into backups --json",
    f"backup schedule {NIGHTLY}",
    "replica status --node a=URL --json",
    "--debug detect",
    "--debug upgrade --yes",
    "downgrade 26.1 --yes",
)
# Runs before the program: every program that is started is written down, with its environment.
AUDIT = """
import json, os, sys
def heard(event, told):
    if event in ("subprocess.Popen", "os.posix_spawn", "os.exec"):
        words, given = told[1], told[-1]
        given = dict(os.environ if given is None else given)
        line = json.dumps([[str(one) for one in words], {str(k): str(v) for k, v in given.items()}])
        with open(os.environ.get("AUDITED", AUDITED), "a") as file:
            file.write(line + chr(10))
AUDITED = os.environ["AUDITED"]
sys.addaudithook(heard)
"""


@pytest.fixture(scope="module")
def site(server18: Server) -> Iterator[str]:
    """Give the address of a database whose superuser has a password that stands out."""
    server18.create_role("marked", MARK)
    chain.execute(server18.address, "alter role marked superuser")
    with server18.database(chain.template_at(server18, "26.1")) as address:
        yield server18.tcp_url("marked", quote(MARK, safe=""), address.dbname)
    chain.execute(server18.address, "drop owned by marked cascade; drop role marked")


def shows(text: str) -> bool:
    """Tell a text that holds a password, as it is or as it stands in an address or in JSON."""
    forms = [MARK, quote(MARK), quote(MARK, safe=""), json.dumps(MARK)[1:-1], shlex.quote(MARK)]
    forms += [MARK.replace("'", "\\'"), MARK.replace("'", "''"), WRONG]
    return any(form in text for form in forms)


def ran(words: str, url: str, folder: Path) -> tuple[str, str]:
    """Run a command in a folder; return what it said, and the programs that it started."""
    hooks, audited = folder / "hooks", folder / "audited"
    hooks.mkdir(exist_ok=True)
    (hooks / "sitecustomize.py").write_text(AUDIT)
    told = {
        "COLLEC_DATABASE_URL": url,
        "PYTHONPATH": f"{hooks}:{ROOT}",
        "AUDITED": str(audited),
    }
    node = url.replace(f":{quote(MARK, safe='')}@", "@")
    done = chain.run(
        "collec-migrations", *words.replace("URL", node).split(), folder=folder,
        variables={**told, "PGPASSWORD": MARK} if "URL" in words else told,
    )  # fmt: skip
    started = audited.read_text() if audited.exists() else ""
    audited.unlink(missing_ok=True)
    return f"{done.returncode}\n{done.stdout}{done.stderr}", started


def test_no_command_shows_a_password(site: str, tmp_path: Path) -> None:
    for words in COMMANDS:
        said, started = ran(words, site, tmp_path)
        refused = words.startswith("backup schedule") and "must not stand in a unit" in said
        assert refused or not said.startswith("2\n"), f"{words}: {said}"
        assert not shows(said), words
        lines = started.splitlines()
        assert [json.loads(line)[0] for line in lines if shows(line)] == [], words
        if words.startswith("backup run"):
            assert "pg_dump" in started, said
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert not shows(path.read_bytes().decode(errors="replace")), path
    assert list(tmp_path.rglob("manifest.json"))


def test_the_history_holds_no_password(site: str, tmp_path: Path) -> None:
    ran("upgrade --yes --no-backup", site, tmp_path)
    rows = "select h::text from gacl.migration_history h union all select h::text from col.{} h"
    with closing(psycopg2.connect(site)) as connection, connection.cursor() as cursor:
        cursor.execute(rows.format("migration_history"))
        found = cursor.fetchall()
    assert found
    assert not any(shows(row) for (row,) in found)


@pytest.mark.parametrize(
    "words", ["detect", "--debug upgrade --yes", "backup run --into backups", "--debug doctor"]
)
def test_a_wrong_password_is_not_shown_either(site: str, tmp_path: Path, words: str) -> None:
    said, started = ran(words, site.replace(quote(MARK, safe=""), WRONG), tmp_path)
    assert not said.startswith("0\n")
    assert not shows(said + started)
    for path in tmp_path.rglob("*.log"):
        assert not shows(path.read_text())
