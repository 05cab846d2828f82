"""Giving many cases away at once, on paper: who would get each, and why. Pure, like matching."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from . import ranking
from .candidacy import Applicant, Question, Verdict

# So many of those who are kept out are told of by sentences, the nearest first; all are counted.
NEAREST = 10


@dataclass(frozen=True)
class Asked:
    """One case as a plan is asked about it."""

    case_id: int
    version: int
    question: Question
    people: Sequence[Applicant]
    is_overdue: bool = False
    why_not: str = ""  # why no one at all may be given it now


@dataclass(frozen=True)
class Step:
    """One case of a plan: who would get it, if anybody, and how many each requirement keeps out."""

    case_id: int
    case_number: str
    version: int
    chosen: Verdict | None
    kept_out: int
    counts: Sequence[tuple[int, str]]
    refused: Sequence[Verdict]  # the nearest of those who are kept out, or all
    why_not: str = ""  # why no one at all may be given it now

    @property
    def reasons(self) -> list[str]:
        """Why the one who is proposed comes first."""
        return [reason.sentence for reason in self.chosen.reasons] if self.chosen else []


def plan(cases: Iterable[Asked], *, in_full: str = "") -> Iterator[Step]:
    """Each case in its order to whoever comes first for it.

    What the plan itself gives away counts: a reviewer's last free place is given once.

    :param in_full: the number of a case for which everyone who is kept out is told of.
    """
    given: Counter[int] = Counter()
    late: Counter[int] = Counter()
    for asked in cases:
        question = asked.question
        if asked.why_not:
            yield Step(
                asked.case_id, question.case_number, asked.version, None, 0, (), (), asked.why_not
            )
            continue
        verdicts = ranking.rank(
            question, [_with(one, question, given, late) for one in asked.people]
        )
        chosen = verdicts[0] if verdicts and verdicts[0].is_eligible else None
        if chosen:
            given[chosen.reviewer_id] += 1
            late[chosen.reviewer_id] += asked.is_overdue
        refused = [one for one in verdicts if not one.is_eligible]
        yield Step(
            case_id=asked.case_id,
            case_number=question.case_number,
            version=asked.version,
            chosen=chosen,
            kept_out=len(refused),
            counts=ranking.counts(refused),
            refused=refused if question.case_number == in_full else nearest(refused),
        )


def nearest(refused: Iterable[Verdict]) -> list[Verdict]:
    """Those whom the fewest requirements keep out, by code: what could be mended is seen first."""
    return sorted(refused, key=lambda one: (len(one.refusals), one.code))[:NEAREST]


def _with(
    applicant: Applicant, question: Question, given: Counter[int], late: Counter[int]
) -> Applicant:
    """The applicant as they will stand once the plan so far is carried out."""
    pk = applicant.profile.reviewer_id
    if not given[pk]:
        return applicant
    return replace(
        applicant,
        workload=applicant.workload + given[pk],
        overdue=applicant.overdue + late[pk],
        record=applicant.record.with_offers(given[pk], on=question.on),
    )
