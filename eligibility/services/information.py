"""Asks parties for missing eligibility facts, and records that a liability dispute is resolved."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from cases.lifecycle import Status
from cases.models import Case, DisputedItem, Event, ReceivedDocument, ServiceMethod
from cases.services import case_deadlines, drafting, received_documents
from cases.services.received_documents import DocumentOfAction
from deadlines.calendars import format_day
from deadlines.days import local_day
from eligibility import policies, rules
from eligibility.models import InformationRequest

INFORMATION_DEADLINE = "eligibility_information"
AFTER_LIABILITY = "application_after_liability"


@transaction.atomic
def ask_information(
    *,
    case_id: int,
    party_id: int,
    facts: Sequence[str],
    question: str,
    received_on: date,
    by: User,
    at: datetime,
) -> InformationRequest:
    """Ask a party for missing facts; the answer is due five business days after receipt.

    Several parties can be asked. The deadline of the case is that of the earliest open answer
    (8 CCR 9792.10.3(b), (c)).

    :param facts: the eligibility facts that depend on the answer.
    :param received_on: the date on which the party receives the question.
    :raises NotAllowed: wrong role or state, no question, not a party, or an impossible date.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_ask_information(by, case))
    refuse_if("" if question.strip() else "Enter the question.")
    are_valid_facts = set(facts) <= set(rules.FACTS)
    refuse_if("" if facts and are_valid_facts else "Choose the facts that depend on the answer.")
    # Parties have dates: one who is no longer a party must not be asked.
    party = case.parties.current().true_on(local_day(at)).filter(pk=party_id).first()
    if party is None:
        raise NotAllowed("Choose a party of this case.")
    if case.received_on and received_on < case.received_on:
        refuse_if("The party cannot have received the question before we received the application.")
    due_on = case_deadlines.compute_rule_sum(
        deadline_kind=INFORMATION_DEADLINE, given={"received": received_on.isoformat()}
    ).due_on
    request = InformationRequest(
        case=case,
        party=party,
        facts=list(facts),
        question=question.strip(),
        asked_at=at,
        received_on=received_on,
        due_on=due_on,
    ).store(by=by, at=at)
    if case.stage == Status.SCREENING:
        # The screening deadline does not run while a party has the question.
        case_deadlines.stop_deadlines(case=case, why="Waiting for information", by=by, at=at)
        case.move_to(Status.INFO_REQUESTED, by=by, at=at, why=question.strip())
    _restart_information_deadline(case, by=by, at=at)
    event = Event.objects.create(
        case=case,
        kind=Event.Kind.INFO_ASKED,
        happened_at=at,
        by=by,
        sentence=f"Information requested from the {party.get_role_display().lower()}, due "
        f"{format_day(due_on)}.",
        why=question.strip(),
        facts={"request": request.pk, "facts": list(facts)},
    )
    drafting.propose_letter(event=event, by=by, at=at)
    return request


@transaction.atomic
def record_party_answer(
    *,
    request_id: int,
    answer: str,
    answered_on: date,
    document: DocumentOfAction | None = None,
    by: User,
    at: datetime,
) -> InformationRequest:
    """Record a party's answer. After the last open answer, the case returns to screening.

    :param document: the answer as received, if it is on file.
    :raises NotAllowed: wrong role or state, no answer, already answered, or an impossible date.
    """
    case_id = InformationRequest.objects.values_list("case_id", flat=True).get(pk=request_id)
    case = Case.objects.lock(case_id)
    # Read after locking the case, because someone else may have recorded the answer meanwhile.
    request = InformationRequest.objects.get(pk=request_id)
    refuse_if(policies.why_not_record_answer(by, case))
    refuse_if("This question is already answered or closed." if request.closed_at else "")
    refuse_if("" if answer.strip() else "Enter the answer.")
    if not local_day(request.asked_at) <= answered_on <= local_day(at):
        refuse_if("The date of the answer must be between the date of the question and today.")
    request.answer, request.answered_on, request.closed_at = answer.strip(), answered_on, at
    request.store(by=by, at=at, why="Answered", fields=["answer", "answered_on", "closed_at"])
    # A late answer is recorded like any other; the event only states that it was late.
    late = " Late." if answered_on > request.due_on else ""
    event = Event.objects.create(
        case=case,
        kind=Event.Kind.INFO_ANSWERED,
        happened_at=at,
        by=by,
        sentence=f"Answer received {format_day(answered_on)}.{late}",
        why=request.answer,
        facts={"request": request.pk, "facts": request.facts},
    )
    kind = ReceivedDocument.Kind.ANSWER
    received_documents.attach_document(
        case=case, document=document, kind=kind, event=event, by=by, at=at
    )
    if case.information_requests.filter(closed_at__isnull=True).exists():
        _restart_information_deadline(case, by=by, at=at)
        return request
    case_deadlines.satisfy_deadline(case=case, deadline_kind=INFORMATION_DEADLINE, by=by, at=at)
    case.move_to(Status.SCREENING, by=by, at=at, why=event.sentence)
    _start_screening_deadline(case, by=by, at=at)
    return request


