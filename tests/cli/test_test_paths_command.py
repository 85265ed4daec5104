"""`test-paths`: sound chains pass on every server, broken ones are told and fail the job."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from collec_migrations.testing import path_report
from collec_migrations.testing.path_report import Outcome, ServerResult
from collec_migrations.testing.path_report import Path as Route
from tests import chain, servers
from tests.docs import json_page

PATHS = 2 * (len(chain.VERSIONS) - 1) + 1
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "time"},
    "testcase": {"classname", "name", "time"},
    "failure": {"message"},
    "system-out": set(),
}
PARENTS = {
    "testsuite": "testsuites",
    "testcase": "testsuite",
    "failure": "testcase",
    "system-out": "testcase",
}
"""What readers of JUnit files have in common."""


def checked(text: str) -> ET.Element:
    """Return the file's root, after checking that its form is the usual one and its sums right."""
    top = ET.fromstring(text)
    assert top.tag == "testsuites"
    for parent in top.iter():
        assert set(parent.attrib) == ATTRIBUTES[parent.tag]
        assert all(PARENTS[child.tag] == parent.tag for child in parent)
        if "tests" in parent.attrib:
            assert int(parent.attrib["tests"]) == len(parent.findall(".//testcase"))
            assert int(parent.attrib["failures"]) == len(parent.findall(".//failure"))
            assert float(parent.attrib["time"]) >= 0
    return top


def try_paths(
    *words: str, folder: Path, tree: Path = chain.ROOT
) -> subprocess.CompletedProcess[str]:
    command = ("collec-migrations", "test-paths", *words)
    return chain.run(
        *command, folder=folder, variables={"PYTHONPATH": str(tree), "COLLEC_TEST_ROWS": "40"}
    )


