"""Standbys: prepare a primary, clone it, see how they are, promote, switch over, rejoin.

`plan_...` reads and decides, and touches nothing; the verb beside it does what a plan says.
"""

from collec_migrations.replica.clone import make_clone, plan_clone
from collec_migrations.replica.health import report
from collec_migrations.replica.nodes import known_nodes, read_nodes
from collec_migrations.replica.primary import plan_primary, prepare_primary
from collec_migrations.replica.promotion import plan_promotion, promote
from collec_migrations.replica.rejoin import plan_rejoin, rejoin_standby
from collec_migrations.replica.runbook import page
from collec_migrations.replica.switchover import plan_switchover, switch_over

__all__ = [
    "known_nodes",
    "make_clone",
    "page",
    "plan_clone",
    "plan_primary",
    "plan_promotion",
    "plan_rejoin",
    "plan_switchover",
    "prepare_primary",
    "promote",
    "read_nodes",
    "rejoin_standby",
    "report",
    "switch_over",
]
