"""Extensions that scripts need: told beforehand, made where they can be, found by name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from collec_migrations import versions
from collec_migrations.errors import ExtensionMissing, Problem
from collec_migrations.postgres import quoting
from collec_migrations.postgres.privileges import Extensions
from collec_migrations.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """An extension that a script makes or uses, and where first."""

    name: str
    place: str
    """The file, with the line where it is known."""

    def is_core(self, server_version: int) -> bool:
        """Whether the use needs no extension: `gen_random_uuid()` is PostgreSQL's own from 13."""
        return self.name == "pgcrypto" and server_version >= 130000

    def is_met(self, found: Extensions) -> bool:
        """Whether nothing has to be made for it."""
        return self.name in found.installed or self.is_core(found.version)


def needed(at: str | None, reached: Iterable[str], settings: Settings) -> tuple[Use, ...]:
    """Return the extensions that the built-in versions on the way need, and `at` does not.

    What a database at a version lives without (PostGIS), no later step needs.
    """
    found: dict[str, Use] = {}
    before = _definitions(at) if at in versions.VERSIONS else ""
    for version in reached:
        if version not in versions.VERSIONS:
            continue
        text = _definitions(version)
        for word, name in (("_trgm_ops", "pg_trgm"), ("gen_random_uuid", "pgcrypto"),
                           ("geography(", "postgis")):  # fmt: skip
            if (
                word in text
                and word not in before
                and not (name == "postgis" and settings.without_postgis)
            ):
                found.setdefault(name, Use(name=name, place=f"version {version}"))
    return tuple(found.values())


def _definitions(version: str) -> str:
    return " ".join(fact.definition for fact in versions.upgraded(version).facts)


def creation(name: str) -> str:
    """Return the statement that makes an extension where every role finds it."""
    return f"create extension if not exists {name} schema public;"


def lacking(uses: Iterable[Use], found: Extensions) -> tuple[Problem, ...]:
    """Return what is not there and cannot be made by this role, in their order."""
    lacks = {use.name: use for use in reversed(tuple(uses))
             if not use.is_met(found) and not found.available.get(use.name)}  # fmt: skip
    return tuple(
        Problem(
            message=f"extension {use.name!r} is needed at {use.place} and "
            + ("this role may not make it" if use.name in found.available
               else "the server does not have it"),
            hint=_advice(use.name, found),
        )
        for use in reversed(lacks.values())
    )  # fmt: skip


def refuse(uses: Iterable[Use], found: Extensions) -> None:
    """Raise `ExtensionMissing` for what is lacking."""
    lacks = lacking(uses, found)
    if lacks:
        raise ExtensionMissing(
            "; ".join(lack.message for lack in lacks) + "; nothing was applied",
            hint=" ".join(dict.fromkeys(lack.hint for lack in lacks)),
        )


def _advice(name: str, found: Extensions) -> str:
    """Return the packages in which Debian and the PGDG's RPMs have it, or what to type."""
    major = found.version // 10000
    if name in found.available:
        advice = f"Let a superuser run: create extension {name}; in this database."
    else:
        package = f"postgresql-{major} on Debian and Ubuntu, postgresql{major}-contrib as RPM"
        if name.startswith("postgis"):
            package = f"postgresql-{major}-postgis-3 on Debian and Ubuntu, postgis*_{major} as RPM"
        advice = f"Install the package that has it on the server first: {package}."
    if name == "postgis":
        advice += " Or live without it and without object.geom: --without-postgis"
        advice += " (alembic: -x without_postgis=yes)."
    return advice


EXTENSIONS = ("pg_trgm", "pgcrypto", "postgis")
"""Extensions whose types, functions and operator classes our scripts name without a schema."""

_USES = re.compile(r"_trgm_ops|\bgeography\b|\bst_\w+\(|gen_random_uuid", re.IGNORECASE)
_HOMES = (
    "select string_agg(distinct ', ' || quote_ident(n.nspname), '') from pg_catalog.pg_extension x"
    " join pg_catalog.pg_namespace n on n.oid = x.extnamespace"
    f" where x.extname in ({', '.join(map(quoting.literal, EXTENSIONS))})"
)


def uses_extensions(text: str) -> bool:
    """Say whether a script names something of an extension; no other gets their schemas."""
    return bool(_USES.search(text))


def reach_extensions() -> str:
    """Return the statement that adds the schemas of extensions to the path, behind pg_catalog."""
    return (
        "do $collec$ begin perform pg_catalog.set_config('search_path',"
        f" 'pg_catalog' || coalesce(({_HOMES}), '') || ', pg_temp', false); end $collec$;"
    )
