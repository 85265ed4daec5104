"""A file that code run by the server as a superuser leaves behind."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Give a folder that the server's account can write."""
    made = Path(tempfile.mkdtemp(prefix="collec-called-", dir=servers.scratch()))
    made.chmod(0o777)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def called(folder: Path) -> Path:
    """Return the file that impostors write their names to."""
    file = folder / "called"
    file.unlink(missing_ok=True)
    return file
