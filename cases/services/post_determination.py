"""Deadlines of the parties after a determination was sent. Shown for information only."""

from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases import policies
from cases.consolidated_items import list_decided_items
from cases.models import Case, DisputedItem, Event, Party, PartyRole
from deadlines.calendars import format_day
from deadlines.days import local_day
from letters.models import DeliveryMethod, Letter
from letters.outcomes import Outcome

from . import case_deadlines, served_letters
from .notice_deadlines import BY_WIRE

RECEIVED_AT_ONCE = BY_WIRE | {DeliveryMethod.IN_HAND}
IMPLEMENTING = ("authorize", "reimburse")  # for the claims administrator, from receipt


def start_post_determination_deadlines(
    *, case: Case, letter: Letter, by: User | None, at: datetime
) -> None:
    """Start the time to petition (LC 4610.6(h)) and, for overturned items, to implement.

    Each aggrieved party has its own time to petition, from the service on it. The time to authorize
    or reimburse (8 CCR 9792.10.7(a)) starts with receipt by the claims administrator: the day of
    service by hand, by fax or electronically, otherwise the day that a person records.
    """
    services = list(letter.services.order_by("pk"))
    served_letters.start_petition_deadlines(case=case, services=services, by=by, at=at)
    administrators = set(
        Party.objects.filter(
            pk__in=[row.recipient_id for row in services], role=PartyRole.CLAIMS_ADMINISTRATOR
        ).values_list("pk", flat=True)
    )
    at_once = [
        row.served_on
        for row in services
        if row.recipient_id in administrators
        and row.served_on is not None
        and row.served_method in RECEIVED_AT_ONCE
    ]
    # Without a day of receipt the deadline has no date and says what is missing.
    given = {"received": min(at_once).isoformat()} if at_once else {}
    served = [row.served_on for row in services if row.served_on is not None]
    for deadline_kind in _list_implementation_duties(case, min(served, default=local_day(at))):
        case_deadlines.start_deadline(
            case=case, deadline_kind=deadline_kind, given=given, by=by, at=at, sets_due_date=False
        )


@transaction.atomic
def record_determination_receipt(
    *, case_id: int, received_on: date, by: User, at: datetime
) -> Case:
    """Record when the claims administrator received the determination.

    :raises NotAllowed: wrong role, nothing to implement, or an impossible date.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_state_receipt(by, case))
    today = local_day(at)
    refuse_if("This date is in the future." if received_on > today else "")
    if case.decided_on is not None and received_on < case.decided_on:
        refuse_if(f"The determination was made on {format_day(case.decided_on)}. Check the date.")
    # The duties were listed when the letter was sent; here only their trigger is set.
    for deadline in case.deadlines.filter(
        round=case.round, deadline_kind__in=IMPLEMENTING, replaced_at__isnull=True
    ).order_by("pk"):
        case_deadlines.start_deadline(
            case=case,
            deadline_kind=deadline.deadline_kind,
            given={"received": received_on.isoformat()},
            by=by,
            at=at,
            sets_due_date=False,
        )
    Event.objects.create(
        case=case,
        kind=Event.Kind.CHANGED,
        happened_at=at,
        by=by,
        sentence="The claims administrator received the determination on "
        f"{format_day(received_on)}.",
        facts={"received_on": received_on.isoformat()},
    )
    return case


def _list_implementation_duties(case: Case, on: date) -> list[str]:
    """List the duties that overturned items cause: authorize future care, reimburse past care."""
    # With the items of consolidated cases, because one determination decides all of them.
    items = list_decided_items(case).filter(
        ending=DisputedItem.Ending.DECIDED, outcome=Outcome.OVERTURNED
    )
    # A service that was given before the letter was sent is reimbursed, not authorized.
    was_given = [item.service_from is not None and item.service_from < on for item in items]
    return ["authorize"] * (False in was_given) + ["reimburse"] * (True in was_given)