@transaction.atomic
def resolve_liability(
    *,
    case_id: int,
    notice_on: date,
    method: str,
    how: str,
    document: DocumentOfAction | None = None,
    by: User,
    at: datetime,
) -> Case:
    """Return a deferred case to screening, because the liability dispute is resolved.

    The notice starts a new filing period (LC 4610.5(h)(2), recalled); an application already on
    file counts as filed. The decision that deferred the case stays on file.

    :param notice_on: the date of service of the notice of resolution.
    :param method: the method of service.
    :param how: how the dispute was resolved, as text.
    :param document: the notice of resolution, if it is on file.
    :raises NotAllowed: wrong role or state, no text, or an impossible date or method of service.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_resolve_liability(by, case))
    refuse_if("" if how.strip() else "Enter how the dispute was resolved.")
    is_valid_method = method in ServiceMethod.values
    refuse_if("" if is_valid_method else "Choose how the notice was served.")
    refuse_if("The date of the notice is in the future." if notice_on > local_day(at) else "")
    decision = case.ur_decision
    if decision is None:
        raise NotAllowed("The case has no UR decision. Enter it first.")
    if decision.decided_on and notice_on < decision.decided_on:
        refuse_if("The notice is dated before the UR decision. Check both dates.")
    # By item: in another case of the application liability may still be disputed.
    for item in case.items.filter(ending=DisputedItem.Ending.PENDING).order_by("position"):
        item.liability_resolved_on, item.liability_notice_method = notice_on, method
        fields = ["liability_resolved_on", "liability_notice_method"]
        item.store(by=by, at=at, why=how.strip(), fields=fields)
    case.move_to(Status.SCREENING, by=by, at=at, why=how.strip())
    given = {"served": notice_on.isoformat(), "method": method}
    # This deadline binds the applicant, not the office, so lists do not sort the case by it.
    case_deadlines.start_deadline(
        case=case, deadline_kind=AFTER_LIABILITY, given=given, by=by, at=at, sets_due_date=False
    )
    _start_screening_deadline(case, by=by, at=at)
    event = Event.objects.create(
        case=case,
        kind=Event.Kind.REOPENED,
        happened_at=at,
        by=by,
        sentence=f"Liability dispute resolved (notice {format_day(notice_on)}). "
        "Eligibility review resumed.",
        why=how.strip(),
        facts={"notice_on": notice_on.isoformat(), "method": method},
    )
    kind = ReceivedDocument.Kind.LIABILITY
    received_documents.attach_document(
        case=case, document=document, kind=kind, event=event, by=by, at=at
    )
    return case


def _restart_information_deadline(case: Case, *, by: User, at: datetime) -> None:
    """Restart the information deadline so that it ends with the earliest open answer."""
    waiting = case.information_requests.filter(closed_at__isnull=True).order_by("due_on", "pk")
    given = {"received": waiting[0].received_on.isoformat()}
    case_deadlines.start_deadline(
        case=case, deadline_kind=INFORMATION_DEADLINE, given=given, by=by, at=at
    )


def _start_screening_deadline(case: Case, *, by: User, at: datetime) -> None:
    # Counted from today: a new screening that counted from the receipt could begin overdue.
    given = {"received": local_day(at).isoformat()}
    case_deadlines.start_deadline(
        case=case, deadline_kind=case_deadlines.SCREENING, given=given, by=by, at=at
    )
