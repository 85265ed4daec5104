"""What the application's files on this machine say: where its database is, and what it asks for.

The files are parsed, never executed. Up to 24.1 they are PHP: `param/param.default.inc.php`, then
`param/param.inc.php`, then the ini file that `$paramIniFile` names; the last one wins. From 25.0
on they are `app/Config/App.php` and `.env`, as CodeIgniter reads them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from collec_migrations.errors import UsageError
from collec_migrations.postgres import files

USUAL = ("/var/www", "/var/www/html", "/srv/www")
"""Below these folders the guides of the application put it."""
SYSTEM_SCHEMAS = frozenset({"public", "pg_catalog", "pg_temp"})
LAYERS = ("param/param.default.inc.php", "param/param.inc.php")
MODERN = "app/Config/App.php"
FIRST_INI = "./param.ini"
"""What `$paramIniFile` is where no file says it."""


class Form(StrEnum):
    """The file in which a site writes its own settings."""

    PHP = "param/param.inc.php"
    DOTENV = ".env"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The settings of one installation; empty: the files do not say."""

    folder: Path = Path()
    expected: str = ""
    """Version of the database that it asks for."""
    release: str = ""
    code: str = ""
    """Its code in the table of rights."""
    instance: str = ""
    """What the site calls it: printed in every label's code."""
    title: str = ""
    """What stands above its pages."""
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

    @property
    def col(self) -> tuple[str, ...]:
        """The data schemas of the search path."""
        return tuple(
            name for name in self.search_path if name not in SYSTEM_SCHEMAS and name != self.gacl
        )

    @property
    def parameters(self) -> Mapping[str, str]:
        """All parts of the connection, as libpq names them; none: the files do not say."""
        login = {"user": self.login} if self.login else {}
        secret = {"password": self.password} if self.password else {}
        return {**self.connection, **login, **secret} if self.connection else {}


def read(folder: Path, environment: Mapping[str, str]) -> Installation:
    """Return what the files in the application's folder say; raise `UsageError` when none does.

    The folder may be that of one instance of several: then `bin` in it is the application.
    """
    for root in (folder, folder / "bin"):
        config = read_text(root / MODERN)
        if config is not None:
            return _modern(folder, root, config, environment)
        if any((root / name).exists() for name in LAYERS):
            return _older(folder, root)
    raise UsageError(
        f"{folder} holds no files of the application",
        hint="Name its root: the folder that holds `param/` (up to 24.1) or `app/` (25.0 on).",
    )


def installed(places: tuple[str, ...] = USUAL) -> tuple[Path, ...]:
    """Return the folders of applications in the usual places, each one once."""
    found: dict[Path, Path] = {}
    for place in map(Path, places):
        try:
            folders = sorted(one for one in place.iterdir() if one.is_dir())
        except OSError:
            continue
        for folder in folders:
            if any((folder / name).is_file() for name in (MODERN, *LAYERS)):
                found.setdefault(folder.resolve(), folder)
    return tuple(found.values())


def _older(folder: Path, root: Path) -> Installation:
    """Return the settings of the releases up to 24.1."""
    found, files = _layered(folder, root)
    connection, rights = dsn(found.get("BDD_dsn", "")), dsn(found.get("GACL_dsn", ""))
    return Installation(
        folder=folder,
        expected=found.get("APPLI_dbversion", ""),
        release=found.get("APPLI_version", ""),
        code=found.get("GACL_aco", ""),
        instance=found.get("APPLI_code", ""),
        title=found.get("APPLI_titre", ""),
        connection=connection,
        login=found.get("BDD_login", ""),
        password=found.get("BDD_passwd", ""),
        search_path=schemas(found.get("BDD_schema", "")),
        gacl=next(iter(schemas(found.get("GACL_schema", ""))), ""),
        rights_login=found.get("GACL_dblogin", ""),
        rights_password=found.get("GACL_dbpasswd", ""),
        other_database=bool(rights) and rights != connection,
        files=files,
    )


