"""Corrects the service of a letter, and computes every deadline that ran from it again."""

from datetime import date, datetime

from django.db import transaction

import letters.services
from accounts.models import User
from accounts.refusals import refuse_if
from cases import policies
from cases.models import Case, Event, Party, PartyRole, Priority
from cases.places import find_place, why_not_state
from deadlines.calendars import format_day
from letters.kinds import LetterKind
from letters.models import DeliveryMethod, Place, Service, ServiceEvent

from . import case_deadlines, notice_deadlines, post_determination, served_letters

_PLACE_NAMES = {
    Place.CALIFORNIA: "an address in California",
    Place.OTHER_STATE: "an address in another state",
    Place.ABROAD: "an address in another country",
    Place.UNKNOWN: "an address whose state is not known",
}


@transaction.atomic
def correct_service_of_letter(
    *,
    case_id: int,
    service_id: int,
    on: date,
    method: str,
    address: str,
    state: str,
    why: str,
    seen_version: int | None,
    by: User,
    at: datetime,
) -> Service:
    """Correct how and when a letter of a case was served, and compute its deadlines again.

    :param address: where it really went: postal address, fax number or email address.
    :param state: the state of the postal address; a value of ``Place`` keeps a place whose state is
        not on file. Empty if the place is not known.
    :raises Service.DoesNotExist: not a service of this case.
    :raises NotAllowed: wrong role, no method, nothing changed, no reason, or an impossible day.
    :raises Stale: someone else changed the service since the page was loaded.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_correct_service(by))
    service = Service.objects.get(pk=service_id, letter__reference=case.number)
    refuse_if(_why_not_this_day(case, service, on))
    refuse_if("" if method in DeliveryMethod.values else "Choose how the letter was served.")
    refuse_if("" if address.strip() else "Enter where the letter was sent.")
    refuse_if("" if state in Place.values else why_not_state(state, address))
    old = _describe_service(service)
    old_day = service.served_on
    service = letters.services.correct_service(
        service_id=service.pk,
        on=on,
        method=DeliveryMethod(method),
        address=address,
        place=Place(state if state in Place.values else find_place(state)),
        why=why,
        seen_version=seen_version,
        by=by,
        at=at,
    )
    if case.deadlines.filter(service=service, replaced_at__isnull=True).exists():
        served_letters.start_petition_deadlines(case=case, services=[service], by=by, at=at)
    _restart_implementation(case, service, old_day, by=by, at=at)
    _restart_notice_deadlines(case, service, by=by, at=at)
    Event.objects.create(
        case=case,
        kind=Event.Kind.CHANGED,
        happened_at=at,
        by=by,
        sentence=f"Service on {service.recipient_name} corrected from {old} "
        f"to {_describe_service(service)}.",
        why=why.strip(),
        facts={"service": service.pk},
        letter=service.letter,
    )
    return service


@transaction.atomic
def record_outcome_of_service(
    *, case_id: int, service_id: int, kind: str, on: date, why: str, by: User, at: datetime
) -> ServiceEvent:
    """Record that a served letter was delivered, or came back.

    :raises Service.DoesNotExist: not a service of this case.
    :raises NotAllowed: wrong role, not served yet, no reason, or an impossible day.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_correct_service(by))
    service = Service.objects.get(pk=service_id, letter__reference=case.number)
    row = letters.services.record_service_outcome(
        service_id=service.pk, kind=kind, on=on, why=why, by=by, at=at
    )
    Event.objects.create(
        case=case,
        kind=Event.Kind.CHANGED,
        happened_at=at,
        by=by,
        sentence=f"{row.get_kind_display()} {format_day(on)}: {service.letter.title}, "
        f"{service.recipient_name}.",
        why=why.strip(),
        facts={"service": service.pk},
        letter=service.letter,
    )
    return row


def _restart_implementation(
    case: Case, service: Service, old_day: date | None, *, by: User, at: datetime
) -> None:
    """Compute the duties of the claims administrator again, if they ran from this service."""
    if service.letter.kind != LetterKind.DETERMINATION or not _is_for(
        service, PartyRole.CLAIMS_ADMINISTRATOR
    ):
        return
    is_at_once = service.served_method in post_determination.RECEIVED_AT_ONCE
    given = {"received": _served_on(service).isoformat()} if is_at_once else {}
    for deadline in case.deadlines.filter(
        deadline_kind__in=post_determination.IMPLEMENTING, replaced_at__isnull=True
    ).order_by("pk"):
        # Another day was recorded by a person, and a correction does not touch it.
        if deadline.given.get("received") not in (None, str(old_day)):
            continue
        case_deadlines.start_deadline(
            case=case,
            deadline_kind=deadline.deadline_kind,
            given=given,
            by=by,
            at=at,
            sets_due_date=False,
        )


def _restart_notice_deadlines(case: Case, service: Service, *, by: User, at: datetime) -> None:
    """Compute the deadlines of a notice of assignment again, from its corrected service.

    The hours of an expedited case run from the receipt that a person recorded; they stay.
    """
    notice = case.notices.filter(round=case.round, service=service).select_related("party").first()
    if notice is None:
        return
    on = _served_on(service)
    notice.sent_on = on
    notice.store(by=by, at=at, why="Service corrected", fields=["sent_on"])
    role = PartyRole(notice.party.role)
    # The date of assignment that letters print is that of the notice to the claims administrator.
    if role == PartyRole.CLAIMS_ADMINISTRATOR:
        case.assigned_on = on
        case.store(by=by, at=at, why="Service corrected", fields=["assigned_on"])
    if case.priority != Priority.EXPEDITED:
        notice_deadlines.restart_deadlines_of_notice(case=case, role=role, sent_on=on, by=by, at=at)
    notice_deadlines.correct_notice_day(case=case, why="Service corrected", by=by, at=at)


def _why_not_this_day(case: Case, service: Service, on: date) -> str:
    """Why a notice of assignment cannot have been served on this day; empty if it can."""
    if on == service.served_on or not case.notices.filter(service=service).exists():
        return ""
    if case.decided_on is not None:
        return "The determination prints the date of assignment, so it can no longer be corrected."
    if case.records_complete_on is not None and on > case.records_complete_on:
        return (
            f"The records were complete on {format_day(case.records_complete_on)}, so the notice "
            "cannot have been sent after that day."
        )
    return ""


def _is_for(service: Service, role: PartyRole) -> bool:
    return Party.objects.filter(pk=service.recipient_id, role=role).exists()


def _served_on(service: Service) -> date:
    # A corrected service has a day; the database checks it.
    assert service.served_on is not None  # noqa: S101
    return service.served_on


def _describe_service(service: Service) -> str:
    """Describe a service: "mail, Fri, Mar 20, 2026, an address in another state"."""
    day = format_day(service.served_on) if service.served_on else "not served"
    method = service.get_served_method_display().lower()
    return f"{method}, {day}, {_PLACE_NAMES[Place(service.place)]}"
