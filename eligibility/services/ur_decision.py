"""Records what the UR decision states, and compares it with the application as entered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import Case, DisputedItem, Event, Role
from eligibility import differences, policies
from eligibility.differences import Difference
from eligibility.models import DifferenceAnswer, URReading


@dataclass(frozen=True)
class DecisionReading:
    """The UR decision as a person read it; empty if it does not state a fact."""

    employee: str = ""
    claim_number: str = ""
    date_of_injury: date | None = None
    date_of_injury_printed: str = ""
    items: Sequence[str] = ()


@dataclass(frozen=True)
class ListedDifference:
    """One difference, with the person's answer; ``None`` if it is not answered yet."""

    difference: Difference
    answer: DifferenceAnswer | None


@transaction.atomic
def record_ur_reading(
    *,
    case_id: int,
    as_read: DecisionReading,
    outcomes: Mapping[int, str],
    experimental: Mapping[int, bool | None] | None = None,
    seen_version: int | None = None,
    by: User,
    at: datetime,
) -> list[ListedDifference]:
    """Record a reading of the UR decision: the employee, the claim, and the outcome of each item.

    :param outcomes: item id to its UR outcome; an empty text removes an earlier entry.
    :param experimental: item id to whether the decision calls it experimental or investigational;
        ``None`` if it does not say. Items left out are not changed.
    :raises NotAllowed: wrong role, the case is past screening, or an item of another case.
    :raises Stale: someone else changed the case in between.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_read_ur_decision(by, case))
    case.refuse_if_stale(seen_version)
    # One reading per case; a new reading replaces it, and the history keeps the old one.
    reading = URReading.objects.filter(case=case).first() or URReading(case=case)
    reading.employee, reading.claim_number = as_read.employee.strip(), as_read.claim_number.strip()
    reading.date_of_injury = as_read.date_of_injury
    reading.date_of_injury_printed = as_read.date_of_injury_printed
    reading.items = [line.strip() for line in as_read.items if line.strip()]
    reading.store(by=by, at=at, why="The UR decision as read")
    _store_item_outcomes(case, outcomes, experimental or {}, by=by, at=at)
    # A new version makes open eligibility pages stale, because they do not show this reading.
    case.store(by=by, at=at, why="The UR decision was read", fields=[])
    found = list_differences(case)
    count = sum(1 for one in found if one.answer is None)
    special = {0: "no differences from the application", 1: "one difference to answer"}
    words = special.get(count, f"{count} differences to answer")
    _record_event(case, f"UR decision read: {words}.", by=by, at=at)
    return found


@transaction.atomic
def answer_differences(
    *,
    case_id: int,
    answers: Mapping[str, str],
    notes: Mapping[str, str],
    by: User,
    at: datetime,
) -> list[ListedDifference]:
    """Record answers to the differences between the application and the UR decision.

    :param answers: key of a difference to SAME, TYPING_ERROR or DIFFERENT.
    :raises NotAllowed: wrong role, the case is past screening, a difference that is not listed, or
        no answer.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_read_ur_decision(by, case))
    listed = {one.difference.key: one for one in list_differences(case)}
    # A key contains both values, so an old page cannot answer a difference that has changed.
    if not answers or not set(answers) <= set(listed):
        refuse_if("These differences have changed. Reload the page and answer again.")
    for key, answer in answers.items():
        if answer not in DifferenceAnswer.Answer.values:
            refuse_if("Choose an answer for each difference.")
        difference, row = listed[key].difference, listed[key].answer
        row = row or DifferenceAnswer(
            case=case,
            key=key,
            field=difference.field,
            on_application=difference.on_application,
            on_ur_decision=difference.on_ur_decision,
        )
        row.answer, row.note = answer, notes.get(key, "")[:300]
        row.store(by=by, at=at, why="Application against UR decision")
    # Open eligibility pages become stale, because the proposal depends on these answers.
    case.store(by=by, at=at, why="Differences answered", fields=[])
    left = len(list_open_differences(case))
    words = f"{len(answers)} answered, {left} open" if left else f"{len(answers)} answered"
    _record_event(case, f"Differences from the UR decision: {words}.", by=by, at=at)
    return list_differences(case)


def list_differences(case: Case) -> list[ListedDifference]:
    """List the differences between the application and the UR decision; none before a reading."""
    reading = URReading.objects.filter(case=case).first()
    if reading is None:
        return []
    named = case.parties.current().filter(role=Role.EMPLOYEE, valid_to__isnull=True)
    employee = named.order_by("pk").last()
    found = differences.compare_documents(
        differences.DocumentFacts(
            employee=employee.name if employee else "",
            claim_number=case.claim_number,
            date_of_injury=case.date_of_injury,
            items=list(case.items.order_by("position").values_list("title", flat=True)),
        ),
        differences.DocumentFacts(
            employee=reading.employee,
            claim_number=reading.claim_number,
            date_of_injury=reading.date_of_injury,
            items=reading.items,
        ),
    )
    answers = {row.key: row for row in case.difference_answers.all()}
    return [ListedDifference(one, answers.get(one.key)) for one in found]


def list_open_differences(case: Case) -> list[Difference]:
    """List the differences that are not answered yet."""
    return [one.difference for one in list_differences(case) if one.answer is None]


def find_confirmed_differences(case: Case) -> tuple[set[int], tuple[str, ...]]:
    """Find the differences that a person has answered as real.

    :returns: the positions of items that the UR decision does not name, and the labels of facts
        that show that it is another decision. Unanswered differences do not count.
    """
    really = [
        one.difference
        for one in list_differences(case)
        if one.answer and one.answer.answer == DifferenceAnswer.Answer.DIFFERENT
    ]
    items = {
        one.item
        for one in really
        # A wording that is really different means that the decision does not name the applied item.
        if one.item and one.field in {differences.ONLY_APPLIED, differences.WORDING}
    }
    another = {differences.EMPLOYEE, differences.CLAIM, differences.INJURY}
    return items, tuple(one.label.lower() for one in really if one.field in another)


def _store_item_outcomes(
    case: Case,
    outcomes: Mapping[int, str],
    experimental: Mapping[int, bool | None],
    *,
    by: User,
    at: datetime,
) -> None:
    items = {item.pk: item for item in case.items.all()}
    if not {*outcomes, *experimental} <= set(items):
        refuse_if("Choose items of this case.")
    for pk, item in items.items():
        outcome = outcomes.get(pk, item.ur_outcome)
        if outcome and outcome not in DisputedItem.UROutcome.values:
            refuse_if("Choose the UR outcome from the list.")
        stated = experimental.get(pk, item.is_experimental)
        if (outcome, stated) == (item.ur_outcome, item.is_experimental):
            continue
        item.ur_outcome, item.is_experimental = outcome, stated
        fields = ["ur_outcome", "is_experimental"]
        item.store(by=by, at=at, why="As the UR decision says", fields=fields)


def _record_event(case: Case, sentence: str, *, by: User, at: datetime) -> None:
    Event.objects.create(
        case=case, kind=Event.Kind.CHANGED, happened_at=at, by=by, sentence=sentence
    )
