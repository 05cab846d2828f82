"""Makes the notices of assignment and request for information (NOARFI), and marks them as sent."""

from collections.abc import Mapping
from datetime import date, datetime

from django.conf import settings
from django.db import transaction

import letters.services
from accounts.counting import count_noun
from accounts.models import User
from accounts.refusals import refuse_if
from cases.application_cases import describe_other_cases
from cases.consolidated_items import list_decided_items
from cases.lifecycle import Status
from cases.models import (
    AssignmentNotice,
    Case,
    DisputedItem,
    Event,
    Party,
    PartyRole,
    Priority,
    UndoableAct,
)
from cases.services import case_deadlines, notice_deadlines, undoing
from correspondence import policies
from correspondence.facts import NOTICE_FACTS
from correspondence.kinds import RECIPIENTS
from deadlines.calendars import format_day
from deadlines.days import local_day
from eligibility.answers import EligibilityResult
from letters.documents import NoticeDocument, Organization, Recipient
from letters.facts import Fact
from letters.kinds import LetterKind
from letters.models import DeliveryMethod, Place, Service, WordingSet
from letters.services import RecipientAddress

LAYOUT = "assignment-notice"
_OTHER_CASES = "notice_other_cases"  # the slot about items of the application in other cases


def load_organization() -> Organization:
    """Return the review organization's name and address for letters, from the settings."""
    return Organization(
        name=settings.IMRO_NAME,
        short_name=settings.IMRO_SHORT_NAME,
        address=tuple(settings.IMRO_ADDRESS.splitlines()),
        phone=settings.IMRO_PHONE,
    )


def list_notice_recipients(case: Case, *, on: date) -> list[Party]:
    """List the parties who receive the notice on a date, in the order of 8 CCR 9792.10.4(b).

    One query.
    """
    parties = case.parties.current().true_on(on).filter(role__in=RECIPIENTS, item=None)
    return sorted(parties, key=lambda party: (RECIPIENTS.index(PartyRole(party.role)), party.pk))


def build_address(party: Party) -> RecipientAddress:
    """Return the postal address, fax number or email of a party, by its preferred method."""
    method = DeliveryMethod(party.preferred_channel)
    # Mail and portal use the postal address.
    where = {DeliveryMethod.FAX: party.fax, DeliveryMethod.ELECTRONIC: party.email}
    return RecipientAddress(
        id=party.pk,
        role=party.get_role_display(),
        name=party.name,
        method=method,
        address=where.get(method, party.address),
        place=Place(party.place),
    )


