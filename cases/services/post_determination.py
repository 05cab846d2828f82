"""Deadlines of the parties after a determination was sent. Shown for information only."""

from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases import policies
from cases.models import Case, DisputedItem, Event, Role
from deadlines.calendars import format_day
from deadlines.days import local_day
from letters.models import Channel, Letter
from letters.outcomes import Outcome

from . import case_deadlines
from .notice_deadlines import BY_WIRE

IMPLEMENTING = ("authorize", "reimburse")  # for the claims administrator, from receipt


def start_post_determination_deadlines(
    *, case: Case, sent_on: date, letter: Letter, by: User | None, at: datetime
) -> None:
    """Start the time to petition (LC 4610.6(h)) and, for overturned items, to implement.

    The time to petition starts with the mailing to the employee. The time to authorize or reimburse
    (8 CCR 9792.10.7(a)) starts with receipt: the day of sending for fax and electronic delivery,
    otherwise the day that a person records.
    """
    # A delivery names the role of its recipient by label or by code.
    # Ordered backwards, so that the first delivery to a role stays.
    by_role = {delivery.recipient_role: delivery for delivery in letter.deliveries.order_by("-pk")}
    employee = by_role.get(Role.EMPLOYEE.label) or by_role.get(Role.EMPLOYEE)
    # If no delivery to the employee is on file, mail is assumed.
    by_mail = employee is None or Channel(employee.channel) not in BY_WIRE
    case_deadlines.start_deadline(
        case=case,
        deadline_kind="petition",
        given={"mailed": sent_on.isoformat(), "method": "mail_ca" if by_mail else "electronic"},
        by=by,
        at=at,
        leads=False,
    )
    administrator = by_role.get(Role.CLAIMS_ADMINISTRATOR.label) or by_role.get(
        Role.CLAIMS_ADMINISTRATOR
    )
    at_once = administrator is not None and Channel(administrator.channel) in BY_WIRE
    # Without a day of receipt the deadline has no date and says what is missing.
    given = {"received": sent_on.isoformat()} if at_once else {}
    for deadline_kind in _list_implementation_duties(case, sent_on):
        case_deadlines.start_deadline(
            case=case, deadline_kind=deadline_kind, given=given, by=by, at=at, leads=False
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
            leads=False,
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
    items = case.items.filter(ending=DisputedItem.Ending.DECIDED, outcome=Outcome.OVERTURNED)
    # A service that was given before the letter was sent is reimbursed, not authorized.
    given = [item.service_from is not None and item.service_from < on for item in items]
    return ["authorize"] * (False in given) + ["reimburse"] * (True in given)
