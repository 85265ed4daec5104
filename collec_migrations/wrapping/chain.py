"""Which scripts continue the chain of versions, in which order, without a gap. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collec_migrations import versions as releases
from collec_migrations.errors import UsageError
from collec_migrations.wrapping import naming
from collec_migrations.wrapping.naming import Named


class ChainBroken(UsageError):
    """Scripts that do not continue the chain of versions one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the chain and the files that take it, in their order."""

    old: str
    new: str
    files: tuple[Named, ...]

    @property
    def title(self) -> str:
        """The step as errata name it."""
        return f"{self.old}-{self.new}"


Included = Mapping[Named, frozenset[str]]
"""The names of the files that each file includes, directly or not."""


def steps(found: Iterable[Named], included: Included) -> tuple[Step, ...]:
    """Return one step for each pair of versions, in order; raise `ChainBroken` for two scripts.

    A wrapper that includes the others of its step stands for them; gacl's and col's own script
    of one step belong together.
    """
    by_step: dict[tuple[str, str], list[Named]] = {}
    for named in found:
        by_step.setdefault(named.step, []).append(named)
    ordered = sorted(by_step, key=lambda step: (releases.order(step[0]), releases.order(step[1])))
    return tuple(
        Step(old=old, new=new, files=_files(by_step[old, new], included)) for old, new in ordered
    )


def _files(found: Sequence[Named], included: Included) -> tuple[Named, ...]:
    names = {name for named in found for name in included.get(named, frozenset())}
    left = sorted(
        (named for named in found if named.path.name not in names),
        key=lambda named: naming.RANK[named.kind],
    )
    kinds = [named.kind for named in left]
    if len(set(kinds)) < len(kinds) or ("upgrade" in kinds and len(kinds) > 1):
        shown = " and ".join(str(named.path) for named in left)
        raise ChainBroken(
            f"two scripts for the step from {left[0].old} to {left[0].new}: {shown}",
            hint="Give the one that is right, by its name.",
        )
    return tuple(left)


def continuing(
    found: Sequence[Step], versions: Sequence[str]
) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Return the steps that continue the chain, and those that lead to versions it has.

    `versions` is the chain so far, oldest first. Raise `ChainBroken` for a gap or a fork.
    """
    new = [step for step in found if step.new not in versions]
    there = tuple(step for step in found if step.new in versions)
    head = versions[-1]
    for number, step in enumerate(new):
        if step.old == head:
            head = step.new
            continue
        if number and step.old == new[number - 1].old:
            first, second = new[number - 1], step
            raise ChainBroken(
                f"two ways lead on from {step.old}: to {first.new} and to {second.new}",
                hint="Give the scripts of one of them, by their names.",
            )
        raise ChainBroken(
            f"a script from {head} is missing: the next one goes from {step.old} to {step.new}"
            f" ({step.files[0].path})",
            hint=f"Give the script that leads from {head} on; releases of the application have "
            "it in the folder install/pgsql.",
        )
    return tuple(new), there


def real(found: Iterable[Named], known: Sequence[str]) -> tuple[list[Named], list[Named]]:
    """Return the files for versions that exist or may still come, and the others.

    A release shipped a script to 25.1, a version that never was: nothing leads on from it.
    """
    newest = releases.order(known[-1])
    real_: list[Named] = []
    others: list[Named] = []
    for named in found:
        is_real = named.new in known or releases.order(named.new) > newest
        (real_ if is_real else others).append(named)
    return real_, others
