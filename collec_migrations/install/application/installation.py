"""What an installation of the application says: where its database is and what it asks for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collec_migrations.errors import UsageError
from collec_migrations.install.application import dotenv, ini, php, text
from collec_migrations.install.application.settings import Form

_PART = re.compile(r"(?P<name>\w+)\s*=(?P<value>\s*'(?:[^'\\]|\\.)*'|[^;]*)")
_SYSTEM_SCHEMAS = frozenset({"public", "pg_catalog", "pg_temp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The settings of one installation; empty: the files do not say."""

    expected: str = ""
    """Version of the database that it asks for."""
    release: str = ""
    code: str = ""
    """Its code in the table of rights."""
    instance: str = ""
    """What the site calls it."""
    connection: Mapping[str, str] = field(default_factory=dict)
    """Parts of a connection string, without login and password."""
    login: str = ""
    password: str = field(default="", repr=False)
    search_path: tuple[str, ...] = ()
    """Schemas in order: those of the data first."""
    gacl: str = ""
    """Name of the rights schema."""
    rights_login: str = ""
    rights_password: str = field(default="", repr=False)
    """Up to 24.1 the rights are read by a connection of their own."""
    other_database: bool = False
    """The rights are in another database, which this tool does not serve."""
    files: tuple[str, ...] = ()
    """What was read."""
    form: Form = Form.PHP
    """Where a site writes its own settings."""

    @property
    def col(self) -> tuple[str, ...]:
        """The data schemas of the search path."""
        return tuple(
            name for name in self.search_path if name not in _SYSTEM_SCHEMAS and name != self.gacl
        )

    @property
    def parameters(self) -> Mapping[str, str]:
        """All parts of the connection, as libpq names them."""
        login = {"user": self.login} if self.login else {}
        secret = {"password": self.password} if self.password else {}
        return {**self.connection, **login, **secret}


def read(folder: Path, environment: Mapping[str, str]) -> Installation:
    """Return what the files in the application's folder say; raise `UsageError` when none does."""
    modern = text.read(folder / "app" / "Config" / "App.php")
    if modern is not None:
        return _modern(folder, modern, environment)
    return _older(folder)


def layered(folder: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the values of the PHP files, and of the ini file that wins over both; what was read.

    Raises `UsageError` when there is none of the PHP files.
    """
    names = ("param/param.default.inc.php", "param/param.inc.php")
    layers = [
        (name, content) for name in names if (content := text.read(folder / name)) is not None
    ]
    if not layers:
        raise UsageError(
            f"{folder} holds no files of the application",
            hint="Name its root: the folder that holds `param/` (up to 24.1) or `app/` (25.0 on).",
        )
    found = dict(php.assignments("\n?><?php\n".join(content for _, content in layers)))
    files = [name for name, _ in layers]
    place = found.get("paramIniFile", "./param.ini")
    third = next(
        ((path, content) for path in (folder / place, folder / "param" / place)
         if (content := text.read(path)) is not None),
        None,
    )  # fmt: skip
    if third:
        found |= ini.values(third[1])
        files.append(str(third[0].relative_to(folder) if third[0].is_relative_to(folder)
                         else third[0]))  # fmt: skip
    return found, tuple(files)


def _older(folder: Path) -> Installation:
    """Return the settings of the releases up to 24.1."""
    found, files = layered(folder)
    connection, rights = dsn(found.get("BDD_dsn", "")), dsn(found.get("GACL_dsn", ""))
    return Installation(
        expected=found.get("APPLI_dbversion", ""),
        release=found.get("APPLI_version", ""),
        code=found.get("GACL_aco", ""),
        instance=found.get("APPLI_code", ""),
        connection=connection,
        login=found.get("BDD_login", ""),
        password=found.get("BDD_passwd", ""),
        search_path=schemas(found.get("BDD_schema", "")),
        gacl=next((name for name in schemas(found.get("GACL_schema", ""))), ""),
        rights_login=found.get("GACL_dblogin", ""),
        rights_password=found.get("GACL_dbpasswd", ""),
        other_database=bool(rights) and rights != connection,
        files=files,
    )


def _modern(folder: Path, config: str, environment: Mapping[str, str]) -> Installation:
    """Return the settings of `app/Config/App.php` and `.env`."""
    constants = php.assignments(config)
    content = text.read(folder / ".env")
    found = dotenv.values(content, environment) if content is not None else {}
    named = {
        part: value
        for part, key in (("host", "hostname"), ("port", "port"), ("dbname", "database"))
        if (value := dotenv.get(found, environment, f"database.default.{key}"))
    }
    path = schemas(dotenv.get(found, environment, "database.default.searchpath"))
    rights = [name for name in path[1:] if name not in _SYSTEM_SCHEMAS]
    return Installation(
        expected=constants.get("dbversion", ""),
        release=constants.get("version", ""),
        code=dotenv.get(found, environment, "app.GACL_aco") or constants.get("GACL_aco", ""),
        instance=constants.get("APPLI_code", ""),
        connection=named,
        login=dotenv.get(found, environment, "database.default.username"),
        password=dotenv.get(found, environment, "database.default.password"),
        search_path=path,
        gacl="gacl" if "gacl" in rights else (rights[-1] if rights else ""),
        form=Form.DOTENV,
        files=("app/Config/App.php", *([".env"] if content is not None else [])),
    )


def dsn(value: str) -> dict[str, str]:
    """Return the parts of a PDO address: `pgsql:host=...;dbname=...`, and `pgsq:` by mistake."""
    return {
        found["name"]: content
        for found in _PART.finditer(value.partition(":")[2])
        if found["name"] in ("host", "port", "dbname", "sslmode")
        and (content := _unquoted(found["value"].strip()))
    }


def _unquoted(text: str) -> str:
    """Return a value of a connection string without its quotes."""
    if len(text) > 1 and text.startswith("'") and text.endswith("'"):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def schemas(value: str) -> tuple[str, ...]:
    """Return the names of a search path as PostgreSQL reads them: folded unless quoted."""
    found: list[str] = []
    rest = value
    while rest.strip():
        rest = rest.lstrip()
        if rest.startswith('"'):
            end = 1
            while (end := rest.find('"', end)) != -1 and rest[end : end + 2] == '""':
                end += 2
            end = len(rest) if end == -1 else end
            found.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :].partition(",")[2]
        else:
            name, _, rest = rest.partition(",")
            if name.strip():
                found.append(name.strip().lower())
    return tuple(found)