@transaction.atomic
def make_notices(*, case_id: int, by: User, at: datetime) -> list[AssignmentNotice]:
    """Queue one notice for each recipient, with frozen text; workers render them.

    The period for the records is 15 days by mail, 12 days electronically and 24 hours if expedited
    (8 CCR 9792.10.5(a)(1)), so the text depends on the recipient's channel.

    :raises NotAllowed: wrong role or state, notices already made, or a required party is missing.
    :raises LetterRefused: a fact that the notice states is missing.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_make_notices(by, case))
    addressed = list_notice_recipients(case, on=local_day(at))
    addressed_roles = {party.role for party in addressed}
    # An attorney or representative need not exist, but these three must be notified.
    for role in (
        PartyRole.CLAIMS_ADMINISTRATOR,
        PartyRole.EMPLOYEE,
        PartyRole.REQUESTING_PHYSICIAN,
    ):
        refuse_if(
            ""
            if role in addressed_roles
            else f"The case has no {role.label.lower()}. Add one first."
        )
    notices = [_make_notice(case, party, by=by, at=at) for party in addressed]
    Event.objects.create(
        case=case,
        kind=Event.Kind.NOTICES_MADE,
        happened_at=at,
        by=by,
        sentence=f"{count_noun(len(notices), 'notice')} of assignment (NOARFI) made.",
        facts={"recipients": [party.role for party in addressed]},
    )
    return notices


@transaction.atomic
def mark_notices_sent(
    *,
    case_id: int,
    sent_on: date,
    received_at: datetime | None = None,
    by: User,
    at: datetime,
) -> Case:
    """Record the date on which the notices were sent, and start the records deadline from it.

    :param received_at: when the claims administrator received an expedited notice. Its 24 hours run
        from receipt (8 CCR 9792.10.5(a)(1)). Fax and electronic notices arrive when sent.
    :raises NotAllowed: wrong role or state, a date before the eligibility decision, or an expedited
        case without the time of receipt.
    :raises Refused: a notice is not rendered yet, or the date is in the future.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_mark_notices_sent(by, case))
    kind = UndoableAct.Kind.NOTICES_SENT
    rows_before = undoing.remember_rows(cases=[case], kind=kind)
    eligible_decisions = case.eligibility_decisions.filter(result=EligibilityResult.ELIGIBLE)
    latest = eligible_decisions.order_by("-attempt").first()
    # The date of the notice starts the parties' time, so a wrong year must not pass.
    if latest is not None and sent_on < local_day(latest.decided_at):
        refuse_if("The notices cannot have been sent before the case was found eligible.")
    if received_at is not None and not sent_on <= local_day(received_at) <= local_day(at):
        refuse_if("The time of receipt must be between the date of sending and now.")
    if received_at is not None and received_at > at:
        refuse_if("The time of receipt is in the future.")
    notices = case.notices.filter(round=case.round).select_related("party", "service", "letter")
    service_ids = []
    for notice in notices.order_by("pk"):
        if notice.service.state == Service.State.PREPARED:
            service_ids.append(notice.service_id)
            letters.services.mark_served(service_id=notice.service_id, on=sent_on, by=by, at=at)
        notice.sent_on = sent_on
        notice.store(by=by, at=at, why="Sent", fields=["sent_on"])
    # The date of the notice is the date of assignment that the determination prints.
    case.assigned_on = sent_on
    case.store(by=by, at=at, why="Notices sent", fields=["assigned_on"])
    case.move_to(Status.NOTICE_SENT, by=by, at=at)
    # Our own deadline for the notices ends here, and those of the parties begin.
    case_deadlines.satisfy_deadline(case=case, deadline_kind="noarfi", by=by, at=at)
    notice_deadlines.start_notice_deadlines(
        case=case, sent_on=sent_on, received_at=received_at, by=by, at=at
    )
    Event.objects.create(
        case=case,
        kind=Event.Kind.NOTICES_SENT,
        happened_at=at,
        by=by,
        sentence=f"Notices of assignment (NOARFI) sent {format_day(sent_on)}.",
        facts={"sent_on": sent_on.isoformat(), "services": service_ids},
    )
    undoing.offer_undo(case=case, kind=kind, rows_before=rows_before, by=by, at=at)
    return case


@transaction.atomic
def take_back_notices_sent(*, act_id: int, by: User, at: datetime) -> Case:
    """Record that the notices were marked as sent in error, on the same day.

    The case waits for the notices to be sent again, and the time of the parties ends.

    :raises NotAllowed: wrong role, or a later day.
    :raises FollowedBySomething: something was done on the case since.
    """
    kind = UndoableAct.Kind.NOTICES_SENT
    act = undoing.lock_undoable_act(act_id=act_id, kind=kind, by=by, at=at)
    for service_id in act.last_event.facts["services"] if act.last_event else []:
        letters.services.take_back_served(service_id=service_id, by=by, at=at)
    for notice in act.case.notices.filter(round=act.case.round).order_by("pk"):
        notice.sent_on = None
        notice.store(by=by, at=at, why="Recorded in error", fields=["sent_on"])
    undoing.restore_rows(act=act, by=by, at=at)
    undoing.record_undone(act=act, by=by, at=at)
    return act.case


