"""Put settings into the application's files: a copy first, in one go, then read again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from collec_migrations.errors import SettingsNotWritten
from collec_migrations.install.application import (
    comparison,
    dotenv,
    ini,
    installation,
    settings,
    text,
)
from collec_migrations.install.application import (
    edit as editing,
)
from collec_migrations.install.application.installation import Installation
from collec_migrations.install.application.settings import Form, Wanted
from collec_migrations.postgres import atomic_files, files

OTHERS = 0o007


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A file with what it is to hold."""

    path: Path
    old: str | None
    """None: there is no such file yet."""
    new: str
    model: Path
    """Gives a new file its owner."""


def edits(folder: Path, want: Wanted, environment: Mapping[str, str]) -> tuple[Edit, ...]:
    """Return the files that have to change so that the application finds its database.

    What says the same in another way stays, and so do passwords. A key that the ini file of
    several instances gives is changed there, since that file wins. Raises UsageError when the
    folder holds no application.
    """
    said = installation.read(folder, environment)
    host = said.connection.get("host", "")
    want = replace(want, sslmode=said.connection.get("sslmode", ""))
    if host and comparison.is_same_host(host, want.host):
        want = replace(want, host=host)
    if said.form is Form.DOTENV:
        return _dotenv(folder, said, want)
    return _php(folder, said, want)


def _dotenv(folder: Path, said: Installation, want: Wanted) -> tuple[Edit, ...]:
    path, model = folder / Form.DOTENV, folder / "app" / "Config" / "App.php"
    there = dotenv.values(text.read(path) or "", {})
    values = {
        key: value
        for key, value in settings.settings(want, Form.DOTENV).items()
        if dotenv.get(there, {}, key) != value
        and not (key.endswith("searchpath") and comparison.is_path_good(said.search_path, want))
    }
    return _changed([_edit(path, model, values, editing.in_dotenv)])


def _php(folder: Path, said: Installation, want: Wanted) -> tuple[Edit, ...]:
    effective, files = installation.layered(folder)
    values = {
        key: value
        for key, value in settings.settings(want, Form.PHP).items()
        if not _says(key, effective.get(key, ""), value)
        and not (key == "BDD_schema" and comparison.is_path_good(said.search_path, want))
    }
    third = next((folder / name for name in files if not name.endswith(".php")), None)
    there = ini.values(text.read(third) or "") if third else {}
    own = {key: value for key, value in values.items() if key not in there}
    model = folder / "param" / "param.default.inc.php"
    found = [_edit(folder / Form.PHP, model, own, editing.in_php)]
    if third:
        its = {key: value for key, value in values.items() if key in there}
        found.append(_edit(third, third, its, editing.in_ini))
    return _changed(found)


def _says(key: str, old: str, new: str) -> bool:
    """Tell whether a value says the same already, written in another way."""
    if key.endswith("_dsn"):
        there = {"port": comparison.DEFAULT_PORT, **installation.dsn(old)}
        return old.startswith("pgsql:") and there == installation.dsn(new)
    if key == "GACL_schema":
        return installation.schemas(old)[:1] == installation.schemas(new)[:1]
    return old == new


def put(edit: Edit) -> Path | None:
    """Write one file; return where the copy of the old one is. Raises NotWritten."""
    path = edit.path.resolve()
    try:
        if edit.old is None:
            atomic_files.write_like(path, edit.new.encode(), edit.model)
            files.remove_permissions(path, OTHERS)
            return None
        copy = _copy_of(path)
        atomic_files.write_like(copy, files.read(path), like=path)
        atomic_files.write(path, edit.new.encode(_encoding(path)))
    except (OSError, UnicodeEncodeError) as error:
        why = (error.strerror or "").lower() if isinstance(error, OSError) else "it is in Latin-1"
        raise SettingsNotWritten(
            f"{path} cannot be written: {why}",
            hint="Run it as root, or as the owner of the application's files.",
        ) from error
    return copy


def _copy_of(path: Path) -> Path:
    """Return a name for a copy that keeps its ending: a web server shows what is not `.php`."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    if path.name.startswith("."):
        return path.with_name(f"{path.name}.before-{now}")
    return path.with_name(f"{path.stem}.before-{now}{path.suffix}")


def _encoding(path: Path) -> str:
    """Return how a file is encoded, as `text.read` takes it."""
    content = files.read(path)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8"


def _edit(path: Path, model: Path, values: Mapping[str, str], change: editing.Change) -> Edit:
    old = text.read(path)
    return Edit(path=path, old=old, new=change(old or "", values), model=model)


def _changed(found: list[Edit]) -> tuple[Edit, ...]:
    return tuple(one for one in found if one.new != (one.old or ""))
