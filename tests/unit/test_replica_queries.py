"""The questions to a node, for each major; golden files, since not all are at hand.

`COLLEC_GOLDEN=write` writes them; they are reviewed against PostgreSQL's documentation.
"""

import os
from pathlib import Path

import pglast
import pytest

from collec_migrations.postgres import pg_versions
from collec_migrations.replica import nodes

GOLDEN = Path(__file__).parent.parent / "data/replica"


def asked(major: str) -> str:
    """Return all that is asked of a server of a major."""
    parts = (
        nodes.node_query(major),
        nodes.receiver_query(major) or "-- no view tells what a standby receives\n",
        nodes.senders_query(major),
        nodes.slots_query(major),
        f"select {nodes.resume_function(major)}()\n",
    )
    return "\n".join(part.rstrip() + ";\n" for part in parts)


@pytest.mark.parametrize("major", pg_versions.KNOWN)
def test_the_questions_are_those_of_the_golden_file(major: str) -> None:
    file = GOLDEN / f"{major}.sql"
    if os.environ.get("COLLEC_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(asked(major))
    assert asked(major) == file.read_text()


@pytest.mark.parametrize("major", pg_versions.KNOWN)
def test_the_questions_are_sql_with_all_names_filled_in(major: str) -> None:
    text = asked(major)
    assert "{" not in "".join(line for line in text.splitlines() if not line.startswith("--"))
    assert len(pglast.parse_sql(text)) in (4, 5)


@pytest.mark.parametrize(
    ("major", "there", "absent"),
    [
        ("9.4", "pg_last_xlog_replay_location()", "active_pid,"),
        ("9.4", "pg_xlog_replay_resume()", "pg_stat_wal_receiver"),
        ("9.5", "active_pid,", "pg_control_system"),
        ("9.6", "pg_stat_wal_receiver", "wal_lsn"),
        ("10", "sent_lsn::text", "xlog"),
        ("11", "null::float8", "reply_time)"),
        ("12", "extract(epoch from reply_time)", "wal_status"),
        ("13", "null::text\n", "_location"),
        ("16", "    wal_status", "    invalidation_reason"),
        ("17", "invalidation_reason", "null::text"),
    ],
)
def test_names_follow_the_major(major: str, there: str, absent: str) -> None:
    body = "\n".join(line for line in asked(major).splitlines() if not line.startswith("--"))
    assert there in body
    assert absent not in body
