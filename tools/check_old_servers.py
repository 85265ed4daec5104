"""Find SQL that PostgreSQL 9.4 to 9.6 would refuse: `python -m tools.check_old_servers`.

No server of these majors can be had, so each query file and each SQL text of the package is
compared with a list of what came when. A text that is only sent to servers that know it has
a line in ASKED.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

PACKAGE = Path(__file__).parent.parent / "collec_migrations"
OLDEST = 9.4
FIRST: Mapping[str, float] = MappingProxyType(
    {
        r"array\s*\(\s*select\s+array\b": 9.5,
        r"\bcreate\s+(unique\s+)?index\s+if\s+not\s+exists": 9.5,
        r"\bon\s+conflict\b": 9.5,
        r"\bregnamespace\b|\bregrole\b": 9.5,
        r"\bpg_file_settings\b": 9.5,
        r"\bskip\s+locked\b": 9.5,
        r"\bgrouping\s+sets\b|\btablesample\b": 9.5,
        r"\bjsonb_set\b|\bto_jsonb\b|\bjsonb_build_object\b": 9.5,
        r"\badd\s+column\s+if\s+not\s+exists": 9.6,
        r"\bparse_ident\b": 9.6,
        r"\bcurrent_setting\s*\(([^()]|\([^()]*\))*,\s*(true|false)\s*\)": 9.6,
        r"\bpg_blocking_pids\b": 9.6,
        # A literal, and a parameter of psycopg2, is taken for the cstring of 9.4 as well.
        r"\bto_reg(class|type|proc|procedure|namespace)\s*\((?!\s*('|%s))": 9.6,
        r"\bpg_control_(system|checkpoint|recovery|init)\b": 9.6,
        r"\bpg_stat_wal_receiver\b": 9.6,
        r"\bpg_size_bytes\b": 9.6,
        r"\bpg_sequences?\b(?!_)": 10,
        r"\bregexp_match\b": 10,
        r"\bpg_hba_file_rules\b": 10,
        r"\brelispartition\b|\battidentity\b|\bpg_partitioned_table\b": 10,
        r"\bgenerated\s+(always|by\s+default)\s+as\s+identity\b": 10,
        r"\bpg_(current_wal|last_wal|walfile|wal_|switch_wal|is_wal)\w*": 10,
        r"\b(sent|write|flush|replay)_lsn\b": 10,
        r"\bprokind\b": 11,
        r"(?<!' )\bexecute\s+function\b": 11,
        r"\bstarts_with\s*\(": 11,
        r"\bpg_promote\b": 12,
        r"\battgenerated\b": 12,
        r"\bwith\s*\(\s*force\s*\)": 13,
        r"\bdatcollversion\b|\bdatlocprovider\b": 15,
    }
)
ASKED: Mapping[str, str] = MappingProxyType(
    {
        "health_collation.sql": "datcollversion",
        "drop_dependents.sql": "attgenerated",
        "doctor/maintenance.py": "datcollversion",
        "replica_receiver.sql": "pg_stat_wal_receiver",
        "backup/pitr.py": "pg_switch_wal",
        "backup/snapshot.py": "pg_file_settings pg_hba_file_rules pg_control_system",
        "postgres/hba.py": "pg_hba_file_rules",
        "postgres/server_settings.py": "pg_file_settings",
        "replica/clone_plan.py": "datcollversion datlocprovider",
        "replica/nodes.py": "pg_control_system pg_control_checkpoint pg_control_recovery",
        "replica/promotion.py": "pg_promote",
        "replica/runbook.py": "pg_promote",
        "replica/streaming.py": "pg_stat_wal_receiver",
        "replica/switchover.py": "pg_promote",
    }
)
"""Modules and queries that ask for the server's version before they send these texts."""
SQL = re.compile(r"\b(select|insert|update|delete|create|alter|drop|grant|with)\b", re.IGNORECASE)


def found(text: str) -> Iterator[tuple[float, str]]:
    """Yield what a text uses that came after the oldest server, and with which major it came."""
    plain = re.sub(r"--[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    for pattern, since in FIRST.items():
        for match in re.finditer(pattern, plain, re.IGNORECASE):
            if since > OLDEST:
                yield since, match[0]


def texts() -> Iterator[tuple[str, str]]:
    """Yield the SQL of the package: its query files, and the texts in its modules that are SQL."""
    for path in sorted(PACKAGE.joinpath("data", "queries").glob("*.sql")):
        yield path.name, path.read_text("utf-8")
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and id(node) not in documents and SQL.search(text):
                yield str(path.relative_to(PACKAGE)), text


def refused() -> list[str]:
    """Return a line for each text that an old server would refuse and that nothing guards."""
    lines = []
    for where, text in texts():
        for since, what in found(text):
            if not re.search(rf"\b{re.escape(what.split('(')[0].strip())}", ASKED.get(where, "")):
                lines.append(f"{where}: {' '.join(what.split())} came with {since:g}")
    return list(dict.fromkeys(lines))


def main() -> None:
    """Print what old servers would refuse; exit with 1 if anything."""
    lines = refused()
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
