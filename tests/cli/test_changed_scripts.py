"""A script that was changed after it was applied is reported by `verify`."""

import shutil
from pathlib import Path

import pytest

from collec_migrations import versions
from collec_migrations.bridge import findings
from collec_migrations.postgres.address import Address
from tests import chain


def test_verify_reports_a_script_that_changed(
    database: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.upgrade(database)
    applied = [
        {"version": v, "script": s, "checksum": c, "kind": k}
        for v, s, c, k in chain.query(
            database, "select version, script, checksum, kind from col.migration_history"
        )
    ]
    assert not list(findings.scripts(applied, versions.current_checksum))
    shutil.copytree(versions.scripts_folder(), tmp_path / "legacy_sql")
    monkeypatch.setattr(versions, "scripts_folder", lambda: tmp_path / "legacy_sql")
    script = tmp_path / "legacy_sql" / f"col_create-{chain.HEAD}.sql"
    script.write_bytes(b"\xef\xbb\xbf" + script.read_bytes().replace(b"\n", b"\r\n"))
    assert not list(findings.scripts(applied, versions.current_checksum)), (
        "line ends and mark do not count"
    )
    script.write_text(script.read_text("utf-8-sig") + "\nselect 1;\n", "utf-8")
    (line,) = findings.scripts(applied, versions.current_checksum)
    assert f"was changed after it brought this database to {chain.HEAD}" in line.sentence