def _layered(folder: Path, root: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the values of the PHP files and of the ini file that wins, and what was read."""
    layers = {name: text for name in LAYERS if (text := read_text(root / name)) is not None}
    php = "\n?><?php\n".join(layers.values())
    found = dict(assignments(php))
    third = _third_layer(folder, root, found.get("paramIniFile", ""), php)
    if third is None:
        return found, tuple(layers)
    found |= ini_values(read_text(third) or "")
    shown = third.relative_to(folder) if third.is_relative_to(folder) else third
    return found, (*layers, str(shown))


_INI_FILE = re.compile(r"\$paramIniFile\s*=\s*(?P<expression>[^;\n]+);")
_TAIL = re.compile(r"""([\w.-]+(?:/[\w.-]+)*)["']?\s*$""")


def _third_layer(folder: Path, root: Path, place: str, php: str) -> Path | None:
    """Return the ini file of the application's own expression, None where it has none.

    A host of several instances says `"$chemin/param.ini"`, where `$chemin` is what stands before
    `/bin` in the folder of the web server: the instance's own folder, which holds the file and a
    link `bin` to the application. It cannot be told from the application's folder alone.
    """
    assigned = [match for name, match in _assigned(php) if name == "paramIniFile"]
    if not assigned or (assigned[-1] and "$" not in place):
        names = (root / (place or FIRST_INI), root / "param" / (place or FIRST_INI))
        return next((one for one in names if one.is_file()), None)
    written = _INI_FILE.findall(re.sub(r"(?m)^\s*(//|#).*$", "", php)) or ["another file"]
    expression = str(written[-1]).strip()
    tail = _TAIL.search(re.sub(r"\$\w+", "", expression))
    instance = folder.parent if folder.name == "bin" else folder
    found = instance / tail[1] if tail else None
    if found is None or not found.is_file():
        raise UsageError(
            f"{folder} is shared by several instances: it reads {expression}, and which file that "
            "is cannot be told",
            hint="Name the folder of the instance: the one that holds param.ini and `bin`.",
        )
    return found


def _modern(folder: Path, root: Path, config: str, environment: Mapping[str, str]) -> Installation:
    """Return the settings of `app/Config/App.php` and `.env`."""
    constants = assignments(config)
    env = next((one for one in _dotenv_places(folder, root) if one.is_file()), None)
    content = read_text(env) if env else None
    found = dotenv_values(content, environment) if content is not None else {}

    def value(key: str) -> str:
        return dotenv_get(found, environment, f"database.default.{key}")

    parts = {"host": "hostname", "port": "port", "dbname": "database"}
    path = schemas(value("searchpath"))
    rights = [name for name in path[1:] if name not in SYSTEM_SCHEMAS]
    shown = env.relative_to(folder) if env and env.is_relative_to(folder) else env
    return Installation(
        folder=folder,
        expected=constants.get("dbversion", ""),
        release=constants.get("version", ""),
        code=dotenv_get(found, environment, "app.GACL_aco") or constants.get("GACL_aco", ""),
        instance=constants.get("APPLI_code", ""),
        connection={part: said for part, key in parts.items() if (said := value(key))},
        login=value("username"),
        password=value("password"),
        search_path=path,
        gacl="gacl" if "gacl" in rights else (rights[-1] if rights else ""),
        form=Form.DOTENV,
        files=(MODERN, *([str(shown)] if shown else [])),
    )


_ENV_FOLDER = re.compile(r"""\$envDirectory\s*=\s*(__DIR__\s*\.\s*)?["']([^"']+)["']\s*;""")


def _dotenv_places(folder: Path, root: Path) -> Iterator[Path]:
    """Yield where CodeIgniter looks for `.env`: where its paths say, else at the root."""
    named = _ENV_FOLDER.search(read_text(root / "app/Config/Paths.php") or "")
    if named:
        base = root / "app/Config" if named[1] else root
        yield base / (named[2].lstrip("/") if named[1] else named[2]) / ".env"
    yield folder / ".env"
    yield root / ".env"


def read_text(path: Path) -> str | None:
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


# Connection strings and search paths


_PART = re.compile(r"(?P<name>\w+)\s*=(?P<value>\s*'(?:[^'\\]|\\.)*'|[^;]*)")


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


# PHP: constants in quotes, comments left out. What is not `$NAME = constant;` is passed over, so a
# file with errors still gives what stands before and behind them.


_TOKEN = re.compile(
    r"(?P<comment>//[^\n]*?(?=\?>|\n|$)|\#(?!\[)[^\n]*?(?=\?>|\n|$)|/\*.*?(?:\*/|\Z))"
    r"|(?P<single>'(?:[^'\\]|\\.)*')"
    r'|(?P<double>"(?:[^"\\]|\\.)*")'
    r"|(?P<variable>\$[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)"
    r"|(?P<number>\d+(?:\.\d+)*)"
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<space>\s+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_DOUBLE = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}
_INSERTED = re.compile(r"(?<!\\)\{?\$\{?(\w+)\}?\}?")


def assignments(text: str) -> Mapping[str, str]:
    """Return the last constant that each variable or property is given, by name without `$`.

    `public string $dbversion = "25.0";` is read too. In double quotes, `$NAME` stands for the
    value that an earlier line gave it.
    """
    found: dict[str, str] = {}
    for name, match in _assigned(text):
        value = _constant(match.lastgroup or "", match[0], found) if match else None
        if value is not None:
            found[name] = value
    return found


def _assigned(text: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """Yield each name with the one token that it is given; None: it is given more than one."""
    tokens = [
        match for match in _TOKEN.finditer(text) if match.lastgroup not in ("comment", "space")
    ]
    for place, match in enumerate(tokens):
        following = tokens[place + 1 : place + 4]
        if match.lastgroup != "variable" or len(following) < 2 or following[0][0] != "=":
            continue
        alone = len(following) < 3 or following[2][0] in (";", "?")
        yield match[0][1:], following[1] if alone else None


def _constant(kind: str, text: str, known: Mapping[str, str]) -> str | None:
    """Return the value of a constant, None when it is none."""
    if kind == "single":
        return re.sub(r"\\([\\'])", r"\1", text[1:-1])
    if kind == "double":
        inserted = _INSERTED.sub(lambda match: known.get(match[1], match[0]), text[1:-1])
        return _ESCAPE.sub(lambda match: _DOUBLE.get(match[1], match[0]), inserted)
    if kind == "variable":
        return known.get(text[1:])
    return text if kind == "number" else None


# `.env` and the ini file of an instance


_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][\w.]*)\s*=\s*(?P<value>.*)")
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
_QUOTED = re.compile(r"""(?P<quote>["'])(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P=quote)""")


