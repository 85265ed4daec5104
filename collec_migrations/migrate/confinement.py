"""With whose rights a superuser's run works: the owners', whose triggers it sets off."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.bridge import ownership
from collec_migrations.errors import NotPossible
from collec_migrations.postgres import privileges, quoting
from collec_migrations.postgres.as_owner import Owners

SUPERUSERS = """
select rolname::text from pg_catalog.pg_roles
where rolsuper and rolname operator(pg_catalog.=) any (%s::pg_catalog.name[])
"""
SHOWN = 5


def owners(cursor: Cursor, watch: ownership.Watch) -> Owners:
    """Return the owners of the schemas; nobody where a superuser owns everything, or none runs.

    Raises `NotPossible` where a superuser owns a part: with the rights of the others a step could
    not change it, and with a superuser's it would run what the others wrote.
    """
    owned = watch.owned()
    if not owned or not privileges.is_unrestricted(cursor):
        return Owners()
    cursor.execute(SUPERUSERS, (sorted({owner for owner, _, _ in owned}),))
    superusers = {name for (name,) in cursor.fetchall()}
    others = {owner for owner, _, _ in owned} - superusers
    if not others:
        return Owners()
    first = watch.first_owner(others)
    wrong = [one for one in owned if one[0] in superusers and one[1] not in watch.empty()]
    if wrong:
        superuser, what = wrong[0][0], wrong[0][2]
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        statements = [
            f"alter {what} owner to {quoting.identifier(first)};" for _, _, what in wrong[:SHOWN]
        ]
        raise NotPossible(
            f"{what}{more} belongs to the superuser {superuser!r}, and other objects to"
            f" {first!r}: a step would run what {first!r} wrote with the rights of a superuser",
            hint=f"Let one role that is no superuser own them all: {' '.join(statements)}"
            + (f" and so the other {len(wrong) - SHOWN}" if len(wrong) > SHOWN else ""),
        )
    new = tuple(name for owner, name, _ in owned if owner in superusers)
    return Owners(roles=(first, *sorted(others - {first})), new_schemas=new)