def _make_notice(case: Case, party: Party, *, by: User, at: datetime) -> AssignmentNotice:
    method = DeliveryMethod(party.preferred_channel)
    facts = _collect_facts(case, at=at)
    values = {fact.name: str(fact.value) for fact in facts}
    wording = letters.services.find_wording_in_force(
        kind=LetterKind.ASSIGNMENT_NOTICE, layout=LAYOUT
    )
    variants = _choose_variants(case, method)
    day = local_day(at)
    slots = _choose_slots(wording, values)
    composed = letters.services.compose_wording(
        wording_set=wording,
        facts=facts,
        declared=NOTICE_FACTS,
        on=day,
        variants=variants,
        slots=slots,
    )
    ur_decision = case.ur_decision
    document = NoticeDocument(
        title=f"Notice of assignment and request for information, {case.number}",
        organization=load_organization(),
        dated_on=day,
        case_number=case.number,
        recipient=Recipient(
            role=party.get_role_display(),
            name=party.name,
            address=tuple(party.address.splitlines()),
        ),
        employee=values["employee"],
        claims_administrator=values["claims_administrator"],
        claim_number=case.claim_number,
        treatments=tuple(
            # With the items of consolidated cases, because one notice covers them all.
            list_decided_items(case)
            .filter(ending=DisputedItem.Ending.PENDING)
            .values_list("title", flat=True)
        ),
        requesting_physician=values["requesting_physician"],
        ur_decision_date=ur_decision.decided_on if ur_decision else None,
        ur_reference=ur_decision.reference if ur_decision else "",
        rfa_date=ur_decision.requested_on if ur_decision else None,
        date_of_injury=case.date_of_injury,
        injury_last_day=case.injury_last_day,
        application_received=case.received_on,
        priority=case.get_priority_display(),
        opening=composed.paragraphs("opening") + composed.paragraphs(_OTHER_CASES),
        deadline=composed.paragraphs("deadline"),
        records_lead_in=composed.text("records_lead_in"),
        # Sentence by sentence, because the layout prints them as a list.
        records=composed.sentences("records"),
        penalty=composed.paragraphs("penalty"),
        how_to_send=composed.paragraphs("how_to_send"),
        closing=composed.paragraphs("closing"),
    )
    letter = letters.services.enqueue_letter(
        kind=LetterKind.ASSIGNMENT_NOTICE,
        reference=case.number,
        # The round is part of the key: in a new round the same party gets another notice.
        variant=f"round-{case.round}-{party.role.lower().replace('_', '-')}-{party.pk}",
        layout=LAYOUT,
        document=document,
        facts=facts,
        declared=NOTICE_FACTS,
        on=day,
        wording_set=wording,
        variants=variants,
        slots=slots,
        urgent=case.priority == Priority.EXPEDITED,
        recipients=[build_address(party)],
        by=by,
        at=at,
    )
    return AssignmentNotice(
        case=case,
        round=case.round,
        party=party,
        letter=letter,
        service=letter.services.get(),
    ).store(by=by, at=at)


def _choose_slots(wording: WordingSet, values: Mapping[str, str]) -> list[str]:
    """Return the slots of the wording; that about other cases only if the application has any."""
    slots = wording.sentences.order_by("slot").values_list("slot", flat=True).distinct()
    return [slot for slot in slots if slot != _OTHER_CASES or "other_cases" in values]


def _choose_variants(case: Case, method: DeliveryMethod) -> tuple[str, ...]:
    """Return the wording variants of a notice, most important first.

    For an expedited case the priority sets the period; otherwise the method of service does.
    """
    is_electronic = method in notice_deadlines.BY_WIRE
    way = "ELECTRONIC" if is_electronic else "MAIL"
    # 24 hours apply to every method; otherwise the method decides between 12 and 15 days.
    return (case.priority, way) if case.priority == Priority.EXPEDITED else (way, case.priority)


def _collect_facts(case: Case, *, at: datetime) -> list[Fact]:
    parties = case.parties.current().true_on(local_day(at)).filter(item=None)
    # Newest first, so that the oldest party of a role wins.
    names = {party.role: party.name for party in parties.order_by("-pk")}
    application = "Application"
    ur_decision = case.ur_decision
    eligible_decision = (
        case.eligibility_decisions.filter(result=EligibilityResult.ELIGIBLE)
        .order_by("-attempt")
        .first()
    )
    days = {
        "ur_decision_date": ur_decision.decided_on if ur_decision else None,
        "rfa_date": ur_decision.requested_on if ur_decision else None,
        "application_received": case.received_on,
        "notice_date": local_day(at),
    }
    facts = [
        Fact("imro_name", settings.IMRO_NAME, "Settings"),
        Fact("imro_short_name", settings.IMRO_SHORT_NAME, "Settings"),
        Fact("imro_address", ", ".join(settings.IMRO_ADDRESS.splitlines()), "Settings"),
        Fact("imro_phone", settings.IMRO_PHONE, "Settings"),
        Fact("case_number", case.number, "Registration"),
        Fact("priority", case.get_priority_display(), application),
        Fact("claim_number", case.claim_number, application),
        Fact("employee", names.get(PartyRole.EMPLOYEE, ""), application),
        Fact("claims_administrator", names.get(PartyRole.CLAIMS_ADMINISTRATOR, ""), application),
        Fact("requesting_physician", names.get(PartyRole.REQUESTING_PHYSICIAN, ""), application),
    ]
    # Unknown dates are left out: a sentence that needs one is then refused by name.
    facts += [Fact(name, f"{value:%m/%d/%Y}", application) for name, value in days.items() if value]
    if case.date_of_injury:
        facts.append(Fact("date_of_injury", case.injury_printed, application))
    if other_cases := describe_other_cases(case):
        facts.append(Fact("other_cases", "; ".join(other_cases), "Cases of the application"))
    # A proof fact: without an eligibility decision no notice can be queued.
    if eligible_decision is not None:
        facts.append(
            Fact(
                "found_eligible",
                True,
                f"Eligibility decision {eligible_decision.attempt} of {case.number}",
            )
        )
    return facts
