"""What is asked before a step is asked with the rights of the schemas' owner."""

from pathlib import Path

import pytest

from tests import chain
from tests.runs.test_owners import at_1_0_8
from tests.servers import Server

# A table that its owner put a view in the place of: the questions name it.
VIEW = '''
create function col.looked() returns boolean language plpgsql as $$
begin
    copy (select 1) to program 'cat >> {called}';
    return true;
exception when insufficient_privilege then
    return true;
end
$$;
alter function col.looked() owner to "lab ""owner""";
alter table {table} rename to moved_away;
create view {table} as select * from {schema}.moved_away where col.looked();
alter view {table} owner to "lab ""owner""";
'''


@pytest.mark.parametrize("words", ["upgrade --plan", "upgrade --yes"])
@pytest.mark.parametrize("table", ["gacl.aclgroup", "gacl.aclaco"])
def test_a_view_that_is_asked_of_runs_nothing_as_the_superuser(
    server18: Server, called: Path, words: str, table: str, tmp_path: Path
) -> None:
    with server18.database(at_1_0_8(server18)) as address:
        schema = table.partition(".")[0]
        chain.execute(address, VIEW.format(called=called, table=table, schema=schema))
        done = chain.run("collec-migrations", *words.split(), "--url", address.url, folder=tmp_path)
    assert "Traceback" not in done.stderr
    assert not called.exists(), called.read_text()
