"""Read a file of the application as text, whatever its encoding."""

from pathlib import Path

from collec_migrations.errors import UsageError
from collec_migrations.postgres import files


def read(path: Path) -> str | None:
    """Return the text of a file, None when there is none; UTF-8, else Latin-1.

    Raises `UsageError` when the file is there and cannot be read.
    """
    try:
        content = files.read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}",
            hint="Run as an account that may read the application's files, or give --url.",
        ) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
