"""Takes what a run would send, for the plan: nothing reaches a server."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import locks, versions
from collec_migrations import sql as scripts
from collec_migrations.bridge import history
from collec_migrations.locks import Effects, World
from collec_migrations.migrate.planned import PlannedScript, PlannedStatement

_UNKNOWN = Effects(locks=(), removals=())
"""Of a script of the application's own: rehearsing on a copy measures it."""


@dataclass(slots=True)
class Draft:
    """Takes what a run would send, and notes what it does."""

    world: World
    scripts: list[PlannedScript] = field(default_factory=list)

    def send(self, sql: str, *, shown: str) -> None:
        """Note a script's statements and their effects."""
        built_in = (versions.scripts_folder() / shown.rpartition("/")[2]).is_file()
        statements = tuple(
            PlannedStatement(
                line=statement.line,
                text=statement.text,
                effects=locks.effects(self.world, statement.text) if built_in else _UNKNOWN,
            )
            for statement in scripts.split(sql)
        )
        part = "all" if len(statements) == _whole(shown, len(statements)) else "part"
        self._add(
            PlannedScript(script=shown, part=part, statements=statements, wrapped=not built_in)
        )

    def _add(self, script: PlannedScript) -> None:
        """Note a script, or more of one that is sent piece by piece."""
        for number, known in enumerate(self.scripts):
            if known.script == script.script:
                joined = known.statements + script.statements
                self.scripts[number] = replace(known, statements=joined)
                return
        self.scripts.append(script)

    def execute(self, sql: str) -> None:
        """Note what a statement of the tool's own does."""
        locks.effects(self.world, sql)

    def inspect(self, check: Callable[[Cursor], None]) -> None:
        """Do nothing: what the step will meet is not there yet."""

    def record(self, schema: str, entry: history.Entry) -> None:
        """Note nothing: the history belongs to the tool."""

    def searching(
        self,
        path: str,  # noqa: ARG002  (it is the protocol's)
    ) -> AbstractContextManager[None]:
        """Note nothing: the path belongs to the tool."""
        return nullcontext()

    def settle(self) -> None:
        """Note nothing: what is new gets its owner before anybody sees it."""


class Unheard(Draft):
    """Takes what a run would send, and notes nothing: the run itself knows what it needs."""

    def send(self, sql: str, *, shown: str) -> None:
        """Note nothing."""

    def execute(self, sql: str) -> None:
        """Note nothing."""


def _whole(shown: str, sent: int) -> int:
    """Return how many statements a built-in script has; of a wrapped one all are sent at once."""
    path = versions.scripts_folder() / shown.rpartition("/")[2]
    if shown != f"{path.parent.name}/{path.name}" or not path.is_file():
        return sent
    return len(scripts.split(versions.load(path.name).text))
