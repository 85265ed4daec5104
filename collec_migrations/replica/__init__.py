"""Standbys: prepare a primary, clone it, see how they are, promote, switch over, rejoin.

`plan_...` reads and decides, and touches nothing; the verb beside it does what a plan says.
"""

from collec_migrations.replica.clone import CloneResult, make_clone, plan_clone
from collec_migrations.replica.clone_plan import ClonePlan
from collec_migrations.replica.follow import Method
from collec_migrations.replica.health import STREAMING, primary_of, report
from collec_migrations.replica.local_node import node_at, owner_of
from collec_migrations.replica.nodes import (
    FILE,
    PATIENCE,
    VARIABLE,
    NamedNode,
    known_nodes,
    limits,
    node_named,
    read_node,
    read_nodes,
    with_timeout,
)  # fmt: skip
from collec_migrations.replica.primary import (
    CONF,
    PrimaryPlan,
    PrimaryResult,
    plan_primary,
    prepare_primary,
)  # fmt: skip
from collec_migrations.replica.promotion import Promotion, PromotionPlan, plan_promotion, promote
from collec_migrations.replica.rejoin import (
    RejoinPlan,
    RejoinRequest,
    RejoinResult,
    plan_rejoin,
    rejoin_standby,
)  # fmt: skip
from collec_migrations.replica.runbook import Site, page, target_of
from collec_migrations.replica.standby_config import (
    major_of,
    passfile_of,
    standby_spec,
    take_passfile,
)  # fmt: skip
from collec_migrations.replica.states import (
    Down,
    Limits,
    Node,
    NodeReport,
    Report,
    Sender,
    Up,
    Verdict,
    bytes_behind,
    lsn_text,
    verdict_of,
    worst,
)  # fmt: skip
from collec_migrations.replica.switchover import (
    Switchover,
    SwitchoverPlan,
    plan_switchover,
    switch_over,
)  # fmt: skip

__all__ = [
    "CONF", "FILE", "PATIENCE", "STREAMING", "VARIABLE", "ClonePlan", "CloneResult", "Down",
    "Limits", "Method", "NamedNode", "Node", "NodeReport", "PrimaryPlan", "PrimaryResult",
    "Promotion", "PromotionPlan", "RejoinPlan", "RejoinRequest", "RejoinResult", "Report",
    "Sender", "Site", "Switchover", "SwitchoverPlan", "Up", "Verdict", "bytes_behind",
    "known_nodes", "limits", "lsn_text", "major_of", "make_clone", "node_at", "node_named",
    "owner_of", "page", "passfile_of",
    "plan_clone", "plan_primary", "plan_promotion", "plan_rejoin", "plan_switchover",
    "prepare_primary", "primary_of", "promote", "read_node", "read_nodes", "rejoin_standby",
    "report", "standby_spec", "switch_over", "take_passfile", "target_of", "verdict_of",
    "with_timeout", "worst",
]  # fmt: skip
