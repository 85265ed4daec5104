"""What stands in the way of a run, from what the role may do and what the run needs."""

from dataclasses import replace

import pytest

from collec_migrations.locks import Effects, Relation
from collec_migrations.migrate import obstacles
from collec_migrations.migrate.obstacles import Needs, NotPossible, Obstacle
from collec_migrations.names import Names
from collec_migrations.postgres.privileges import Powers

STORAGE = Relation(schema="col", name="storage", owner="collec")
OWNER = Powers(
    role="collec",
    superuser=False,
    database="collec",
    version=150000,
    standby=False,
    read_only=False,
    creates_schemas=False,
    acts_as=frozenset({"collec"}),
    gives_to=frozenset({"collec"}),
    creators=frozenset({("col", "collec"), ("gacl", "collec")}),
    references=frozenset(),
    schemas=frozenset({"col", "gacl"}),
)
UPGRADE = Needs(
    names=Names(),
    gacl_owner="collec",
    col_owner="collec",
    idle=False,
    creates_rights=False,
    touches_rights=True,
    archives=False,
    effects=(Effects(locks=(), removals=(), changed=((STORAGE, True),)),),
)


def messages(powers: Powers, needs: Needs = UPGRADE) -> list[str]:
    """Return the obstacles' messages."""
    return [obstacle.message for obstacle in obstacles.found(powers, [needs])]


def test_the_owner_meets_none() -> None:
    assert messages(OWNER) == []


@pytest.mark.parametrize(
    ("powers", "expected"),
    [
        pytest.param(
            replace(OWNER, version=90306),
            "the server is PostgreSQL 9.3, older than 9.4",
            id="old",
        ),
        pytest.param(
            replace(OWNER, standby=True, read_only=True),
            "the server is a standby, which takes no changes",
            id="standby",
        ),
        pytest.param(
            replace(OWNER, creators=frozenset({("col", "collec")})),
            "role 'collec' may not create objects in schema 'gacl'",
            id="schema",
        ),
        pytest.param(
            replace(OWNER, acts_as=frozenset()),
            "table col.storage belongs to 'collec', and 'collec' may not change it",
            id="table",
        ),
    ],
)
def test_obstacle(powers: Powers, expected: str) -> None:
    assert messages(powers)[0] == expected


def test_an_archive_that_cannot_be_created() -> None:
    assert messages(OWNER, replace(UPGRADE, archives=True)) == [
        "role 'collec' may not create schema 'col_archive' in database 'collec'"
    ]


def test_a_member_of_the_owner_may_lack_what_the_owner_needs() -> None:
    member = replace(
        OWNER,
        role="admin",
        acts_as=frozenset({"admin", "collec"}),
        gives_to=frozenset({"admin", "collec"}),
        creators=frozenset({("col", "admin"), ("gacl", "admin"), ("gacl", "collec")}),
    )
    assert messages(member) == [
        "role 'collec', who is to own new objects, may not create any in schema 'col'"
    ]


def test_nothing_to_do_meets_no_obstacle() -> None:
    assert messages(replace(OWNER, standby=True), replace(UPGRADE, idle=True)) == []


def test_what_is_only_perhaps_in_the_way_refuses_nothing() -> None:
    obstacles.refuse([Obstacle(message="a", hint="b", certain=False)])


def test_the_refusal_lists_all() -> None:
    found = [Obstacle(message="one", hint="Do."), Obstacle(message="two", hint="Do.")]
    with pytest.raises(NotPossible, match=r"nothing was touched:\n    one\n    two") as refused:
        obstacles.refuse(found)
    assert refused.value.hint == "Do."
