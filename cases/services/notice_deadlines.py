"""The deadlines that a notice of assignment starts: records, the parties' own papers, the 45-day
mark.

Regular and expedited cases have deadlines of their own names: a converted case needs the other
ones.
"""

from collections.abc import Mapping
from datetime import date, datetime

from accounts.models import User
from accounts.refusals import NotAllowed
from cases.models import Case, Priority, Role
from deadlines.days import PACIFIC
from letters.models import Channel

from . import case_deadlines

BY_WIRE = frozenset({Channel.ELECTRONIC, Channel.PORTAL, Channel.FAX})
NOTICE_MARK = "notice_mark"
# The deadlines of the records, by name: the penalty for late records begins with the same word.
RECORDS_DEADLINE_KINDS = ("records", "records_expedited")


def records_deadline(*, priority: str) -> str:
    """The deadline of the claims administrator's records."""
    return "records_expedited" if priority == Priority.EXPEDITED else "records"


def own_papers_deadline(*, priority: str) -> str:
    """The deadline of the papers of the employee and the requesting physician."""
    return "own_papers_expedited" if priority == Priority.EXPEDITED else "own_papers"


def start_after_notice(
    *, case: Case, sent_on: date, received_at: datetime | None, by: User | None, at: datetime
) -> None:
    """Start what runs from the notices of a locked case.

    The records are the claims administrator's duty and the own papers the employee's right, so
    the channel of each one's notice counts.

    :param received_at: the moment at which the claims administrator had an expedited notice.
    :raises NotAllowed: an expedited case without that hour.
    """
    start_windows(case=case, sent_on=sent_on, received_at=received_at, by=by, at=at)
    case_deadlines.start(
        case=case,
        deadline_kind=NOTICE_MARK,
        given={"noarfi": sent_on.isoformat()},
        by=by,
        at=at,
        leads=False,
    )


def start_windows(
    *, case: Case, sent_on: date, received_at: datetime | None, by: User | None, at: datetime
) -> None:
    """Start the windows for records and own papers, as the case's priority has them.

    :raises NotAllowed: an expedited case without the hour of receipt.
    """
    for deadline_kind, role, leads in (
        (own_papers_deadline(priority=case.priority), Role.EMPLOYEE, False),
        (records_deadline(priority=case.priority), Role.CLAIMS_ADMINISTRATOR, True),
    ):
        given = _given(case, role, sent_on, received_at)
        case_deadlines.start(
            case=case, deadline_kind=deadline_kind, given=given, by=by, at=at, leads=leads
        )


def _given(case: Case, role: str, sent_on: date, received_at: datetime | None) -> Mapping[str, str]:
    if case.priority == Priority.EXPEDITED:
        if received_at is None:
            raise NotAllowed(
                "An expedited deadline runs in hours. State the hour at which the claims "
                "administrator received the notice."
            )
        local = received_at.astimezone(PACIFIC)
        return {"received": f"{local:%Y-%m-%dT%H:%M}"}
    notice = (
        case.notices.filter(round=case.round, party__role=role)
        .select_related("delivery")
        .order_by("pk")
        .first()
    )
    by_wire = notice is not None and notice.delivery.channel in BY_WIRE
    return {"noarfi": sent_on.isoformat(), "method": "electronic" if by_wire else "mail_ca"}
