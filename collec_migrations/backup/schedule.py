"""A nightly run as a systemd timer or a line for cron. Pure, but for putting it in place."""

import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import BackupFailed, UsageError

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


def at(time: str) -> tuple[int, int]:
    """Return hour and minute of a time such as 20:00; raise `UsageError` for anything else."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", time)
    if found is None:
        raise UsageError(f"{time!r} is no time of the day", hint="Write it as 20:00.")
    return int(found[1]), int(found[2])


def service(schedule: Schedule) -> str:
    """Return the unit that takes the backups."""
    return "\n".join(
        (
            "[Unit]",
            "Description=Backup of the Collec-Science databases",
            "After=postgresql.service",
            "",
            "[Service]",
            "Type=oneshot",
            f"User={schedule.user}",
            "UMask=0077",
            "Nice=10",
            f"ExecStart={' '.join(map(_unit_word, schedule.command))}",
            "",
        )
    )


def timer(schedule: Schedule) -> str:
    """Return the unit that starts it every night, also after the machine was off."""
    return "\n".join(
        (
            "[Unit]",
            "Description=Nightly backup of the Collec-Science databases",
            "",
            "[Timer]",
            f"OnCalendar=*-*-* {schedule.hour:02}:{schedule.minute:02}:00",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
            "",
        )
    )


def units(schedule: Schedule) -> dict[str, str]:
    """Return the text of each unit, by the path where it belongs."""
    return {
        f"{UNITS}/{NAME}.service": service(schedule),
        f"{UNITS}/{NAME}.timer": timer(schedule),
    }


def cron(schedule: Schedule) -> str:
    """Return the line for `crontab -e` of the user; cron does not make up for a missed night."""
    command = shlex.join(schedule.command).replace("%", r"\%")  # cron reads % as a line's end
    return f"{schedule.minute} {schedule.hour} * * * {command}\n"


def refuse_without_systemd(schedule: Schedule) -> None:
    """Raise `UsageError`, with the line for cron, where systemd does not run the machine."""
    if not SYSTEMD.is_dir():
        raise UsageError(
            "this machine is not run by systemd; nothing was written",
            hint=f"Put this line into `crontab -e` of {schedule.user}: {cron(schedule).strip()}",
        )


def install(schedule: Schedule, folder: Path = UNITS) -> tuple[Path, ...]:
    """Put the units in place and start the timer; raise `BackupFailed` when that cannot be."""
    refuse_without_systemd(schedule)
    units = {"service": service(schedule), "timer": timer(schedule)}
    paths = []
    try:
        for kind, text in units.items():
            path = folder / f"{NAME}.{kind}"
            path.write_text(text, encoding="utf-8")
            path.chmod(0o644)
            paths.append(path)
    except OSError as error:
        raise BackupFailed(
            f"{error.filename} cannot be written: {error.strerror}", hint="Run it as root."
        ) from error
    _run("systemctl", "daemon-reload")
    _run("systemctl", "enable", "--now", f"{NAME}.timer")
    return tuple(paths)


def _run(*words: str) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
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
