"""What a site sets up: a run every night by systemd or cron, and its way off-site."""

import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import BackupFailed, UsageError
from collec_migrations.postgres import programs

NAME = "collec-backup"
UNITS = Path("/etc/systemd/system")
SYSTEMD = Path("/run/systemd/system")
"""Is there exactly when systemd runs the machine (sd_booted(3))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is to run, when, and as whom."""

    command: tuple[str, ...]
    """Without any password."""
    hour: int
    minute: int
    user: str

    def __post_init__(self) -> None:
        """Refuse a line break: what follows it would be a line of its own, for root to run."""
        for word in (*self.command, self.user):
            if not word.isprintable():
                raise UsageError(
                    f"neither systemd nor cron can hold {word!r}",
                    hint="Use names and paths without line breaks and control characters.",
                )


def parse_time(time: str) -> tuple[int, int]:
    """Return hour and minute of a time such as 20:00; raise `UsageError` for anything else."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", time)
    if found is None:
        raise UsageError(f"{time!r} is no time of the day", hint="Write it as 20:00.")
    return int(found[1]), int(found[2])


SERVICE = """\
[Unit]
Description=Backup of the Collec-Science databases
After=postgresql.service

[Service]
Type=oneshot
User={user}
UMask=0077
Nice=10
ExecStart={command}
"""
TIMER = """\
[Unit]
Description=Nightly backup of the Collec-Science databases

[Timer]
OnCalendar=*-*-* {hour:02}:{minute:02}:00
Persistent=true

[Install]
WantedBy=timers.target
"""
"""Persistent: also after the machine was off."""


def units(schedule: Schedule, folder: Path = UNITS) -> dict[str, str]:
    """Return the text of each unit, by the path where it belongs."""
    command = " ".join(map(_unit_word, schedule.command))
    return {
        f"{folder}/{NAME}.service": SERVICE.format(user=schedule.user, command=command),
        f"{folder}/{NAME}.timer": TIMER.format(hour=schedule.hour, minute=schedule.minute),
    }


def cron_line(schedule: Schedule) -> str:
    """Return the line for `crontab -e` of the user; cron does not make up for a missed night."""
    command = shlex.join(schedule.command).replace("%", r"\%")  # cron reads % as a line's end
    return f"{schedule.minute} {schedule.hour} * * * {command}\n"


def refuse_without_systemd(schedule: Schedule) -> None:
    """Raise `UsageError`, with the line for cron, where systemd does not run the machine."""
    if not SYSTEMD.is_dir():
        line = cron_line(schedule).strip()
        raise UsageError(
            "this machine is not run by systemd; nothing was written",
            hint=f"Put this line into `crontab -e` of {schedule.user}: {line}",
        )


def install(schedule: Schedule, folder: Path = UNITS) -> tuple[Path, ...]:
    """Put the units in place and start the timer; raise `BackupFailed` when that cannot be."""
    refuse_without_systemd(schedule)
    written = units(schedule, folder)
    try:
        for path, text in written.items():
            Path(path).write_text(text, encoding="utf-8")
            Path(path).chmod(0o644)
    except OSError as error:
        raise BackupFailed(
            f"{error.filename} cannot be written: {error.strerror}", hint="Run it as root."
        ) from error
    _run("systemctl", "daemon-reload")
    _run("systemctl", "enable", "--now", f"{NAME}.timer")
    return tuple(map(Path, written))


def _run(*words: str) -> None:
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, env=programs.without_secrets()
        )
    except OSError as error:
        raise BackupFailed(f"{words[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        raise BackupFailed(
            f"`{shlex.join(words)}` failed: {done.stderr.strip()}",
            hint="The units are written; start the timer when systemd runs.",
        )


def _unit_word(word: str) -> str:
    """Return a word as systemd reads it (systemd.service(5), command lines)."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    plain: Sequence[str] = re.findall(r"[\w./:=,@+-]+", escaped)
    return escaped if plain == [escaped] else f'"{escaped}"'


PATH, ID = "{path}", "{id}"
SHORT = "{}"
"""The path, too, as in xargs."""


def offsite_words(command: str, backup: Path) -> tuple[str, ...]:
    """Return the command with `{path}` and `{id}` replaced; without both, the path is added.

    A program that copies contents, as rclone and rsync do, needs the id in its target: else each
    backup overwrites the one before.
    """
    try:
        found = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"the off-site command cannot be read: {error}".lower()) from error
    if not found:
        raise UsageError("the off-site command is empty")
    if not any(one in command for one in (PATH, ID, SHORT)):
        found.append(PATH)
    return tuple(
        word.replace(PATH, str(backup)).replace(ID, backup.name).replace(SHORT, str(backup))
        for word in found
    )


def send_offsite(command: str, backup: Path) -> None:
    """Run the command for a backup; raise `BackupFailed` when it does not succeed."""
    told = offsite_words(command, backup)
    environment = {
        **programs.without_secrets(),
        "COLLEC_BACKUP_ID": backup.name,
        "COLLEC_BACKUP_PATH": str(backup),
    }
    try:
        done = subprocess.run(
            told, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environment
        )
    except OSError as error:
        raise BackupFailed(
            f"the off-site command {told[0]!r} cannot be run: {error.strerror}",
            hint=f"{backup.name} is complete where it is.",
        ) from error
    if done.returncode != 0:
        said = programs.last_words(done.stderr.decode(errors="replace"))
        raise BackupFailed(
            f"the off-site command failed with status {done.returncode}: {said}",
            hint=f"{backup.name} is complete where it is; send it by hand, with the same command.",
        )