def dotenv_values(text: str, environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the last value of each key, with `.` for `_` where a key is asked with it.

    A variable of the process environment wins over the file.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = None if line.lstrip().startswith("#") else _LINE.match(line)
        if match:
            known = {**found, **environment}
            found[match["name"]] = _dotenv_value(match["value"].strip(), known)
    return found


def dotenv_get(found: Mapping[str, str], environment: Mapping[str, str], key: str) -> str:
    """Return the value of a key, written with dots or underscores; empty when it has none."""
    for source in (environment, found):
        for name in (key, key.replace(".", "_")):
            if name in source:
                return source[name]
    return ""


def _dotenv_value(text: str, known: Mapping[str, str]) -> str:
    quoted = _QUOTED.match(text)
    if quoted:
        plain = re.sub(r"\\(.)", r"\1", quoted["text"])
    else:
        plain = re.split(r"\s#", text, maxsplit=1)[0].strip()
        plain = "" if plain.startswith("#") else plain
    if quoted and quoted["quote"] == "'":
        return plain
    return _REFERENCE.sub(lambda match: known.get(match[1], match[0]), plain)


def ini_values(text: str) -> Mapping[str, str]:
    """Return the last value of each name; sections are passed over."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, separator, rest = line.strip().partition("=")
        if not separator or name.startswith((";", "#", "[")):
            continue
        found[name.strip().removeprefix("$")] = _ini_value(rest.strip())
    return found


def _ini_value(text: str) -> str:
    for quote in ('"', "'"):
        if text.startswith(quote) and quote in text[1:]:
            return text[1:].partition(quote)[0]
    return text.partition(";")[0].strip()
