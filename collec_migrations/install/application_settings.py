"""The application's own settings for a database: the lines for its files. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collec_migrations.application import Form, Installation

PASSWORD = "PASSWORD"
"""Stands where the site writes its own: this tool never shows one."""
FIRST_DOTENV = "25.0"
FIRST_RIGHTS_PUBLIC = "2.4"
"""From here on $GACL_schema is a search path, with public (facts of the application's releases)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Where a database is, as the application reaches it."""

    host: str
    port: str
    database: str
    login: str
    col: str
    gacl: str
    rights_see_public: bool = False
    """Whether the release wants `public` behind the rights schema."""
    sslmode: str = ""
    """What the site asks for; this tool has no opinion."""

    @property
    def search_path(self) -> tuple[str, ...]:
        """The data schema first, as the application wants it."""
        return tuple(dict.fromkeys((self.col, self.gacl, "public")))

    @property
    def dsn(self) -> str:
        """The address as PHP's PDO has it."""
        parts = (("host", self.host), ("port", self.port), ("dbname", self.database))
        ssl = (("sslmode", self.sslmode),) if self.sslmode else ()
        return "pgsql:" + ";".join(f"{name}={_libpq(value)}" for name, value in (*parts, *ssl))


def settings(wanted: Wanted, form: Form) -> Mapping[str, str]:
    """Return each key of a file with its value; no password is among them."""
    path = ",".join(map(_name, wanted.search_path))
    if form is Form.DOTENV:
        return {
            "database.default.hostname": wanted.host,
            "database.default.port": wanted.port,
            "database.default.database": wanted.database,
            "database.default.username": wanted.login,
            "database.default.searchpath": path,
        }
    rights = _name(wanted.gacl) + (",public" if wanted.rights_see_public else "")
    return {
        "BDD_login": wanted.login,
        "BDD_dsn": wanted.dsn,
        "BDD_schema": path,
        "GACL_dblogin": wanted.login,
        "GACL_dsn": wanted.dsn,
        "GACL_schema": rights,
    }


def passwords(form: Form) -> tuple[str, ...]:
    """Return the keys that hold a password."""
    return (
        ("database.default.password",) if form is Form.DOTENV else ("BDD_passwd", "GACL_dbpasswd")
    )


def snippet(wanted: Wanted, form: Form) -> str:
    """Return lines that are ready but for the password."""
    secret = dict.fromkeys(passwords(form), PASSWORD)
    values = {**settings(wanted, form), **secret}
    return "".join(f"{line(key, value, form)}\n" for key, value in values.items())


def line(key: str, value: str, form: Form) -> str:
    """Return the line that gives a key its value."""
    if form is Form.DOTENV:
        return f"{key} = {dotenv_value(value)}"
    return f"${key} = {php_value(value)};"


def php_value(value: str) -> str:
    """Return a value as a constant of PHP."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def dotenv_value(value: str) -> str:
    """Return a value as CodeIgniter reads it: in quotes unless it is plain."""
    if re.fullmatch(r"[\w./:,@+-]+", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    # CodeIgniter takes the outer quotes off a value that then begins and ends with a quote of its
    # own (DotEnv::sanitizeValue), so a name in quotes needs a blank before it.
    blank = " " if value.startswith('"') else ""
    return f"'{blank}{escaped}'"


def _name(name: str) -> str:
    """Return a schema's name as it stands in a search path."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_$]*", name)
    return name if plain else '"' + name.replace('"', '""') + '"'


def _libpq(value: str) -> str:
    """Return a value of a connection string (PostgreSQL manual, 32.1.1.1)."""
    if re.fullmatch(r"[^\s'\\;]+", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def moved(host: str, port: int, installation: Installation | None = None) -> tuple[str, ...]:
    """Return the lines to edit when the database is on another server; both forms if not known."""
    modern = (
        ".env:",
        f"  database.default.hostname = {host}",
        f"  database.default.port = {port}",
    )
    known = dict(installation.connection) if installation else {"dbname": "collec"}
    known |= {"host": host, "port": str(port)}
    order = ("host", "port", "dbname", "sslmode")
    dsn = "pgsql:" + ";".join(f"{name}={known[name]}" for name in order if name in known)
    older = ("param/param.inc.php:", f'  $BDD_dsn = "{dsn}";', f'  $GACL_dsn = "{dsn}";')
    if installation is None:
        return ("up to 24.1, " + older[0], *older[1:], "from 25.0 on, " + modern[0], *modern[1:])
    if installation.form is Form.DOTENV:
        return modern
    overriding = [file for file in installation.files if file.endswith(".ini")]
    return (
        *older,
        *(f"  (and BDD_dsn, GACL_dsn in {file}, if it has them)" for file in overriding),
    )
