"""Batch assignment plans: which reviewer each of many cases would go to, and why. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .candidacy import IDLE, CandidateResult, MatchCase, Workload
from .panel_ranking import PanelRanking

# The page lists the reasons of this many ineligible reviewers; all of them are counted.
CLOSEST_SHOWN = 10


class CanBeRanked(Protocol):
    """The input of the ranking for one case."""

    @property
    def match_case(self) -> MatchCase: ...
    def rank(self, work: Mapping[int, Workload]) -> PanelRanking:
        """Rank the panel, with the open work of reviewers as it is now."""


@dataclass(frozen=True)
class PlanInput:
    """The input of a plan for one case."""

    case_id: int
    version: int
    ranking: CanBeRanked
    is_overdue: bool = False
    why_not: str = ""  # why the case cannot be assigned to anyone now


@dataclass(frozen=True)
class PlanStep:
    """One case of a plan: the proposed reviewer, if any, and how many reviewers are ineligible."""

    case_id: int
    case_number: str
    version: int
    chosen: CandidateResult | None
    kept_out: int
    counts: Sequence[tuple[int, str]]
    refused: Sequence[
        CandidateResult
    ]  # ineligible reviewers: those with the fewest reasons, or all
    why_not: str = ""  # why the case cannot be assigned to anyone now

    @property
    def reasons(self) -> list[str]:
        """Why the proposed reviewer is ranked first."""
        return [reason.sentence for reason in self.chosen.reasons] if self.chosen else []


def plan_assignments(
    cases: Iterable[PlanInput], *, work: Mapping[int, Workload], in_full: str = ""
) -> Iterator[PlanStep]:
    """Propose the best reviewer for each case, in the given order.

    Cases proposed earlier in the plan count as workload, so capacity is never exceeded.

    :param work: the open work of each reviewer who has any.
    :param in_full: the number of a case for which all ineligible reviewers are listed.
    """
    # A copy that grows, because nothing is stored until the plan is executed.
    work = dict(work)
    for asked in cases:
        match_case = asked.ranking.match_case
        # The case keeps its line in the plan, so that the page can show why it has no proposal.
        if asked.why_not:
            yield PlanStep(
                asked.case_id, match_case.case_number, asked.version, None, 0, (), (), asked.why_not
            )
            continue
        placed = asked.ranking.rank(work)
        best = placed.best
        if best:
            work[best.reviewer_id] = work.get(best.reviewer_id, IDLE).with_offer(
                # An overdue case counts toward the limit on overdue cases as well.
                on=match_case.on,
                is_overdue=asked.is_overdue,
            )
        yield PlanStep(
            case_id=asked.case_id,
            case_number=match_case.case_number,
            version=asked.version,
            chosen=best,
            kept_out=placed.refused_number,
            counts=placed.refusal_counts,
            refused=placed.list_refused()
            if match_case.case_number == in_full
            else placed.list_closest(CLOSEST_SHOWN),
        )
