"""Put settings into the application's files: a copy first, in one go, then read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from collec_migrations.application import editing, ini, installation, text, wanted
from collec_migrations.application.wanted import Form, Wanted
from collec_migrations.errors import MigrationError
from collec_migrations.replacing import atomic

OTHERS = 0o007


class NotWritten(MigrationError):
    """The application's files could not be changed; they are as they were."""


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

    Passwords stay as they are. A key that the ini file of several instances gives is changed
    there, since that file wins. Raises UsageError when the folder holds no application.
    """
    said = installation.read(folder, environment)
    form = said.form
    values = wanted.settings(want, form)
    if form is Form.DOTENV:
        model = folder / "app" / "Config" / "App.php"
        return _changed([_edit(folder / form, model, values, editing.in_dotenv)])
    model = folder / "param" / "param.default.inc.php"
    third = next((folder / name for name in said.files if not name.endswith(".php")), None)
    there = ini.values(text.read(third) or "") if third else {}
    found = [_edit(folder / form, model, _without(values, there), editing.in_php)]
    if third:
        its = {key: value for key, value in values.items() if key in there}
        found.append(_edit(third, third, its, editing.in_ini))
    return _changed(found)


def put(edit: Edit) -> Path | None:
    """Write one file; return where the copy of the old one is. Raises NotWritten."""
    path = edit.path.resolve()
    try:
        if edit.old is None:
            atomic.write_like(path, edit.new.encode(), edit.model)
            path.chmod(path.stat().st_mode & ~OTHERS)
            return None
        copy = _copy_of(path)
        atomic.write_like(copy, path.read_bytes(), like=path)
        atomic.write(path, edit.new.encode(_encoding(path)))
    except (OSError, UnicodeEncodeError) as error:
        why = (error.strerror or "").lower() if isinstance(error, OSError) else "it is in Latin-1"
        raise NotWritten(
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
    content = path.read_bytes()
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8"


def _edit(path: Path, model: Path, values: Mapping[str, str], change: editing.Change) -> Edit:
    old = text.read(path)
    return Edit(path=path, old=old, new=change(old or "", values), model=model)


def _without(values: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in values.items() if key not in others}


def _changed(found: list[Edit]) -> tuple[Edit, ...]:
    return tuple(one for one in found if one.new != one.old)
