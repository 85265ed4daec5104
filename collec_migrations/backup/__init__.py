"""Backups that can be restored: taken, listed, verified by a trial restore, kept and removed.

The modules are loaded when a name of theirs is first used: a restore needs PostgreSQL's parser, a
rehearsal needs Alembic, and `backup list` neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collec_migrations.backup.client_programs import on_database  # noqa: I001  (compact)
    from collec_migrations.backup.dump import (
        BackupOptions, Outcome, Task, analyze, databases, expired, log_failure, run,
    )  # fmt: skip
    from collec_migrations.backup.manifest import facts
    from collec_migrations.backup.nightly import (
        Schedule, cron_line, install, offsite_words, parse_time, refuse_without_systemd,
        send_offsite, units,
    )  # fmt: skip
    from collec_migrations.backup.pitr import advise_recovery
    from collec_migrations.backup.rehearsal import (
        check_target, kept_copy, new_backup, rehearse, stored_backup, temporary_copy,
    )  # fmt: skip
    from collec_migrations.backup.rehearsal_report import (
        Findings, report_json, report_lines, report_page,
    )  # fmt: skip
    from collec_migrations.backup.restoration import (
        RestoreOptions, RestorePlan, plan_restore, restore,
    )  # fmt: skip
    from collec_migrations.backup.retention import Policy
    from collec_migrations.backup.snapshot import system_identifier
    from collec_migrations.backup.store import (
        Backup, Broken, accept, backups, check_there, find, locked, prepare, remove,
    )  # fmt: skip
    from collec_migrations.backup.trial_restore import Verification, verify

__all__ = [
    "Backup", "BackupOptions", "Broken", "Findings", "Outcome", "Policy", "RestoreOptions",
    "RestorePlan", "Schedule", "Task", "Verification", "accept", "advise_recovery", "analyze",
    "backups", "check_target", "check_there", "cron_line", "databases", "expired", "facts", "find",
    "install", "kept_copy", "locked", "log_failure", "new_backup", "offsite_words", "on_database",
    "parse_time", "plan_restore", "prepare", "refuse_without_systemd", "rehearse", "remove",
    "report_json", "report_lines", "report_page", "restore", "run", "send_offsite", "stored_backup",
    "system_identifier", "temporary_copy", "units", "verify",
]  # fmt: skip
_NAMES = {
    "client_programs": "on_database",
    "dump": "BackupOptions Outcome Task analyze databases expired log_failure run",
    "manifest": "facts",
    "nightly": "Schedule cron_line install offsite_words parse_time refuse_without_systemd"
    " send_offsite units",
    "pitr": "advise_recovery",
    "rehearsal": "check_target kept_copy new_backup rehearse stored_backup temporary_copy",
    "rehearsal_report": "Findings report_json report_lines report_page",
    "restoration": "RestoreOptions RestorePlan plan_restore restore",
    "retention": "Policy",
    "snapshot": "system_identifier",
    "store": "Backup Broken accept backups check_there find locked prepare remove",
    "trial_restore": "Verification verify",
}


def __getattr__(name: str) -> object:
    for module, names in _NAMES.items():
        if name in names.split():
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
