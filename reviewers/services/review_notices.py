"""Notices to reviewers: a case is offered, a review was returned, a review is due soon."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse

from cases.lifecycle import Status
from cases.models import Priority
from deadlines.days import local_day
from notices.services import add_notice
from reviewers.models import ReviewerAssignment

DUE_SOON = timedelta(days=2)
EXPEDITED_SOON = timedelta(days=1)
_BEFORE_QUALITY = (Status.RECORDS_COMPLETE, Status.REVIEWER_CHOSEN, Status.IN_REVIEW)


def notify_reviewer(
    *,
    assignment: ReviewerAssignment,
    kind: str,
    key: str,
    leaves_after: timedelta = timedelta(0),
    at: datetime,
) -> None:
    """Write a notice to the reviewer of an assignment, once for its key.

    It names nobody of the office. A reviewer without a sign-in gets none.

    :param leaves_after: how long its e-mail stays here, because the action can be undone.
    """
    reviewer = assignment.reviewer
    if reviewer is None or reviewer.user is None:
        return
    is_offer = assignment.state == ReviewerAssignment.State.OFFERED
    route = "reviewers:attest" if is_offer else "determinations:workspace"
    add_notice(
        to=reviewer.user,
        kind=kind,
        reference=assignment.case.number,
        key=key,
        path=reverse(route, args=[assignment.pk]),
        leaves_after=leaves_after,
        by=None,
        at=at,
    )


def remind_due_reviews(*, at: datetime) -> int:
    """Remind reviewers of reviews that are due soon, once for each due date; return their number.

    Two days before the due date of the case, one day in an expedited case. Reviews of cases on hold
    and submitted ones are left out.
    """
    today = local_day(at)
    due = Q(case__due_on__lte=today + EXPEDITED_SOON) | Q(
        ~Q(case__priority=Priority.EXPEDITED), case__due_on__lte=today + DUE_SOON
    )
    rows = (
        ReviewerAssignment.objects.filter(
            due, state__in=ReviewerAssignment.LIVE, case__status__in=_BEFORE_QUALITY
        )
        .exclude(case__due_deadline_kind="")
        .exclude(case__held_until__gt=today)
        # By the reverse relation, because this app may not import determinations.
        .exclude(review__state="SUBMITTED")
        .select_related("case", "reviewer__user")
        .order_by("pk")
    )
    for assignment in rows:
        key = f"assignment {assignment.pk} due {assignment.case.due_on}"
        notify_reviewer(assignment=assignment, kind="REVIEW_DUE", key=key, at=at)
    return len(rows)
