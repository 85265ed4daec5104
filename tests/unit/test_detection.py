"""What a catalog alone tells: every version, every lost fact, wrong numbers. No database."""

from dataclasses import replace

import pytest

from collec_migrations import versions
from collec_migrations import versions as chain
from collec_migrations.bridge import decision, detection, report, structure
from collec_migrations.bridge.decision import Answer
from collec_migrations.bridge.detection import Schema
from collec_migrations.bridge.difference import Severity
from collec_migrations.bridge.records import Records
from collec_migrations.bridge.views import Returned
from collec_migrations.catalog import Catalog, Fact
from collec_migrations.names import Names
from collec_migrations.versions import Shape

SHAPES = [(version, shape) for version in versions.VERSIONS
          for shape, _ in versions.shapes(version)]  # fmt: skip


def records(*numbers: str, version: str = "26.2") -> Records:
    """Return what a database says that has rows with these numbers."""
    rows: dict[tuple[str, str], list[dict[str, object]]] = {}
    if version in ("2.0", "2.1"):
        ids = (1,) if version == "2.0" else (1, 2)
        rows["col", "dbparam"] = [{"dbparam_id": number} for number in ids]
    if versions.is_recorded(version):
        rows["col", "dbversion"] = [
            {"dbversion_id": place, "dbversion_number": number}
            for place, number in enumerate(numbers)
        ]
    return Records(rows=rows)


def evidence(version: str, catalog: Catalog) -> decision.Evidence:
    """Return what is read of a database that says its version as it should."""
    numbers = (version,) if versions.is_recorded(version) else ()
    return decision.Evidence(
        names=Names(),
        observed=catalog,
        records=records(*numbers, version=version),
        returned=(Returned("last_movement", "1.0" if version == "1.0" else "1.0.4", True),),
    )


def known(version: str, shape: Shape = Shape.UPGRADED) -> Catalog:
    """Return a catalog that is there."""
    found = versions.catalog(version, shape)
    assert found is not None
    return found


@pytest.mark.parametrize(("version", "shape"), SHAPES)
def test_every_catalog_is_recognised_exactly(version: str, shape: Shape) -> None:
    answer = decision.decide(evidence(version, known(version, shape)))
    assert (answer.answer, answer.versions) == (Answer.EXACT, (version,))
    assert not answer.serious


@pytest.mark.parametrize("version", ["2.4", "2.5", "2.8.1"])
def test_a_frozen_default_is_told_and_does_not_hide_the_version(version: str) -> None:
    answer = decision.decide(evidence(version, known(version)))
    assert answer.answer is Answer.EXACT
    assert [one.name for one in answer.differences] == ["object.change_date"]
    assert "frozen" in answer.differences[0].sentence


@pytest.mark.parametrize(
    ("version", "shape"),
    [("1.0", Shape.UPGRADED), ("1.1", Shape.UPGRADED), ("26.2", Shape.UPGRADED),
     ("26.2", Shape.FRESH)],
)  # fmt: skip
def test_every_lost_fact_is_the_same_version_and_one_line(version: str, shape: Shape) -> None:
    catalog = known(version, shape)
    other = Shape.FRESH if shape is Shape.UPGRADED else Shape.UPGRADED
    for fact in sorted(catalog.facts):
        if fact.kind == "table":  # a table does not go without its columns: see below
            continue
        observed = Catalog(catalog.facts - {fact})
        told = structure.differences(
            expected=catalog, observed=observed, alternative=versions.catalog(version, other)
        )
        assert len(told) == 1, fact


@pytest.mark.parametrize("version", ["1.1", "26.2"])
def test_every_lost_thing_leaves_the_version(version: str) -> None:
    catalog = known(version)
    for fact in sorted(catalog.facts)[:: 1 if version == "1.1" else 5]:
        if fact.kind != "table":
            answer = decision.decide(evidence(version, Catalog(catalog.facts - {fact})))
            assert answer.versions == (version,), fact


@pytest.mark.parametrize("version", ["1.1", "26.2"])
def test_a_lost_table_is_one_line(version: str) -> None:
    catalog = known(version)
    for table in sorted(fact for fact in catalog.facts if fact.kind == "table"):
        observed = Catalog(frozenset(one for one in catalog.facts if not _of(one, table)))
        told = structure.differences(expected=catalog, observed=observed)
        assert [one.name for one in told if one.kind != "view"] == [table.name]
        assert told[0].severity is Severity.BREAKS


def _of(fact: Fact, table: Fact) -> bool:
    """Say whether `drop table ... cascade` takes a fact."""
    pointing = f" REFERENCES {table.name}("
    if fact.kind == "constraint" and pointing in fact.definition:
        return True
    if fact.role != table.role:
        return False
    if fact.kind == "index":
        return f" {table.name} USING" in fact.definition
    if fact.kind == "sequence":
        return fact.definition.startswith(f"owned by {table.name}.")
    return fact == table or fact.name.startswith(f"{table.name}.")


