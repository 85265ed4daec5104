"""A guard for scripts: the rights schema goes down only with all the data schemas that use it."""

from collections.abc import Sequence

from collec_migrations.bridge import history
from collec_migrations.names import Names
from collec_migrations.postgres import quoting
from collec_migrations.postgres.queries import statement


def guard(pairs: Sequence[Names]) -> str:
    """Return the statement that fails when a data schema beside these uses the rights schema.

    A run on a server looks there and leaves the rights schema as it is; a script cannot know.
    """
    parameters = {
        "%(gacl)s": quoting.literal(pairs[0].gacl),
        "%(archive)s": quoting.literal(pairs[0].gacl_archive),
        "%(version_table)s": quoting.literal(history.VERSION_TABLE),
    }
    query = statement("rights_users")
    for parameter, value in parameters.items():
        query = query.replace(parameter, value)
    named = ", ".join(quoting.literal(names.col) for names in pairs)
    body = f"""
declare
    others text;
begin
    select string_agg(users.nspname, ', ') into others
    from (
{query}
    ) as users
    where users.nspname not in ({named});
    if others is not null then
        raise exception 'other data schemas use the rights schema: %', others
            using hint = 'Nothing was applied. Run the downgrade without --sql.';
    end if;
end
"""
    return f"do $alone${body}$alone$;"
