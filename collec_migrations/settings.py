"""The settings of a run, and where each comes from. Pure.

What was typed wins, then the application's own files (`--app`), then the environment, then
alembic.ini, then the default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg2.extensions import make_dsn

from collec_migrations.errors import UsageError
from collec_migrations.names import Names
from collec_migrations.postgres import conninfo

if TYPE_CHECKING:  # only with --app
    from collec_migrations.application import Installation

LIBPQ_VARIABLES = (
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGDATABASE",
    "PGUSER",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGSERVICE",
    "PGSERVICEFILE",
)
"""Any of these says that libpq knows where to connect (PostgreSQL manual, 32.15)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that can be told: by `-x option=`, environment variable or ini key."""

    option: str
    variable: str
    default: str
    meaning: str

    @property
    def ini(self) -> str:
        """The key in alembic.ini."""
        return f"collec.{self.option}"


SETTINGS = (
    Setting(
        option="gacl",
        variable="COLLEC_GACL_SCHEMA",
        default="gacl",
        meaning="name of the rights schema",
    ),
    Setting(
        option="col",
        variable="COLLEC_COL_SCHEMA",
        default="col",
        meaning="name of the data schema, or several separated by commas",
    ),
    Setting(
        option="application_code",
        variable="COLLEC_APPLICATION_CODE",
        default="col",
        meaning="the application's code in the table of rights ($GACL_aco)",
    ),
    Setting(
        option="transaction",
        variable="COLLEC_TRANSACTION",
        default="per-run",
        meaning="per-run: all or nothing; per-version: commit after each version",
    ),
    Setting(
        option="lock_wait",
        variable="COLLEC_LOCK_WAIT",
        default="60",
        meaning="seconds to wait for another run to end",
    ),
    Setting(
        option="lock_timeout",
        variable="COLLEC_LOCK_TIMEOUT",
        default="5",
        meaning="seconds that a statement waits for a lock on a table",
    ),
    Setting(
        option="lock_retries",
        variable="COLLEC_LOCK_RETRIES",
        default="5",
        meaning="how often the run starts again when a lock was not obtained",
    ),
    Setting(
        option="without_postgis",
        variable="COLLEC_WITHOUT_POSTGIS",
        default="no",
        meaning="yes: the database is to live without PostGIS, and so without object.geom",
    ),
    Setting(
        option="not_valid",
        variable="COLLEC_NOT_VALID",
        default="no",
        meaning="yes: go on over rows that point at nothing; their new keys stay NOT VALID",
    ),
    Setting(
        option="drop_dependents",
        variable="COLLEC_DROP_DEPENDENTS",
        default="no",
        meaning="yes: a step may drop the site's own views, keys ... on what it removes;"
        " their definitions stay in the archive",
    ),
    Setting(
        option="instance_code",
        variable="COLLEC_INSTANCE_CODE",
        default="",
        meaning="code of the instance ($APPLI_code), kept in dbparam from 1.2 on",
    ),
    Setting(
        option="instance_title",
        variable="COLLEC_INSTANCE_TITLE",
        default="",
        meaning="title of the instance ($APPLI_titre), kept in dbparam from 2.1 on",
    ),
    Setting(
        option="destroy",
        variable="COLLEC_DESTROY",
        default="no",
        meaning="yes: `downgrade base` may archive and remove rows that users entered",
    ),
    Setting(
        option="backup",
        variable="COLLEC_BACKUP",
        default="yes",
        meaning="no: a wrapped step, which has no way back, may run without a backup",
    ),
)
APP = "COLLEC_APP"
"""Names the application's folder, as `--app` does."""
OPTIONS = ("url", "app", *(setting.option for setting in SETTINGS))
INI_KEYS = ("sqlalchemy.url", *(setting.ini for setting in SETTINGS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a run needs to know before it connects."""

    address: conninfo.Address | None
    """Where the database is; None: the embedded server of the current folder."""
    pairs: tuple[Names, ...] = (Names(),)
    """One pair for each data schema; all share the rights schema."""
    named: bool = False
    """Whether anything but the defaults names the schemas."""
    application: "Installation | None" = None
    """What the files of the application say, when its folder was named."""
    application_code: str = "col"
    per_version: bool = False
    lock_wait: float = 60.0
    lock_timeout: float = 5.0
    lock_retries: int = 5
    destroy: bool = False
    without_postgis: bool = False
    not_valid: bool = False
    """Whether new foreign keys may stay NOT VALID over rows that point at nothing."""
    drop_dependents: bool = False
    """Whether a step may drop what the site has of its own on what it removes."""
    instance: Mapping[str, str] = field(default_factory=dict)
    """What the application keeps in its settings until dbparam has it: `code`, `title`."""
    backup: bool = True
    """Whether a step without a way back needs a backup."""
    admin_password: str = field(default="", repr=False)
    """Password for the account `admin` of a new installation; empty: a random one."""


def resolve(
    *,
    options: Mapping[str, str],
    environment: Mapping[str, str],
    ini: Mapping[str, str],
    application: "Installation | None" = None,
    typed: str = "--url",
) -> Settings:
    """Return the settings of a run; raise `UsageError` for what cannot be used.

    `typed` is how the option `url` was spelled, for messages.
    """
    _refuse_unknown(options)
    said = _said_by(application)
    sources = {
        setting.option: _first(setting, options, said, environment, ini) for setting in SETTINGS
    }
    told = {option: value for option, (value, _) in sources.items()}
    return Settings(
        address=_address(options, application, environment, ini, typed),
        pairs=_pairs(gacl=told["gacl"], col=told["col"]),
        named=any(sources[option][1] for option in ("gacl", "col")),
        application=application,
        application_code=_filled("application_code", told["application_code"]),
        per_version=_one_of("transaction", told["transaction"], ("per-run", "per-version"))
        == "per-version",
        lock_wait=_number("lock_wait", told["lock_wait"]),
        lock_timeout=_number("lock_timeout", told["lock_timeout"]),
        lock_retries=int(_number("lock_retries", told["lock_retries"])),
        destroy=_one_of("destroy", told["destroy"], ("no", "yes")) == "yes",
        without_postgis=_one_of("without_postgis", told["without_postgis"], ("no", "yes")) == "yes",
        not_valid=_one_of("not_valid", told["not_valid"], ("no", "yes")) == "yes",
        drop_dependents=_one_of("drop_dependents", told["drop_dependents"], ("no", "yes")) == "yes",
        instance={
            name: value
            for name, value in (
                ("code", told["instance_code"]),
                ("title", told["instance_title"]),
            )
            if value
        },
        backup=_one_of("backup", told["backup"], ("no", "yes")) == "yes",
        admin_password=environment.get("COLLEC_ADMIN_PASSWORD", ""),
    )


def _said_by(application: "Installation | None") -> dict[str, str]:
    """Return what the application's files say of our settings."""
    if application is None:
        return {}
    col = '"' + application.col[0].replace('"', '""') + '"' if application.col else ""
    said = {"gacl": application.gacl, "col": col, "application_code": application.code}
    said |= {"instance_code": application.instance, "instance_title": application.title}
    return {option: value for option, value in said.items() if value}


def _refuse_unknown(options: Mapping[str, str]) -> None:
    for option in options:
        if option not in OPTIONS:
            raise UsageError(
                f"unknown option -x {option}", hint=f"Known options: {', '.join(OPTIONS)}."
            )


def _first(
    setting: Setting,
    options: Mapping[str, str],
    said: Mapping[str, str],
    environment: Mapping[str, str],
    ini: Mapping[str, str],
) -> tuple[str, bool]:
    """Return the value of a setting by the source that wins, and whether any source has it."""
    if setting.option in options:
        return options[setting.option], True
    if setting.option in said:
        return said[setting.option], True
    if setting.variable in environment:
        return environment[setting.variable], True
    return ini.get(setting.ini, setting.default), setting.ini in ini


def _address(
    options: Mapping[str, str],
    application: "Installation | None",
    environment: Mapping[str, str],
    ini: Mapping[str, str],
    typed: str,
) -> conninfo.Address | None:
    if "url" in options:
        return conninfo.parse(options["url"], source=typed)
    if application is not None and application.parameters:
        return _of_application(application)
    if environment.get("COLLEC_DATABASE_URL"):
        return conninfo.parse(environment["COLLEC_DATABASE_URL"], source="COLLEC_DATABASE_URL")
    if any(environment.get(variable) for variable in LIBPQ_VARIABLES):
        return conninfo.FROM_LIBPQ
    if ini.get("sqlalchemy.url"):
        return conninfo.parse(ini["sqlalchemy.url"], source="sqlalchemy.url of the ini file")
    if application is not None:
        raise UsageError(
            f"the application in {application.folder} does not say where its database is:"
            f" read {', '.join(application.files)}",
            hint="Give --url, or set COLLEC_DATABASE_URL; the settings may stand in the web"
            " server's own environment.",
        )
    return None


def _of_application(application: "Installation") -> conninfo.Address:
    """Return where the application connects; libpq's variables fill only what it leaves open.

    PGHOSTADDR would lead to another server than the host that is named: it is shut out.
    """
    shut = {"hostaddr": ""} if "host" in application.parameters else {}
    return conninfo.Address(str(make_dsn(**application.parameters, **shut)))


def _pairs(*, gacl: str, col: str) -> tuple[Names, ...]:
    pairs = tuple(Names.parse(gacl=gacl, col=name) for name in split_list(col))
    taken = [name for pair in pairs for name in (pair.col, pair.col_archive)]
    taken += [pairs[0].gacl, pairs[0].gacl_archive]
    for name in taken:
        if taken.count(name) > 1:
            raise UsageError(
                f"the schema name {name!r} is used twice",
                hint="Each data schema, the rights schema and their archives "
                "(NAME_archive) need names of their own.",
            )
    return pairs


def split_list(text: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list; one that holds a comma stands in quotes.

    A name that begins with a double quote is read as SQL reads it (`""` for a quote).
    """
    names: list[str] = []
    rest = text
    while True:
        name, rest, more = _next_name(rest)
        names.append(name)
        if not more:
            return tuple(names)


def quoted_list(pairs: tuple[Names, ...]) -> str:
    """Return the data schemas as a list that `split_list` reads, whatever they are called."""
    return ",".join(
        name
        if name == name.strip() and "," not in name and not name.startswith('"')
        else '"' + name.replace('"', '""') + '"'
        for name in (names.col for names in pairs)
    )


def _next_name(text: str) -> tuple[str, str, bool]:
    """Return the first name, what follows its comma, and whether there was a comma."""
    stripped = text.lstrip()
    if not stripped.startswith('"'):
        name, comma, rest = text.partition(",")
        return name.strip(), rest, bool(comma)
    body = stripped[1:]
    name = ""
    while True:
        part, quote, body = body.partition('"')
        name += part
        if not quote:
            raise UsageError(f"a quote is not closed in the list of schemas {text!r}")
        if not body.startswith('"'):
            break
        name += '"'
        body = body[1:]
    after, comma, rest = body.partition(",")
    if after.strip():
        raise UsageError(f"a comma is missing in the list of schemas {text!r}")
    return name, rest, bool(comma)


def _filled(option: str, text: str) -> str:
    if not text:
        raise UsageError(f"{option} is empty")
    return text


def _one_of(option: str, text: str, allowed: tuple[str, ...]) -> str:
    if text not in allowed:
        raise UsageError(f"{option} is {text!r}", hint=f"It can be {' or '.join(allowed)}.")
    return text


def _number(option: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1_000_000:
        raise UsageError(f"{option} is {text!r}", hint="It must be a number, zero or more.")
    return number
