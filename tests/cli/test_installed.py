"""The product as a user gets it: a wheel in an empty environment, and `make upgrade`."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from collec_migrations.postgres import embedded
from collec_migrations.postgres.address import Address
from tests import chain


def finish(*words: str | Path, folder: Path, **variables: str) -> str:
    """Run a command in a folder without our own environment; return what it wrote."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    pip["PIP_NO_COMPILE"] = "1"  # most of what is installed is never imported here
    done = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env={**kept, **pip, **variables},
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel built from this tree."""
    target = tmp_path_factory.mktemp("wheel")
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", target)
    finish(sys.executable, *build, chain.ROOT, folder=target)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of programs of an environment that holds the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python")
    finish(*pip, "install", "-q", wheel, folder=folder)
    return folder / "bin"


def test_the_wheel_upgrades_from_any_folder(
    installed: Path, tmp_path: Path, database: Address
) -> None:
    command = (installed / "collec-migrations", "upgrade", "--yes")
    # The tests' server has no PostGIS.
    told = {"COLLEC_DATABASE_URL": database.url, "COLLEC_WITHOUT_POSTGIS": "yes"}
    finish(*command, folder=tmp_path, **told)
    assert chain.query(database, "select version_num from col.alembic_version") == [(chain.HEAD,)]


def test_the_wheel_serves_alembic_by_three_lines_of_ini(
    installed: Path, tmp_path: Path, database: Address
) -> None:
    (tmp_path / "alembic.ini").write_text(
        "[alembic]\nscript_location = collec_migrations:migrate/alembic\n"
    )
    finish(
        installed / "alembic", "upgrade", "1.0.8", folder=tmp_path, COLLEC_DATABASE_URL=database.url
    )
    shown = finish(
        installed / "alembic", "current", folder=tmp_path, COLLEC_DATABASE_URL=database.url
    )
    assert "1.0.8" in shown


def test_make_upgrade_twice_on_a_fresh_folder(tmp_path: Path) -> None:
    names = finish("git", "ls-files", folder=chain.ROOT).splitlines()
    tree = tmp_path / "a tree"
    for name in names:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(chain.ROOT / name, tree / name)
    make = ("make", "upgrade", f"PYTHON={sys.executable}")
    try:
        first = finish(*make, folder=tree)
        assert "Running" in first
        assert "psql" in first
        second = finish(*make, folder=tree)
        assert "Running" not in second
        shown = finish(tree / ".venv/bin/alembic", "current", folder=tree)
        assert f"{chain.HEAD} (head)" in shown
    finally:
        if (tree / ".venv/bin/collec-migrations").exists():
            finish(tree / ".venv/bin/collec-migrations", "server", "stop", folder=tree)
            # As root the data may have had to go where the server's account can reach them.
            found = embedded.find(tree)
            shutil.rmtree(found.home if found else tree / ".collec")
