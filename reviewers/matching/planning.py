"""Batch assignment plans: which reviewer each of many cases would go to, and why. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from . import ranking
from .candidacy import CandidateData, MatchCase, Verdict

# The page lists the reasons of this many ineligible reviewers; all of them are counted.
CLOSEST_SHOWN = 10


@dataclass(frozen=True)
class PlanInput:
    """The input of a plan for one case."""

    case_id: int
    version: int
    question: MatchCase
    people: Sequence[CandidateData]
    is_overdue: bool = False
    why_not: str = ""  # why the case cannot be assigned to anyone now


@dataclass(frozen=True)
class PlanStep:
    """One case of a plan: the proposed reviewer, if any, and how many reviewers are ineligible."""

    case_id: int
    case_number: str
    version: int
    chosen: Verdict | None
    kept_out: int
    counts: Sequence[tuple[int, str]]
    refused: Sequence[Verdict]  # ineligible reviewers: those with the fewest reasons, or all
    why_not: str = ""  # why the case cannot be assigned to anyone now

    @property
    def reasons(self) -> list[str]:
        """Why the proposed reviewer is ranked first."""
        return [reason.sentence for reason in self.chosen.reasons] if self.chosen else []


def plan_assignments(cases: Iterable[PlanInput], *, in_full: str = "") -> Iterator[PlanStep]:
    """Propose the best reviewer for each case, in the given order.

    Cases proposed earlier in the plan count as workload, so capacity is never exceeded.

    :param in_full: the number of a case for which all ineligible reviewers are listed.
    """
    # Counted here, because nothing is stored until the plan is executed.
    given: Counter[int] = Counter()
    late: Counter[int] = Counter()
    for asked in cases:
        question = asked.question
        # The case keeps its line in the plan, so that the page can show why it has no proposal.
        if asked.why_not:
            yield PlanStep(
                asked.case_id, question.case_number, asked.version, None, 0, (), (), asked.why_not
            )
            continue
        verdicts = ranking.rank_candidates(
            question, [_add_planned_work(one, question, given, late) for one in asked.people]
        )
        # Eligible reviewers come first, so the first verdict shows whether there is one.
        chosen = verdicts[0] if verdicts and verdicts[0].is_eligible else None
        if chosen:
            given[chosen.reviewer_id] += 1
            # An overdue case counts toward the limit on overdue cases as well.
            late[chosen.reviewer_id] += asked.is_overdue
        refused = [one for one in verdicts if not one.is_eligible]
        yield PlanStep(
            case_id=asked.case_id,
            case_number=question.case_number,
            version=asked.version,
            chosen=chosen,
            kept_out=len(refused),
            counts=ranking.count_refusals(refused),
            refused=refused
            if question.case_number == in_full
            else find_closest_candidates(refused),
        )


def find_closest_candidates(refused: Iterable[Verdict]) -> list[Verdict]:
    """Return the ineligible reviewers with the fewest reasons, who are closest to eligible."""
    return sorted(refused, key=lambda one: (len(one.refusals), one.code))[:CLOSEST_SHOWN]


def _add_planned_work(
    applicant: CandidateData, question: MatchCase, given: Counter[int], late: Counter[int]
) -> CandidateData:
    """Return the applicant with the cases that the plan has proposed so far."""
    pk = applicant.profile.reviewer_id
    # Most reviewers have no case in the plan so far and need no copy.
    if not given[pk]:
        return applicant
    return replace(
        applicant,
        workload=applicant.workload + given[pk],
        overdue=applicant.overdue + late[pk],
        record=applicant.record.with_offers(given[pk], on=question.on),
    )
