"""Records what the UR decision states, and compares it with the application as entered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import Case, DisputedItem, Event, Party, PartyRole, RFAMethod, URDecision
from eligibility import differences, policies
from eligibility.differences import Difference
from eligibility.models import DifferenceAnswer, URReading


@dataclass(frozen=True)
class DecisionReading:
    """The UR decision as a person read it; empty if it does not state a fact."""

    employee: str = ""
    claim_number: str = ""
    date_of_injury: date | None = None
    injury_last_day: date | None = None
    date_of_injury_printed: str = ""
    items: Sequence[str] = ()


@dataclass(frozen=True)
class RFAReceipt:
    """How the claims administrator received the RFA; empty if the documents do not say.

    :ivar hour: Pacific time of receipt, on the RFA date of the application.
    :ivar method: a value of ``RFAMethod``.
    """

    hour: time | None = None
    method: str = ""
    is_concurrent: bool | None = None


@dataclass(frozen=True)
class KeyedDecision:
    """Everything that a person keyed from a UR decision.

    :ivar outcomes: item id to its UR outcome; an empty text removes an earlier entry.
    :ivar experimental: item id to whether the decision calls it experimental or investigational;
        ``None`` if it does not say. Items left out are not changed.
    :ivar rfa: how the RFA was received; ``None`` leaves what is on file.
    """

    as_read: DecisionReading
    outcomes: Mapping[int, str]
    experimental: Mapping[int, bool | None] = field(default_factory=dict)
    rfa: RFAReceipt | None = None


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
    rfa: RFAReceipt | None = None,
    seen_version: int | None = None,
    by: User,
    at: datetime,
) -> list[ListedDifference]:
    """Record a reading of the UR decision: the employee, the claim, and the outcome of each item.

    :param outcomes: item id to its UR outcome; an empty text removes an earlier entry.
    :param experimental: item id to whether the decision calls it experimental or investigational;
        ``None`` if it does not say. Items left out are not changed.
    :param rfa: how the RFA was received; ``None`` leaves what is on file.
    :raises NotAllowed: wrong role, the case is past screening, an item of another case, or a time
        of the RFA without its date or method.
    :raises Stale: someone else changed the case in between.
    """
    keyed = KeyedDecision(as_read, outcomes, experimental or {}, rfa)
    case = Case.objects.lock(case_id)
    return store_reading(case=case, keyed=keyed, seen_version=seen_version, by=by, at=at)


def store_reading(
    *, case: Case, keyed: KeyedDecision, seen_version: int | None, by: User, at: datetime
) -> list[ListedDifference]:
    """Record a reading of the UR decision of a locked case; see ``record_ur_reading``."""
    refuse_if(policies.why_not_read_ur_decision(by, case))
    case.refuse_if_stale(seen_version)
    # One reading per case; a new reading replaces it, and the history keeps the old one.
    on_file = URReading.objects.filter(case=case).first()
    is_printed = on_file is not None or keyed.as_read != DecisionReading()
    # Without a printed text there is nothing to compare, so no reading is stored.
    if is_printed:
        _store_printed_facts(on_file or URReading(case=case), keyed.as_read, by=by, at=at)
    _store_item_outcomes(case, keyed.outcomes, keyed.experimental, by=by, at=at)
    if keyed.rfa is not None:
        _store_rfa_receipt(case, keyed.rfa, by=by, at=at)
    # A new version makes open eligibility pages stale, because they do not show this reading.
    case.store(by=by, at=at, why="The UR decision was read", fields=[])
    differences = list_differences(case)
    count = sum(1 for one in differences if one.answer is None)
    special = {0: "no differences from the application", 1: "one difference to answer"}
    sentence = special.get(count, f"{count} differences to answer")
    if not is_printed:
        entered = sum(1 for outcome in keyed.outcomes.values() if outcome)
        sentence = f"outcome of {entered} item{'' if entered == 1 else 's'} entered"
    _record_event(case, f"UR decision read: {sentence}.", by=by, at=at)
    return differences


def is_reading_on_file(case: Case, keyed: KeyedDecision) -> bool:
    """Return whether nothing that was keyed differs from what is on file. Three queries."""
    reading = URReading.objects.filter(case=case).first() or URReading(case=case)
    row, printed = case.ur_decision, keyed.as_read
    receipt = RFAReceipt(row.rfa_time, row.rfa_method, row.is_concurrent) if row else RFAReceipt()
    typed = _clean_printed_facts(printed)
    return (
        all(typed[name] == getattr(reading, name) for name in _COMPARED_FACTS)
        and keyed.rfa in (None, receipt)
        and all(
            keyed.outcomes.get(item.pk, item.ur_outcome) == item.ur_outcome
            and keyed.experimental.get(item.pk, item.is_experimental) == item.is_experimental
            for item in case.items.all()
        )
    )


# Without the date as printed: pages show a stored date in one form, whatever was printed.
_COMPARED_FACTS = ("employee", "claim_number", "date_of_injury", "injury_last_day", "items")


def _clean_printed_facts(printed: DecisionReading) -> dict[str, object]:
    """Return the printed facts as they are stored, without blanks around texts."""
    return {
        "employee": printed.employee.strip(),
        "claim_number": printed.claim_number.strip(),
        "date_of_injury": printed.date_of_injury,
        "injury_last_day": printed.injury_last_day,
        "date_of_injury_printed": printed.date_of_injury_printed,
        "items": [line.strip() for line in printed.items if line.strip()],
    }


def _store_printed_facts(
    reading: URReading, printed: DecisionReading, *, by: User, at: datetime
) -> None:
    for name, value in _clean_printed_facts(printed).items():
        setattr(reading, name, value)
    reading.store(by=by, at=at, why="The UR decision as read")


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
    differences = {one.difference.key: one for one in list_differences(case)}
    # A key contains both values, so an old page cannot answer a difference that has changed.
    if not answers or not set(answers) <= set(differences):
        refuse_if("These differences have changed. Reload the page and answer again.")
    for key, answer in answers.items():
        if answer not in DifferenceAnswer.Answer.values:
            refuse_if("Choose an answer for each difference.")
        difference, row = differences[key].difference, differences[key].answer
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
    open_count = len(list_open_differences(case))
    sentence = (
        f"{len(answers)} answered, {open_count} open" if open_count else f"{len(answers)} answered"
    )
    _record_event(case, f"Differences from the UR decision: {sentence}.", by=by, at=at)
    return list_differences(case)


def list_differences(case: Case) -> list[ListedDifference]:
    """List the differences between the application and the UR decision; none before a reading."""
    return list_differences_by_case([case])[case.pk]


def list_differences_by_case(cases: Sequence[Case]) -> dict[int, list[ListedDifference]]:
    """List the differences of each case, by its id. Four queries for any number of cases."""
    listed: dict[int, list[ListedDifference]] = {case.pk: [] for case in cases}
    readings = {row.case_id: row for row in URReading.objects.filter(case__in=cases)}
    if not readings:
        return listed
    named = Party.objects.current().filter(
        case__in=readings, role=PartyRole.EMPLOYEE, valid_to__isnull=True
    )
    employees = {party.case_id: party.name for party in named.order_by("pk")}
    titles = _list_titles([case for case in cases if case.pk in readings])
    answers: dict[int, dict[str, DifferenceAnswer]] = {pk: {} for pk in readings}
    for row in DifferenceAnswer.objects.filter(case__in=readings):
        answers[row.case_id][row.key] = row
    for case in cases:
        reading = readings.get(case.pk)
        if reading is None:
            continue
        found = differences.compare_documents(
            differences.DocumentFacts(
                employee=employees.get(case.pk, ""),
                claim_number=case.claim_number,
                date_of_injury=case.date_of_injury,
                injury_last_day=case.injury_last_day,
                items=[title for _, title in sorted(titles[case.pk].items())],
            ),
            differences.DocumentFacts(
                employee=reading.employee,
                claim_number=reading.claim_number,
                date_of_injury=reading.date_of_injury,
                injury_last_day=reading.injury_last_day,
                items=reading.items,
            ),
        )
        listed[case.pk] = [ListedDifference(one, answers[case.pk].get(one.key)) for one in found]
    return listed


def _list_titles(cases: Sequence[Case]) -> dict[int, dict[int, str]]:
    """Map each case to the treatments of its application, by number. One query.

    The UR decision answers the whole application, so the treatments that were split into other
    cases count, as worded here if this case has them.
    """
    ids = Case.objects.filter(
        Q(pk__in=[case.pk for case in cases])
        | Q(application__in={case.application_id for case in cases} - {None})
    )
    rows = DisputedItem.objects.filter(case__in=ids.values("pk")).order_by("pk")
    found = list(rows.values_list("case_id", "case__application_id", "position", "title"))
    titles: dict[int, dict[int, str]] = {case.pk: {} for case in cases}
    for case in cases:
        of_application = [
            row for row in found if row[1] is not None and row[1] == case.application_id
        ]
        for _, _, position, title in of_application + [row for row in found if row[0] == case.pk]:
            titles[case.pk][position] = title
    return titles


def list_open_differences(case: Case) -> list[Difference]:
    """List the differences that are not answered yet."""
    return [one.difference for one in list_differences(case) if one.answer is None]


def find_confirmed_differences(
    listed: Sequence[ListedDifference],
) -> tuple[set[int], tuple[str, ...]]:
    """Find the differences that a person has answered as real.

    :param listed: all differences of one case.

    :returns: the positions of items that the UR decision does not name, and the labels of facts
        that show that it is another decision. Unanswered differences do not count.
    """
    really = [
        one.difference
        for one in listed
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


def _store_rfa_receipt(case: Case, rfa: RFAReceipt, *, by: User, at: datetime) -> None:
    """Store how the RFA of a locked case was received, if that changed."""
    empty = rfa == RFAReceipt()
    if case.ur_decision_id is None:
        refuse_if("" if empty else "This case has no UR decision to which the RFA belongs.")
        return
    # Several cases may dispute one UR decision, so the lock on the case is not enough.
    row = URDecision.objects.select_for_update().get(pk=case.ur_decision_id)
    if rfa.hour is not None and row.requested_on is None:
        refuse_if("Enter the RFA date first: correct the application.")
    if rfa.hour is not None and not rfa.method:
        refuse_if("Choose how the RFA was received, or remove the time.")
    refuse_if("" if rfa.method in {"", *RFAMethod.values} else "Choose how the RFA was received.")
    if rfa == RFAReceipt(row.rfa_time, row.rfa_method, row.is_concurrent):
        return
    row.rfa_time, row.rfa_method, row.is_concurrent = rfa.hour, rfa.method, rfa.is_concurrent
    fields = ["rfa_time", "rfa_method", "is_concurrent"]
    row.store(by=by, at=at, why="Receipt of the RFA", fields=fields)


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
