"""What views mean is learned without running a function of their owner's."""

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from tests import chain, commands
from tests.servers import Server

TELL = """
create schema elsewhere;
create function elsewhere.tell() returns boolean language plpgsql as $tell$
begin
    execute pg_catalog.format('copy (select 1) to program %L', $$cat >> {called}$$);
    return true;
end
$tell$;
create domain elsewhere.checked as text check (elsewhere.tell());
create view elsewhere.telling as select elsewhere.tell() as told;
"""
TRAPS = {
    "function": "where elsewhere.tell()",
    "view": "where exists (select from elsewhere.telling where told)",
    "domain": "where 'x'::text::elsewhere.checked is not null",
}


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("words", ["detect", "verify", "adopt --plan --details", "adopt --yes"])
def test_no_function_of_a_view_is_called(
    server18: Server, called: Path, trap: str, words: str
) -> None:
    with server18.database(chain.template_at(server18, "1.0.8")) as address:
        chain.execute(address, TELL.format(called=called))
        with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute("select pg_get_viewdef('col.last_movement'::regclass)")
            query = str((cursor.fetchone() or ("",))[0]).rstrip("; ")
            cursor.execute(
                f"create or replace view col.last_movement as select v.* from ({query}) v"
                f" {TRAPS[trap]}"
            )
            connection.commit()
        done = commands.invoke(*words.split(), "--url", address.url)
        assert "Traceback" not in done.output
        assert not called.exists()
