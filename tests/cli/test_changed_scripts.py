"""A script that was changed after it was applied is reported by `verify`."""

import shutil
from pathlib import Path

import pytest

from collec_migrations import library
from collec_migrations.database.records import Applied
from collec_migrations.server.address import Address
from collec_migrations.verification import judging
from tests import chain


def test_verify_reports_a_script_that_changed(
    database: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.upgrade(database)
    applied = [
        Applied(version=str(v), script=str(s), checksum=str(c), kind=str(k))
        for v, s, c, k in chain.query(
            database, "select version, script, checksum, kind from col.migration_history"
        )
    ]
    assert not judging.scripts(applied, library.current_checksum)
    shutil.copytree(library.scripts_folder(), tmp_path / "legacy_sql")
    monkeypatch.setattr(library, "scripts_folder", lambda: tmp_path / "legacy_sql")
    script = tmp_path / "legacy_sql" / "col_create-1.1.sql"
    script.write_bytes(b"\xef\xbb\xbf" + script.read_bytes().replace(b"\n", b"\r\n"))
    assert not judging.scripts(applied, library.current_checksum), "line ends and mark do not count"
    script.write_text(script.read_text("utf-8-sig") + "\nselect 1;\n", "utf-8")
    (line,) = judging.scripts(applied, library.current_checksum)
    assert "was changed after it brought this database to 1.1" in line.sentence
