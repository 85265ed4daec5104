"""Run SQL with the rights of another role, which code of that role cannot shake off.

A trigger, view or function of the schemas' owner runs with the rights of whoever sets it off. SET
ROLE is no protection: code that a superuser's session runs may say `reset role`. Within a function
that is SECURITY DEFINER, the server refuses every change of role (manual, SET ROLE, notes), so what
a superuser wants done as the owner goes through a temporary function of the owner's.

Statements that need more than the owner has, such as CREATE EXTENSION, are sent apart, without it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.postgres import quoting

# Deferred triggers would otherwise run at the commit, before 18 as the superuser.
_BODY = """
create or replace function pg_temp.collec_as_owner(script text) returns {returns}
language plpgsql security definer as $collec_as_owner$
declare
    one record;
begin
    {work}
    set constraints all immediate;
end
$collec_as_owner$;
alter function pg_temp.collec_as_owner(text) owner to {role};
"""
# The function is made anew each time: its owner could replace it meanwhile.
_RUN = f"""{_BODY}
select pg_temp.collec_as_owner({{script}});
drop function pg_temp.collec_as_owner(text);
"""
_ROWS = "for one in execute script loop return next pg_catalog.row_to_json(one); end loop;"
# Of the session, not of the role that it has taken on: that one can be laid aside.
_IS_SUPERUSER = (
    "select rolsuper from pg_catalog.pg_roles where rolname operator(pg_catalog.=) session_user"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The roles with whose rights a superuser's run works; none: with its own."""

    roles: tuple[str, ...] = ()
    """The first gets what the run makes."""
    new_schemas: tuple[str, ...] = ()
    """Schemas of somebody else, empty, in which it makes something."""

    @property
    def first(self) -> str:
        """Return who gets what the run makes; empty: whoever is connected."""
        return self.roles[0] if self.roles else ""


NOBODY = Owners()


@contextmanager
def acting(cursor: Cursor, owners: Owners) -> Iterator[str]:
    """Give one role with the rights of these, for a block of the open transaction; "": nobody.

    Several are joined by a role that no other session ever sees: an error's rollback removes it.
    """
    if len(owners.roles) + len(owners.new_schemas) < 2:
        yield owners.first
        return
    first = quoting.identifier(owners.first)
    role = quoting.identifier(f"collec_run_{cursor.connection.info.backend_pid}")
    cursor.execute(
        f"create role {role} in role {', '.join(map(quoting.identifier, owners.roles))};"
        + "".join(
            f"grant usage, create on schema {quoting.identifier(schema)} to {role};"
            for schema in owners.new_schemas
        )
    )
    yield f"collec_run_{cursor.connection.info.backend_pid}"
    cursor.execute(f"reassign owned by {role} to {first}; drop owned by {role}; drop role {role}")


def is_needed(cursor: Cursor, role: str) -> bool:
    """Say whether a superuser is connected, and `role` is none."""
    cursor.execute(
        "select r.rolsuper and not o.rolsuper from pg_catalog.pg_roles r, pg_catalog.pg_roles o"
        " where r.rolname operator(pg_catalog.=) session_user"
        " and o.rolname operator(pg_catalog.=) %s",
        (role,),
    )
    return bool((cursor.fetchone() or (False,))[0])


def execute(cursor: Cursor, script: str, *, role: str) -> None:
    """Run statements as `role`, within the transaction that is open; empty: as who is connected.

    A superuser's are shut in; somebody else's run under SET LOCAL ROLE: such a session has no
    rights of a superuser that could be taken. psycopg2's error tells the place within `script` by
    `diag.internal_position`, else by `diag.statement_position`. COPY from the client does not work.
    """
    if not role:
        cursor.execute(script)
        return
    if not _is_superuser(cursor):
        with _role(cursor, role):
            cursor.execute(script)
        return
    words = {"role": quoting.identifier(role), "script": quoting.literal(script)}
    with _role(cursor, "none"):
        cursor.execute(_RUN.format(returns="void", work="execute script;", **words))


def rows(cursor: Cursor, query: str, *, role: str) -> list[dict[str, Any]]:
    """Return what a query of views or of functions finds as `role`; values as JSON has them.

    Without a role, as who is connected.
    """
    if not role:
        cursor.execute(f"select pg_catalog.row_to_json(one) from ({query}) one")
        return [row for (row,) in cursor.fetchall()]
    if not _is_superuser(cursor):
        with _role(cursor, role):
            cursor.execute(f"select pg_catalog.row_to_json(one) from ({query}) one")
            return [row for (row,) in cursor.fetchall()]
    made = _BODY.format(returns="setof json", work=_ROWS, role=quoting.identifier(role))
    with _role(cursor, "none"):
        cursor.execute(f"{made}select pg_temp.collec_as_owner({quoting.literal(query)})")
        found = [row for (row,) in cursor.fetchall()]
        cursor.execute("drop function pg_temp.collec_as_owner(text)")
    return found


def _is_superuser(cursor: Cursor) -> bool:
    cursor.execute(_IS_SUPERUSER)
    return bool((cursor.fetchone() or (False,))[0])


@contextmanager
def _role(cursor: Cursor, role: str) -> Iterator[None]:
    """Act as a role in a block; after an error the rollback puts back who we were."""
    cursor.execute(
        "select pg_catalog.current_setting('role'), pg_catalog.set_config('role', %s, true)",
        (role,),
    )
    before = (cursor.fetchone() or ("none",))[0]
    yield
    cursor.execute("select pg_catalog.set_config('role', %s, true)", (before,))
