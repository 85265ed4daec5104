"""Where the scripts and revisions of this package are, and how a script is read."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from collec_migrations.errors import ScriptUnreadable

_PACKAGE = Path(__file__).parent
_SOURCE = _PACKAGE.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A script as it stands in its file, with the default schema names."""

    name: str
    path: Path
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, blind to line ends and to a byte-order mark."""
        return checksum(self.text)

    @property
    def shown(self) -> str:
        """The script's name for messages: its folder and file."""
        return f"{self.path.parent.name}/{self.name}"


def checksum(*texts: str) -> str:
    """Return the SHA-256 of scripts in this order, blind to line ends and byte-order marks."""
    return sha256("".join(_plain(text) for text in texts).encode()).hexdigest()


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def current_checksum(names: str) -> str | None:
    """Return the checksum of scripts as history stores it, `names` being separated by commas.

    None when one of them is not at hand: there is nothing to compare with.
    """
    try:
        return checksum(*(load(name).text for name in names.split(", ")))
    except ScriptUnreadable:
        return None


def scripts_folder() -> Path:
    """Return the folder of the SQL scripts: in the wheel, or beside the package's source."""
    return _first_folder(_PACKAGE / "legacy_sql", _SOURCE / "legacy_sql")


def versions_folder() -> Path:
    """Return the folder of the revisions: in the wheel, or beside the package's source."""
    return _first_folder(_PACKAGE / "environment" / "versions", _SOURCE / "versions")


def site_folder() -> Path:
    """Return the folder of a site's own versions, beside its alembic.ini; it may be missing."""
    return Path("collec-versions")


def load(name: str, *, folder: Path | None = None) -> Source:
    """Return the script of this name, built in or wrapped by the site.

    Raises `ScriptUnreadable` when it cannot be read.
    """
    path = (folder or _home(name)) / name
    try:
        return Source(name=name, path=path, text=path.read_text("utf-8-sig"))
    except OSError as error:
        raise ScriptUnreadable(
            f"cannot read the script {path}: {error.strerror}",
            hint="Is the package installed completely, and may this account read it?",
        ) from None
    except UnicodeDecodeError:
        raise ScriptUnreadable(f"the script {path} is not UTF-8") from None


def _home(name: str) -> Path:
    """Return the folder that has a script: a site's own, when the built-in one has not."""
    built_in = scripts_folder()
    is_wrapped = not (built_in / name).is_file() and (site_folder() / name).is_file()
    return site_folder() if is_wrapped else built_in


def _first_folder(*candidates: Path) -> Path:
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise ScriptUnreadable(
        f"the folder {candidates[0]} is missing", hint="Install the package again."
    )
