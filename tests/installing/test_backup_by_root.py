"""Root backs up, restores and rehearses by a socket that lets in the account `postgres` alone."""

from pathlib import Path

from tests import accounts, chain
from tests.sites import RULES, Site


@accounts.needs_root
def test_root_becomes_the_account_that_the_server_asks_for(site18: Site, tmp_path: Path) -> None:
    site18.execute("create database lab")
    site18.execute("create database lab_again")
    site18.put_rules(RULES.replace("peer map=admin", "peer"))
    where = f"host={site18.folder} port={site18.port}"
    variables = {"COLLEC_DATABASE_URL": f"{where} dbname=lab"}
    into = ("--into", str(tmp_path / "kept"))

    def run(*words: str) -> str:
        done = chain.run("collec-migrations", *words, folder=tmp_path, variables=variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("upgrade", "1.1", "--yes")
    run("backup", "run", *into)
    run("backup", "run", "--jobs", "2", *into)
    run("backup", "verify", "last", *into)
    run("backup", "restore", "last", *into, "--to", f"{where} dbname=lab_again", "--yes")
    versions = "select version_num from col.alembic_version"
    assert site18.query(versions, "lab_again") == [("1.1",)]
    assert {path.owner() for path in tmp_path.rglob("*")} == {"root"}
