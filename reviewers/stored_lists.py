"""How a ranking is stored: every reviewer with rank, score and reasons, in one small value. Pure.

A panel of thousands has far fewer different reasons than reviewers, and most reviewers have exactly
the same reasons as many others. So every reason is written once, then every group of reasons that
some reviewer has, and for each reviewer only the number of the group.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class StoredReason(Protocol):
    """A reason as a ranking gives it."""

    @property
    def requirement(self) -> str: ...
    @property
    def is_met(self) -> bool: ...
    @property
    def sentence(self) -> str: ...


@dataclass(frozen=True)
class StoredCandidate:
    """A reviewer on a stored list.

    :ivar rank: ``None`` if not eligible, and then ``score`` as well.
    :ivar reasons: mappings with ``requirement``, ``holds`` and ``sentence``. Shared with others who
        have the same reasons, so they must not be changed.
    """

    reviewer_id: int
    rank: int | None
    score: int | None
    reasons: tuple[Mapping[str, Any], ...]

    @property
    def refusing_requirements(self) -> frozenset[str]:
        """The requirements that the reviewer does not meet."""
        return frozenset(one["requirement"] for one in self.reasons if not one["holds"])


def pack_candidates(
    candidates: Iterable[tuple[int, int | None, tuple[StoredReason, ...]]],
) -> dict[str, Any]:
    """Pack a ranking for storage.

    :param candidates: reviewer id, score and reasons of each, in the order of the ranking. The
        eligible ones, which have a score, come first.
    """
    numbers: dict[tuple[str, bool, str], int] = {}
    groups: dict[tuple[StoredReason, ...], int] = {}
    # The same group mostly is the same object too, which is found without comparing sentences.
    number_of_object: dict[int, int] = {}
    rows: list[list[int]] = []
    kept_alive: list[Any] = []
    packed_groups: list[list[int]] = []
    for reviewer_id, score, reasons in candidates:
        number = number_of_object.get(id(reasons))
        if number is None:
            number = groups.setdefault(reasons, len(groups))
            number_of_object[id(reasons)] = number
            kept_alive.append(reasons)  # an id belongs to an object only while that exists
            if number == len(packed_groups):
                packed_groups.append(
                    [
                        numbers.setdefault(
                            (one.requirement, one.is_met, one.sentence), len(numbers)
                        )
                        for one in reasons
                    ]
                )
        rows.append([reviewer_id, number] if score is None else [reviewer_id, number, score])
    return {
        "reasons": [list(reason) for reason in numbers],
        "groups": packed_groups,
        "reviewers": rows,
    }


def unpack_candidates(content: Mapping[str, Any]) -> tuple[StoredCandidate, ...]:
    """Read back what ``pack_candidates`` returned, in the same order. Ranks count from 1."""
    reasons = [
        {"requirement": requirement, "holds": holds, "sentence": sentence}
        for requirement, holds, sentence in content.get("reasons", [])
    ]
    groups = [tuple(reasons[n] for n in group) for group in content.get("groups", [])]
    return tuple(
        StoredCandidate(
            reviewer_id=row[0],
            # Only the eligible have a score, and they come first.
            rank=place if len(row) > 2 else None,
            score=row[2] if len(row) > 2 else None,
            reasons=groups[row[1]],
        )
        for place, row in enumerate(content.get("reviewers", []), start=1)
    )
