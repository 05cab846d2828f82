"""Giving many cases away at once, on paper: who would get each, and why. Pure, like matching."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from . import matching
from .matching import Applicant, Question, Verdict


@dataclass(frozen=True)
class Step:
    """One case of a plan: who would get it, if anybody, and how many each gate keeps out."""

    case_id: int
    case_number: str
    version: int
    chosen: Verdict | None
    refused: Sequence[Verdict]

    @property
    def counts(self) -> list[tuple[int, str]]:
        return matching.counts(self.refused)

    @property
    def reasons(self) -> list[str]:
        """Why the one who is proposed comes first."""
        return [reason.sentence for reason in self.chosen.reasons] if self.chosen else []


def plan(cases: Iterable[tuple[int, int, Question, Sequence[Applicant]]]) -> Iterator[Step]:
    """Each case in its order to whoever comes first for it.

    What the plan itself gives away counts: a reviewer's last free place is given once.

    :param cases: id, version, question and applicants of each.
    """
    given: Counter[int] = Counter()
    for case_id, version, question, people in cases:
        verdicts = matching.rank(question, [_with(one, question, given) for one in people])
        chosen = verdicts[0] if verdicts and verdicts[0].is_eligible else None
        if chosen:
            given[chosen.reviewer_id] += 1
        refused = [one for one in verdicts if not one.is_eligible]
        yield Step(case_id, question.case_number, version, chosen, refused)


def _with(applicant: Applicant, question: Question, given: Counter[int]) -> Applicant:
    """The applicant as they will stand once the plan so far is carried out."""
    more = given[applicant.profile.reviewer_id]
    if not more:
        return applicant
    return replace(applicant, workload=applicant.workload + more, last_offered_on=question.on)
