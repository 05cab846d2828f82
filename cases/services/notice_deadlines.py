"""Deadlines that start with the NOARFI: records, the parties' own documents, the 45-day mark.

Regular and expedited cases use different deadline kinds, so a priority change replaces them.
"""

from collections.abc import Mapping
from datetime import date, datetime

from accounts.models import User
from accounts.refusals import NotAllowed
from cases.models import Case, Priority, Role
from deadlines.days import PACIFIC
from letters.models import Channel

from . import case_deadlines

# Channels whose mail is received on the day of sending.
BY_WIRE = frozenset({Channel.ELECTRONIC, Channel.PORTAL, Channel.FAX})
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
        leads=False,
    )


def start_records_deadlines(
    *, case: Case, sent_on: date, received_at: datetime | None, by: User | None, at: datetime
) -> None:
    """Start the deadlines for records and own documents, by the priority of the case.

    :raises NotAllowed: an expedited case without the time of receipt.
    """
    # The case waits for the records. Own documents are a right that nobody has to use.
    for deadline_kind, role, leads in (
        (own_papers_deadline(priority=case.priority), Role.EMPLOYEE, False),
        (records_deadline(priority=case.priority), Role.CLAIMS_ADMINISTRATOR, True),
    ):
        given = _build_notice_facts(case, role, sent_on, received_at)
        case_deadlines.start_deadline(
            case=case, deadline_kind=deadline_kind, given=given, by=by, at=at, leads=leads
        )


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
        .select_related("delivery")
        .order_by("pk")
        .first()
    )
    # Without a notice to this party the longer period, by mail, applies.
    by_wire = notice is not None and notice.delivery.channel in BY_WIRE
    return {"noarfi": sent_on.isoformat(), "method": "electronic" if by_wire else "mail_ca"}
