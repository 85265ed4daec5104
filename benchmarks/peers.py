"""What a user would take instead: psql, dbmate, sqitch and yoyo, with the same scripts.

Each has a folder of its own with two changes: one that does nothing, which stands for the years
before and makes the tables in which the program keeps account, and the scripts to be measured.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from benchmarks.measuring import ROOT
from collec_migrations import versions as library
from collec_migrations.postgres import binaries
from collec_migrations.postgres.address import Address

INSTALLED = ROOT / ".bench"
"""Where `make bench-peers` puts them."""
PLACES = {
    "dbmate": INSTALLED / "node_modules" / ".bin",
    "yoyo": INSTALLED / "yoyo" / "bin",
}
NOTHING = "select 1;\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to run scripts on a database."""

    name: str
    prepare: Callable[[Address], object]
    """Make it know of the database, before the time is taken."""
    run: Callable[[Address], object]


def ways(folder: Path, scripts: Sequence[str]) -> Iterator[Way]:
    """Yield our ways and those of the others that are installed, for scripts of legacy_sql."""
    yield Way(name="alembic", prepare=_nothing, run=alembic)
    yield Way(name="collec-migrations", prepare=_nothing, run=tool)
    yield Way(name="psql -1 -f", prepare=_nothing, run=partial(psql, scripts=scripts))
    text = "\n".join(library.load(name).text for name in scripts)
    makers = {"dbmate": _dbmate, "sqitch": _sqitch, "yoyo": _yoyo}
    for name, maker in makers.items():
        found = program(name)
        if found:
            place = folder / name
            place.mkdir(parents=True, exist_ok=True)
            yield maker(found, place, text)


def versions() -> dict[str, str]:
    """Return the version of each other program that is installed, and those that are not."""
    found = {}
    for name in ("dbmate", "sqitch", "yoyo"):
        path = program(name)
        if path is None:
            found[name] = "not installed"
        elif name == "yoyo":
            python = Path(path).parent / "python"
            code = "from importlib.metadata import version; print(version('yoyo-migrations'))"
            found[name] = run([str(python), "-c", code]).strip()
        else:
            found[name] = run([path, "--version"]).split()[-1].lstrip("v")
    return found


def program(name: str) -> str | None:
    """Return the path of another program, None when it is not installed."""
    return shutil.which(name, path=f"{PLACES.get(name, '')}{os.pathsep}{os.environ['PATH']}")


def run(
    words: Sequence[str], folder: Path = ROOT, variables: Mapping[str, str] | None = None
) -> str:
    """Run a command, which must succeed; return what it wrote."""
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **(variables or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{shlex.join(words)} failed:\n{done.stdout}")
    return done.stdout


def alembic(address: Address, version: str = "head") -> None:
    """Upgrade by Alembic's own command, as a user does."""
    run([ours("alembic"), "-x", f"url={address.url}", "upgrade", version])


def tool(address: Address) -> None:
    """Upgrade by our command."""
    run([ours("collec-migrations"), "upgrade", "--yes", "--url", address.url], Path("/"))


def psql(address: Address, scripts: Sequence[str], *options: str) -> None:
    """Run scripts by psql, in one transaction."""
    files = [word for name in scripts for word in ("-f", str(library.scripts_folder() / name))]
    found = str(binaries.embedded().program("psql"))
    run([found, "-Xq", "-1", "-v", "ON_ERROR_STOP=1", *options, "-d", address.dsn, *files])


def ours(name: str) -> str:
    """Return the path of a program of this environment."""
    return str(Path(sys.executable).parent / name)


def _nothing(address: Address) -> None:
    """Do nothing: this way keeps no account of its own, or has it in the database already."""


def _dbmate(found: str, folder: Path, text: str) -> Way:
    earlier, both = folder / "earlier", folder / "both"
    for place in (earlier, both):
        place.mkdir()
        (place / "1_nothing.sql").write_text(f"-- migrate:up\n{NOTHING}\n-- migrate:down\n")
    (both / "2_change.sql").write_text(f"-- migrate:up\n{text}\n-- migrate:down\n")

    def up(address: Address, migrations: Path) -> None:
        url = (
            f"postgres://{address.user}@/{address.dbname}"
            f"?host={quote(address.host, safe='')}&port={address.port}&sslmode=disable"
        )
        run([found, "--url", url, "--no-dump-schema", "-d", str(migrations), "migrate"], folder)

    return Way(
        name="dbmate",
        prepare=partial(up, migrations=earlier),
        run=partial(up, migrations=both),
    )


def _yoyo(found: str, folder: Path, text: str) -> Way:
    earlier, both = folder / "earlier", folder / "both"
    for place in (earlier, both):
        place.mkdir()
        (place / "0001.nothing.sql").write_text(NOTHING)
    (both / "0002.change.sql").write_text(f"-- depends: 0001.nothing\n{text}")

    def apply(address: Address, migrations: Path) -> None:
        url = (
            f"postgresql://{address.user}@/{address.dbname}"
            f"?host={quote(address.host, safe='')}&port={address.port}"
        )
        run([found, "apply", "--batch", "--no-config-file", "-d", url, str(migrations)], folder)

    return Way(
        name="yoyo",
        prepare=partial(apply, migrations=earlier),
        run=partial(apply, migrations=both),
    )


def _sqitch(found: str, folder: Path, text: str) -> Way:
    client = str(binaries.embedded().program("psql"))
    who = {"SQITCH_EMAIL": "bench@localhost", "SQITCH_FULLNAME": "bench", "HOME": str(folder)}
    run([found, "init", "bench", "--engine", "pg"], folder, who)
    for name, content in (("nothing", NOTHING), ("change", text)):
        run([found, "add", name, "-n", name], folder, who)
        (folder / "deploy" / f"{name}.sql").write_text(f"begin;\n{content}\ncommit;\n")

    def deploy(address: Address, change: str) -> None:
        target = f"db:pg://{address.user}@/{address.dbname}"
        where = {"PGHOST": address.host, "PGPORT": str(address.port)}
        words = [found, "deploy", "--client", client, "--to-change", change, target]
        run(words, folder, {**who, **where})

    return Way(
        name="sqitch",
        prepare=partial(deploy, change="nothing"),
        run=partial(deploy, change="change"),
    )