@pytest.mark.parametrize(
    ("majors", "chosen", "paths"),
    [
        pytest.param(servers.majors(), ("--from", "2.4,26.1"), 4, id="some on each"),
        pytest.param(servers.majors(), (), PATHS, id="all on each", marks=pytest.mark.soak),
    ],
)
def test_every_path_is_sound_on_every_server(
    tmp_path: Path, majors: tuple[int, ...], chosen: tuple[str, ...], paths: int
) -> None:
    listed = ("--server", ",".join(map(str, majors)), *chosen)
    done = try_paths(*listed, "--report", "paths.xml", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    json_page.check("test-paths", told)
    assert told["succeeds"] is True
    assert [int(one["version"].split(".")[0]) for one in told["servers"]] == list(majors)
    for server in told["servers"]:
        assert len(server["paths"]) == paths
        for path in server["paths"]:
            assert path["verdict"] == "ok"
            assert path["seconds_up"] > 0
            assert path["seconds_back"] > 0
            assert path["remarks"] == []
    assert done.stderr.count("ok, ") == paths * len(majors)
    top = checked((tmp_path / "paths.xml").read_text("utf-8"))
    assert top.get("tests") == str(paths * len(majors))
    assert top.get("failures") == "0"


def test_a_way_back_that_loses_rows_is_caught(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for part in ("collec_migrations", "versions", "legacy_sql"):
        shutil.copytree(chain.ROOT / part, tree / part)
    broken = tree / "legacy_sql" / "downgrade-26.1-26.0.sql"
    broken.write_text(broken.read_text("utf-8") + "delete from col.booking;\n", "utf-8")
    words = ("--server", "18", "--from", "25.0,26.0", "--report", "paths.xml")
    done = try_paths(*words, folder=tmp_path, tree=tree)
    assert done.returncode == 1
    assert "back at 26.0: col.booking: 12 of 12 rows are lost or changed" in done.stdout
    assert done.stdout.splitlines()[0].split() == list(path_report.TITLES)
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("18.")]
    failed = {(row[1], row[3]) for row in rows if row[-1] == "FAILED"}
    assert failed == {(start, "filled") for start in ("25.0", "26.0")}
    top = checked((tmp_path / "paths.xml").read_text("utf-8"))
    failures = [failure.get("message", "") for failure in top.iter("failure")]
    assert any("col.booking" in message for message in failures)


def test_rows_that_only_the_newest_version_has_are_tried(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for part in ("collec_migrations", "versions", "legacy_sql"):
        shutil.copytree(chain.ROOT / part, tree / part)
    broken = tree / "legacy_sql" / "downgrade-26.2-26.1.sql"
    lost = "update col.container_type set risk_id = null;\n"
    broken.write_text(broken.read_text("utf-8") + lost, "utf-8")
    done = try_paths("--server", "18", "--from", "24.1", folder=tmp_path, tree=tree)
    assert done.returncode == 1
    assert "24.1 to 26.2, fresh: ok" in done.stderr
    assert "up again from 24.1: col.container_type: " in done.stdout
    assert "back at 24.1" not in done.stdout


def test_a_wrapped_version_is_tried_and_what_it_loses_is_told(tmp_path: Path) -> None:
    script = f"upgrade-{chain.HEAD}-27.0.sql"
    (tmp_path / script).write_text(
        "set search_path = col;\ndelete from col.booking where booking_id > 3;\n"
        "update col.printer set printer_comment = 'seen';\n"
    )
    wrapped = chain.run("collec-migrations", "wrap", script, "--yes", folder=tmp_path)
    assert wrapped.returncode == 0, wrapped.stderr
    done = try_paths("--server", "18", "--from", chain.HEAD, folder=tmp_path)
    assert done.returncode == 1
    assert "col.booking: 9 of 12 rows are lost" in done.stdout
    assert "at 27.0: " not in done.stdout, "each way leads to the same facts"
    assert "note: there is no way back from 27.0, which is wrapped" in done.stdout
    assert "note: col.printer: 12 of 12 rows are lost or changed" in done.stdout
    assert f"{chain.HEAD} to 27.0, filled: FAILED" in done.stderr
    assert f"{chain.HEAD} to 27.0, fresh: ok" in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("--server", "8,18,11"), 3, "no PostgreSQL 8, 11 on this machine, which has 1"),
        (("--server", "eighteen"), 2, "Write it as 15,17,18."),
        (("--from", chain.HEAD), 2, f"Those are {', '.join(chain.VERSIONS[:-1])}."),
        (("--report", "nowhere/paths.xml"), 2, "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_is_said_before_anything_starts(
    tmp_path: Path, words: tuple[str, ...], status: int, told: str
) -> None:
    done = try_paths(*words, folder=tmp_path)
    assert done.returncode == status
    assert told in done.stderr
    assert "starting" not in done.stderr


@pytest.mark.skipif(len(servers.majors()) < 2, reason="two servers take two processes")
def test_a_killed_run_leaves_no_process_behind(tmp_path: Path) -> None:
    words = ("test-paths", "--server", ",".join(map(str, servers.majors()[-2:])), "--from", "1.0")
    command = [str(Path(sys.executable).parent / "collec-migrations"), *words]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        while "starting" not in (line := process.stderr.readline()):
            assert line, "it ended before it started a server"
        process.kill()
        # The end of the output comes when nobody holds it any more.
        process.communicate(timeout=60)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_a_junit_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    words = ("--server", "18", "--from", "26.1", "--report", "/dev/full")
    done = try_paths(*words, folder=tmp_path)
    assert done.returncode == 2
    assert "error: /dev/full cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_message_with_control_characters_makes_a_junit_file_that_can_be_read() -> None:
    outcome = Outcome(
        path=Route(start="1.0", head="1.1", rows=1),
        failures=["a\x1b[31m <b> & \x00\nsecond line"],
        remarks=["é"],
    )
    tried = ServerResult(server_version="18.6", outcomes=(outcome,), seconds=1.0)
    top = checked(path_report.as_junit([tried]))
    (failure,) = top.iter("failure")
    assert failure.get("message") == "a?[31m <b> & ?"
    assert (failure.text or "").endswith("second line")
