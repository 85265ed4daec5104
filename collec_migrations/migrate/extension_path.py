"""Where a script finds what extensions bring: their schemas, wherever a site put them."""

import re

from collec_migrations.postgres import quoting

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


def leave_extensions() -> str:
    """Return the statement that takes them from the path again."""
    return "set search_path = pg_catalog, pg_temp;"
