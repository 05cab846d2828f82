"""The panel of a day, compiled to plain rows and classes of like reviewers. Pure.

Most of what decides about a reviewer for a case is the same for many of them: the license kind, the
specialties, the treatments that may be offered. Reviewers who do not differ in these form a class,
and a case is compared with each class once (``panel_ranking``).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from directory.affiliations import FoldedName
from reviewers import conflicts
from reviewers.facts import Profile

from . import ranking, requirements
from .candidacy import CandidateData, DailyResults
from .panel_names import PanelNameIndex


@dataclass(frozen=True)
class Member:
    """A reviewer on the day.

    The profile holds only the affiliations that matter for every case. Those with the parties of
    a case are loaded for that case.
    """

    profile: Profile
    name: FoldedName = field(repr=False)
    allowed_categories: frozenset[int] | None
    days_off: frozenset[int]
    daily_results: DailyResults = field(repr=False)

    @classmethod
    def of(
        cls,
        profile: Profile,
        *,
        allowed_categories: frozenset[int] | None,
        days_off: frozenset[int],
    ) -> "Member":
        """Build a member and check the requirements that do not depend on a case."""
        return cls(
            profile=profile,
            name=conflicts.fold_reviewer_name(profile),
            allowed_categories=allowed_categories,
            days_off=days_off,
            daily_results=requirements.check_daily_requirements(
                CandidateData(profile, days_off=days_off)
            ),
        )


class PanelRow(NamedTuple):
    """What a ranking reads of every reviewer.

    :ivar code_bytes: the code, as the order of equal scores hashes it.
    :ivar daily_number: the same for reviewers with the same daily results.
    :ivar daily_unmet: how many daily requirements are not met.
    """

    reviewer_id: int
    code: str
    code_bytes: bytes
    in_california: bool
    capacity: int
    daily_number: int
    daily_unmet: int
    class_number: int


@dataclass
class ReviewerClass:
    """Reviewers whom a case treats alike, apart from work, conflicts and daily requirements."""

    number: int
    example: Member
    fit: list[PanelRow] = field(default_factory=list)  # who meet every daily requirement
    unfit: list[PanelRow] = field(default_factory=list)
    # How many reviewers fail which daily requirements; those who fail none included.
    daily_counts: Counter[frozenset[str]] = field(default_factory=Counter)

    @cached_property
    def closest_first(self) -> list[PanelRow]:
        """All reviewers, by the number of daily requirements that they fail and by code."""
        return sorted((*self.fit, *self.unfit), key=lambda row: (row.daily_unmet, row.code))


class CompiledPanel:
    """All members of the panel on a day, by code."""

    def __init__(self, members: Iterable[Member]) -> None:
        self.members = tuple(sorted(members, key=lambda one: one.profile.code))
        self.classes: list[ReviewerClass] = []
        self.rows: dict[int, PanelRow] = {}
        # The requirements that daily results of each number refuse.
        self.daily_requirements: list[frozenset[str]] = []
        self._build_rows()

    def _build_rows(self) -> None:
        class_of: dict[Any, ReviewerClass] = {}
        daily_numbers: dict[Any, int] = {}
        for member in self.members:
            daily = member.daily_results
            number = daily_numbers.setdefault((daily.met, daily.unmet), len(daily_numbers))
            refused = frozenset(one.requirement for one in daily.unmet)
            if number == len(self.daily_requirements):
                self.daily_requirements.append(refused)
            key = _describe_class(member)
            if key not in class_of:
                class_of[key] = ReviewerClass(len(self.classes), member)
                self.classes.append(class_of[key])
            own_class = class_of[key]
            profile = member.profile
            row = PanelRow(
                reviewer_id=profile.reviewer_id,
                code=profile.code,
                code_bytes=profile.code.encode(),
                in_california=ranking.is_in_home_state(profile),
                capacity=profile.capacity,
                daily_number=number,
                daily_unmet=len(daily.unmet),
                class_number=own_class.number,
            )
            (own_class.unfit if daily.unmet else own_class.fit).append(row)
            own_class.daily_counts[refused] += 1
            self.rows[profile.reviewer_id] = row

    @cached_property
    def member_of(self) -> dict[int, Member]:
        """The members by reviewer id."""
        return {one.profile.reviewer_id: one for one in self.members}

    @cached_property
    def names(self) -> PanelNameIndex:
        """An index to find members by similar names."""
        return PanelNameIndex((one.profile.reviewer_id, one.name) for one in self.members)

    @cached_property
    def without_capacity(self) -> frozenset[int]:
        """Reviewers who can have no case at all, so that even no open work is too much."""
        return frozenset(pk for pk, row in self.rows.items() if row.capacity <= 0)

    @cached_property
    def with_contracts(self) -> frozenset[int]:
        """Reviewers with an affiliation that matters for every case."""
        return frozenset(
            one.profile.reviewer_id for one in self.members if one.profile.affiliations
        )


def _describe_class(member: Member) -> tuple[Any, ...]:
    """Return what the requirements of a case read of a reviewer, besides work and conflicts."""
    profile = member.profile
    return (
        profile.kind,
        profile.specialties,
        member.allowed_categories,
        tuple((one.treatment, one.valid_to) for one in profile.experience),
    )
