"""Testing a reviewer against the parties of a case, and settling what only a person can."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse
from cases.models import Case, Event
from cases.services import house_ties
from deadlines.days import local_day
from directory.ties import Tie
from reviewers import policies
from reviewers.candidates import ties_of
from reviewers.models import ConflictResult, Reviewer
from reviewers.profiles import profile


@transaction.atomic
def test_conflicts(
    *, case_id: int, reviewer_id: int, by: User | None, at: datetime
) -> list[ConflictResult]:
    """Test a reviewer against every party of a case as it stands, and store each result.

    Rows only grow: each test leaves its own, with the version of the party list that it tested.
    """
    case = Case.objects.lock(case_id)
    reviewer = Reviewer.objects.get(pk=reviewer_id)
    facts = profile(reviewer, on=local_day(at), known_at=at)
    return store_results(
        case=case, found={reviewer.pk: ties_of(case, facts, known_at=at)}, by=by, at=at
    )


# pytest would take the service for a test where it is imported.
test_conflicts.__test__ = False  # type: ignore[attr-defined]


def test_house_first(*, case_id: int, by: User, at: datetime) -> None:
    """Look for ties of this organisation before a reviewer is chosen.

    In a transaction of its own: what it finds stays on file also where it refuses the choice.
    """
    if by.may("reviewers.assign"):
        house_ties.examine_case(case_id=case_id, by=by, at=at)


test_house_first.__test__ = False  # type: ignore[attr-defined]


def store_results(
    *,
    case: Case,
    found: Mapping[int, Sequence[Tie]],
    by: User | None,
    at: datetime,
) -> list[ConflictResult]:
    """Store ties of reviewers to the parties of a locked case, in one statement."""
    return ConflictResult.objects.bulk_create(
        [
            ConflictResult(
                case=case,
                reviewer_id=reviewer_id,
                party_id=tie.party_id,
                party_list_version=case.party_list_version,
                relation=tie.relation,
                result=tie.result,
                tested=list(tie.tested),
                sentence=tie.sentence,
                tested_at=at,
                tested_by=by,
            )
            for reviewer_id, ties in found.items()
            for tie in ties
        ]
    )


@transaction.atomic
def settle(
    *, result_id: int, result: ConflictResult.Result | str, note: str, by: User, at: datetime
) -> ConflictResult:
    """Answer what was unknown, with a note; the unknown stays readable beside the answer.

    :raises NotAllowed: the reviewer themself, wrong role, no note, already settled, or not unknown.
    """
    case_id = ConflictResult.objects.values_list("case_id", flat=True).get(pk=result_id)
    case = Case.objects.lock(case_id)
    unknown = ConflictResult.objects.select_related("reviewer", "party").get(pk=result_id)
    refuse(policies.why_not_settle(by, unknown.reviewer))
    if unknown.result != ConflictResult.Result.UNKNOWN:
        refuse("This result is not open: there is nothing to settle.")
    if ConflictResult.objects.filter(settles=unknown).exists():
        refuse("Someone has settled this already. Reload the page to see how.")
    if result not in {ConflictResult.Result.PASS, ConflictResult.Result.FAIL}:
        refuse("Say whether there is a conflict or not.")
    if not note.strip():
        refuse("Write a note: how do you know?")
    settled = ConflictResult.objects.create(
        case=case,
        reviewer=unknown.reviewer,
        party=unknown.party,
        party_list_version=case.party_list_version,
        relation=unknown.relation,
        tested=[unknown.relation],
        result=result,
        sentence=unknown.sentence,
        note=note.strip()[:300],
        tested_at=at,
        tested_by=by,
        settles=unknown,
    )
    # Neither the reviewer nor the note: everybody on the case reads the timeline.
    found = "there is none" if result == ConflictResult.Result.PASS else "there is one"
    Event.objects.create(
        case=case,
        kind=Event.Kind.CHANGED,
        happened_at=at,
        by=by,
        sentence=f"A possible conflict of a reviewer was settled: {found}.",
        facts={"settles": unknown.pk, "result": settled.result},
    )
    return settled


def open_questions(case: Case, reviewer_ids: Iterable[int]) -> list[ConflictResult]:
    """The unknown results of a case that nobody has settled, one for each question."""
    rows = (
        ConflictResult.objects.filter(
            case=case, reviewer_id__in=list(reviewer_ids), result=ConflictResult.Result.UNKNOWN
        )
        .select_related("reviewer", "party")
        .order_by("-pk")
    )
    settled = set(
        ConflictResult.objects.filter(case=case, settles__isnull=False).values_list(
            "reviewer_id", "party_id", "relation"
        )
    )
    latest: dict[tuple[int, int, str], ConflictResult] = {}
    for row in rows:
        key = (row.reviewer_id, row.party_id, row.relation)
        if key not in settled:
            latest.setdefault(key, row)
    return list(latest.values())
