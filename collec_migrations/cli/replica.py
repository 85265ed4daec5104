"""The commands of standbys: each stands in a module of its own."""

from collec_migrations.cli import (
    replica_clone,
    replica_primary,
    replica_promote,
    replica_rejoin,
    replica_runbook,
    replica_status,
    replica_switchover,
)
from collec_migrations.cli.group import group

app = group("Set up, watch and use standbys.")

app.command("primary")(replica_primary.primary_)
app.command("clone")(replica_clone.clone_)
app.command("status")(replica_status.status)
app.command("promote")(replica_promote.promote)
app.command("rejoin")(replica_rejoin.rejoin)
app.command("switchover")(replica_switchover.switchover_)
app.command("runbook")(replica_runbook.runbook_)
