"""Compare what the application says with what its database is, line by line. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collec_migrations.application import Installation
from collec_migrations.install.application_settings import PASSWORD, Wanted

HERE = frozenset({"", "localhost", "127.0.0.1", "::1"})
"""The same machine; a socket's folder is it, too."""
DEFAULT_PORT = "5432"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting, on both sides."""

    setting: str
    application: str
    database: str
    same: bool


def rows(
    said: Installation, wanted: Wanted, *, recorded: Sequence[str], observed: str | None
) -> Iterator[Row]:
    """Yield each setting; `recorded` has the versions in `dbversion`, `observed` what is seen.

    The application asks only whether a row has the number that it expects.
    """
    host, port = said.connection.get("host", ""), said.connection.get("port", DEFAULT_PORT)
    yield Row(
        setting="host", application=host, database=wanted.host,
        same=is_same_host(host, wanted.host),
    )  # fmt: skip
    yield Row(setting="port", application=port, database=wanted.port, same=port == wanted.port)
    name = said.connection.get("dbname", "")
    yield Row(
        setting="database", application=name, database=wanted.database,
        same=name == wanted.database,
    )  # fmt: skip
    yield Row(
        setting="login", application=said.login, database=wanted.login,
        same=said.login == wanted.login,
    )  # fmt: skip
    yield Row(
        setting="password",
        application="placeholder" if said.password == PASSWORD
        else "given" if said.password else "",
        database="needed",
        same=bool(said.password) and said.password != PASSWORD,
    )  # fmt: skip
    yield _path(said, wanted)
    if said.gacl:
        yield Row(
            setting="rights schema", application=said.gacl, database=wanted.gacl,
            same=said.gacl == wanted.gacl,
        )  # fmt: skip
    if said.rights_login:
        yield Row(
            setting="rights login", application=said.rights_login, database=wanted.login,
            same=said.rights_login == wanted.login,
        )  # fmt: skip
    if said.rights_password and said.rights_login == said.login:
        same = said.rights_password == said.password
        yield Row(
            setting="rights password", application="given" if same else "another",
            database="the same", same=same,
        )  # fmt: skip
    if said.other_database:
        yield Row(
            setting="rights in", application="another database", database=wanted.database,
            same=False,
        )  # fmt: skip
    if said.expected:
        yield _version(said.expected, recorded, observed)


def _path(said: Installation, wanted: Wanted) -> Row:
    path = said.search_path
    return Row(
        setting="search path",
        application=",".join(path),
        database=",".join(wanted.search_path),
        same=is_path_good(path, wanted),
    )


def _version(expected: str, recorded: Sequence[str], observed: str | None) -> Row:
    there = recorded[-1] if recorded else (observed or "none")
    return Row(
        setting="version",
        application=expected,
        database=expected if expected in recorded else there,
        same=expected in recorded or (not recorded and expected == observed),
    )


def is_same_host(one: str, other: str) -> bool:
    """Tell whether two names are the same machine, as far as names tell."""
    return one == other or (_is_here(one) and _is_here(other))


def is_path_good(path: Sequence[str], wanted: Wanted) -> bool:
    """Tell whether a search path will do: the data schema first, the others in any order."""
    return tuple(path[:1]) == (wanted.col,) and {wanted.gacl, "public"} <= set(path)


def _is_here(host: str) -> bool:
    return host in HERE or host.startswith("/")
