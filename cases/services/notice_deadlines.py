"""Deadlines that start with the NOARFI: records, the parties' own documents, the 45-day mark.

Regular and expedited cases use different deadline kinds, so a priority change replaces them.
"""

from collections.abc import Mapping
from datetime import date, datetime

from accounts.models import User
from accounts.refusals import NotAllowed
from cases.models import Case, PartyRole, Priority
from deadlines.days import PACIFIC, local_day, start_of_day
from letters.models import DeliveryMethod

from . import case_deadlines

# Methods by which a letter is received on the day of sending.
BY_WIRE = frozenset({DeliveryMethod.ELECTRONIC, DeliveryMethod.PORTAL, DeliveryMethod.FAX})
NOTICE_MARK = "notice_mark"
# Listed by name: the kind "records_penalty" starts with the same word.
RECORDS_DEADLINE_KINDS = ("records", "records_expedited")


def records_deadline(*, priority: str) -> str:
    """Return the deadline kind of the claims administrator's records."""
    return "records_expedited" if priority == Priority.EXPEDITED else "records"


def own_papers_deadline(*, priority: str) -> str:
    """Return the deadline kind of documents from the employee and the requesting physician."""
    return "own_papers_expedited" if priority == Priority.EXPEDITED else "own_papers"


def start_notice_deadlines(
    *, case: Case, sent_on: date, received_at: datetime | None, by: User | None, at: datetime
) -> None:
    """Start the deadlines that run from the notices of a locked case.

    Records are a duty of the claims administrator, own documents a right of the employee. Each
    deadline depends on the channel of the notice to that party.

    :param received_at: when the claims administrator received the notice of an expedited case.
    :raises NotAllowed: an expedited case without that time.
    """
    start_records_deadlines(case=case, sent_on=sent_on, received_at=received_at, by=by, at=at)
    case_deadlines.start_deadline(
        case=case,
        deadline_kind=NOTICE_MARK,
        given={"noarfi": sent_on.isoformat()},
        by=by,
        at=at,
        # The 45 days are a practice, not a limit of the law, so lists do not sort by them.
        sets_due_date=False,
    )


def start_records_deadlines(
    *, case: Case, sent_on: date, received_at: datetime | None, by: User | None, at: datetime
) -> None:
    """Start the deadlines for records and own documents, by the priority of the case.

    :raises NotAllowed: an expedited case without the time of receipt.
    """
    # The case waits for the records. Own documents are a right that nobody has to use.
    for deadline_kind, role, sets_due_date in (
        (own_papers_deadline(priority=case.priority), PartyRole.EMPLOYEE, False),
        (records_deadline(priority=case.priority), PartyRole.CLAIMS_ADMINISTRATOR, True),
    ):
        given = _build_notice_facts(case, role, sent_on, received_at)
        case_deadlines.start_deadline(
            case=case,
            deadline_kind=deadline_kind,
            given=given,
            by=by,
            at=at,
            sets_due_date=sets_due_date,
        )


def restart_deadlines_of_notice(
    *, case: Case, role: PartyRole, sent_on: date, by: User | None, at: datetime
) -> None:
    """Compute the deadlines again that run from the notice to one role, of a locked case.

    Only for a case that is not expedited. A deadline that was met keeps the day on which it was.
    """
    records, own_papers = (
        records_deadline(priority=case.priority),
        own_papers_deadline(priority=case.priority),
    )
    deadline_kinds = {
        PartyRole.CLAIMS_ADMINISTRATOR: (records, NOTICE_MARK),
        PartyRole.EMPLOYEE: (own_papers,),
    }.get(role, ())
    # Met ones too: whether the records were late depends on them.
    running = case.deadlines.filter(
        round=case.round, deadline_kind__in=deadline_kinds, replaced_at__isnull=True
    )
    for deadline in running.order_by("pk"):
        given = (
            {"noarfi": sent_on.isoformat()}
            if deadline.deadline_kind == NOTICE_MARK
            else _build_notice_facts(case, role, sent_on, None)
        )
        renewed = case_deadlines.start_deadline(
            case=case,
            deadline_kind=deadline.deadline_kind,
            given=given,
            by=by,
            at=at,
            sets_due_date=case.due_deadline_kind == deadline.deadline_kind,
        )
        if deadline.met_at is not None:
            renewed.met_at = deadline.met_at
            renewed.store(by=by, at=at, why="Met before the correction", fields=["met_at"])


def correct_notice_day(*, case: Case, why: str, by: User | None, at: datetime) -> None:
    """Set the day on which the duty to send the notices was met, after a corrected service.

    The duty is met when the last notice of the round was sent.
    """
    notices = case.notices.filter(round=case.round, sent_on__isnull=False).order_by("sent_on")
    latest = notices.last()
    last = latest.sent_on if latest is not None else None
    deadline = case.deadlines.filter(
        round=case.round, deadline_kind="noarfi", replaced_at__isnull=True, met_at__isnull=False
    ).first()
    if deadline is None or last is None or deadline.met_at is None:
        return
    if local_day(deadline.met_at) != last:
        deadline.met_at = start_of_day(last)
        deadline.store(by=by, at=at, why=why, fields=["met_at"])


def _build_notice_facts(
    case: Case, role: str, sent_on: date, received_at: datetime | None
) -> Mapping[str, str]:
    """Build the trigger facts from the notice to one role."""
    if case.priority == Priority.EXPEDITED:
        if received_at is None:
            raise NotAllowed(
                "An expedited deadline runs in hours. Enter the time at which the claims "
                "administrator received the notice."
            )
        # The engine reads a time without a zone as Pacific time.
        local = received_at.astimezone(PACIFIC)
        return {"received": f"{local:%Y-%m-%dT%H:%M}"}
    notice = (
        case.notices.filter(round=case.round, party__role=role)
        .select_related("service")
        .order_by("pk")
        .first()
    )
    # A corrected notice keeps its own day, also after a change of priority.
    if notice is not None and notice.sent_on is not None:
        sent_on = notice.sent_on
    # Without a notice to this party the longer period, by mail, applies.
    by_wire = (
        notice is not None and (notice.service.served_method or notice.service.method) in BY_WIRE
    )
    return {"noarfi": sent_on.isoformat(), "method": "electronic" if by_wire else "mail_ca"}