@pytest.mark.parametrize(
    ("shape_of", "numbers", "said"),
    [
        ("2.7", ("2.6",), "release 2.7.0"),
        ("26.0", ("25.1",), "never was a version 25.1"),
        ("1.1", (), "says nothing"),
        ("1.1", ("1.0.8",), "says 1.0.8"),
        ("26.2", ("26.1",), "says 26.1"),
    ],
)
def test_a_wrong_number_is_told_and_not_preferred(
    shape_of: str, numbers: tuple[str, ...], said: str
) -> None:
    seen = replace(evidence(shape_of, known(shape_of)), records=records(*numbers, version=shape_of))
    answer = decision.decide(seen)
    assert answer.version == shape_of
    assert not answer.is_sound
    assert said in report.detected(answer, chain=())


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("1.2.3", ("1.2", "1.2.3")), ("2.8.1", ("2.8", "2.8.1")), ("26.0", ("25.0", "26.0")),
     ("24.1", ("24.1",)), ("26.0", ("25.1", "26.0")), ("1.1", ("1.0.8", "1.1"))],
)  # fmt: skip
def test_rows_that_installers_leave_are_no_fault(version: str, numbers: tuple[str, ...]) -> None:
    shape = Shape.FRESH if versions.catalog(version, Shape.FRESH) else Shape.UPGRADED
    seen = replace(
        evidence(version, known(version, shape)), records=records(*numbers, version=version)
    )
    assert decision.decide(seen).answer is Answer.EXACT


def test_the_installer_of_26_0_0_is_known_for_what_it_is() -> None:
    gone = {"borrowing.borrowing_comment", "subsample.createdsample_id", "v_sample_parents",
            "container_type.nbobject_by_slot", "sample_type.sample_type_code",
            "label.logo", "dbparamname_idx"}  # fmt: skip
    catalog = known("26.0")
    left = Catalog(frozenset(
        one for one in catalog.facts
        if one.name not in gone and "createdsample" not in one.definition + one.name
    ))  # fmt: skip
    answer = decision.decide(replace(evidence("26.0", left), records=records("25.1")))
    assert answer.versions == ("26.0",)
    assert all(one.known for one in answer.serious)


@pytest.mark.parametrize(("version", "twin"), [("1.0", "1.0.4"), ("2.0", "2.1")])
def test_twins_are_ambiguous_when_nothing_tells_them_apart(version: str, twin: str) -> None:
    seen = evidence(version, known(version))
    answer = decision.decide(replace(seen, returned=(), records=Records()))
    assert answer.answer is Answer.AMBIGUOUS
    assert {version, twin} <= set(answer.versions)


def test_half_of_a_step_names_both_versions() -> None:
    for older, newer in versions.steps():
        before, after = known(older), known(newer)
        # Tables first, as a step makes them: there is no column without its table.
        added = sorted(after.facts - before.facts, key=lambda one: (one.kind != "table", one))
        if len(added) < 4:
            continue
        half = Catalog(before.facts | frozenset(added[: len(added) // 2]))
        answer = decision.decide(evidence(older, half))
        assert answer.versions == (older, newer)


def test_nothing_of_it_is_empty_rights_alone_are_said_and_others_are_refused() -> None:
    whole = known("1.1")
    gacl = Catalog(frozenset(fact for fact in whole.facts if fact.role == "gacl"))
    other = Catalog.of([("col", "table", "document", ""), ("col", "table", "event", "")])
    answers = [decision.decide(evidence("1.1", one)).answer
               for one in (Catalog(frozenset()), gacl, other)]  # fmt: skip
    assert answers == [Answer.EMPTY, Answer.ONLY_GACL, Answer.OTHER]


def test_markers_are_the_tables_of_every_version() -> None:
    for role, names in (("gacl", decision.GACL), ("col", decision.COL)):
        common = set.intersection(
            *({fact.name for fact in catalog.facts if fact[:2] == (role, "table")}
              for version in versions.VERSIONS for _, catalog in versions.shapes(version))
        )  # fmt: skip
        assert common == set(names)


def test_data_schemas_go_with_the_rights_schema_that_they_use() -> None:
    def schema(name: str, gacl: int, col: int, *uses: str) -> Schema:
        return Schema(name=name, gacl_tables=gacl, col_tables=col, uses=uses)

    found = detection.pair(
        [schema("r1", 8, 0), schema("r2", 8, 0), schema("a", 0, 21, "r1"),
         schema("b", 0, 21, "r2"), schema("c", 0, 20, "r1"), schema("d", 0, 21)]
    )  # fmt: skip
    assert {(one.gacl, one.col) for one in found.pairs} == {("r1", "a"), ("r2", "b"), ("r1", "c")}
    assert found.unpaired == ("d",)


def test_the_chain_has_the_versions_that_have_revisions() -> None:
    revisions = sorted(chain.versions_folder().glob("v*.py"))
    names = {path.stem.removeprefix("v").replace("_", ".") for path in revisions}
    assert set(chain.in_chain()) == names
    assert (chain.in_chain()[0], chain.in_chain()[-1]) == ("1.0", "26.2")
