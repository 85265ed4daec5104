"""What an Alembic command is about to do, and with which settings."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from collec_migrations.catalog import Catalog
from collec_migrations.migrate.chain import Work
from collec_migrations.names import Names
from collec_migrations.settings import Settings

if TYPE_CHECKING:  # only a run that has steps loads what they need
    from collec_migrations.migrate.run import Run
    from collec_migrations.migrate.sinks import Progress, Sink

CHANGING = ("upgrade", "downgrade", "do_stamp")
"""Names of the functions in alembic.command that change the database; the others read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command of Alembic, its target and the chain that it works on."""

    command: str
    """Name of the function in alembic.command: upgrade, downgrade, do_stamp, or one that reads."""
    work: Work
    targets: tuple[str, ...]
    """The versions that were named, as they were written."""
    start: str | None
    versions: tuple[str, ...]
    """All versions of the chain, oldest first."""
    creations: Mapping[str, tuple[str, str]]
    settings: Settings
    progress: "Progress | None"
    """Watches statements run one by one; None: scripts are sent whole."""
    remark: str
    """What the history is to remember of every step; may be empty."""
    say: Callable[[str], None]
    """Tells the user something, beside the results."""
    site_facts: dict[str, Catalog] = field(default_factory=dict)
    """What wrapped versions hold after the run, by version."""

    @classmethod
    def of(cls, environment: EnvironmentContext, settings: Settings) -> "Job":
        """Return the job that Alembic's environment was made for."""
        given = environment.context_opts
        start = given.get("starting_rev")
        chain = tuple(reversed(tuple(environment.script.walk_revisions())))
        say = environment.config.attributes.get("say", _say)
        if settings.address is None and not settings.without_postgis:
            settings = replace(settings, without_postgis=True)
            if given["fn"].__name__ == "upgrade":
                say("this folder's own server has no PostGIS: the database lives without it")
        work, named = given["fn"], _texts(given.get("destination_rev"))
        if work.__name__ == "upgrade" and named in (("head",), ("heads",)):
            from collec_migrations.migrate import up_to_date

            asked = up_to_date.target(named[0], settings)
            if settings.application and asked != named[0]:
                say(f"the application in {settings.application.folder} asks for {asked}")
                work, named = upgrade_to(environment.script, asked), (asked,)
        return cls(
            command=given["fn"].__name__,
            work=work,
            targets=named + _texts(start),
            start=start,
            versions=tuple(revision.revision for revision in chain),
            creations={
                one.revision: one.module.creation
                for one in chain
                if hasattr(one.module, "creation")
            },
            settings=settings,
            progress=environment.config.attributes.get("progress"),
            remark=environment.config.attributes.get("remark", ""),
            say=say,
        )

    @property
    def changes(self) -> bool:
        """Whether the command changes the database."""
        return self.command in CHANGING

    @property
    def outcome(self) -> str:
        """What a run that fails leaves behind, for messages."""
        if self.settings.per_version:
            return "this version was not applied; those before it are committed"
        return "nothing was applied"

    def run_for(
        self,
        names: Names,
        sink: "Sink",
        *,
        rights_version: str | None,
        rights_held: str | None = None,
    ) -> "Run":
        """Return the state of a run for one pair."""
        from collec_migrations.migrate.run import Run
        from collec_migrations.migrate.wrapped_step import NO_BACKUP

        return Run(
            job=self,
            names=names,
            remark=self.remark or ("" if self.settings.backup else NO_BACKUP),
            sink=sink,
            rights_version=rights_version,
            rights_held=rights_held,
        )


def upgrade_to(script: ScriptDirectory, version: str) -> Work:
    """Return what `alembic upgrade VERSION` hands to env.py."""

    def upgrade(heads: Any, _: Any) -> Any:
        return script._upgrade_revs(version, heads)

    return upgrade


def _texts(given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(str(item) for item in given)  # type: ignore[attr-defined]  # Alembic gives a string or a sequence


def _say(message: str) -> None:
    sys.stderr.write(f"{message}\n")
