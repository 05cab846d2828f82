"""Changes that reviewers report of themselves, and what credentialing makes of them."""

from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse
from deadlines.days import local_day
from reviewers import policies
from reviewers.models import ReportedChange, Reviewer


@transaction.atomic
def report_change(
    *, subject: ReportedChange.Subject | str, words: str, changed_on: date, by: User, at: datetime
) -> ReportedChange:
    """Report, as a reviewer, a change of one's own licence, board, sanctions, practice or ties.

    Nothing is concluded from it by itself: credentialing reads it at the source.

    :raises NotAllowed: not a reviewer, nothing said, or a day to come.
    """
    reviewer = Reviewer.objects.filter(user=by).first()
    if reviewer is None:
        raise NotAllowed("Your sign-in is not linked to a reviewer. Ask credentialing.")
    refuse("" if words.strip() else "Say what has changed.")
    refuse("" if subject in ReportedChange.Subject.values else "Choose what has changed.")
    if changed_on > local_day(at):
        refuse("This day is in the future. Enter the day on which it changed.")
    return ReportedChange(
        reviewer=reviewer,
        subject=subject,
        words=words.strip()[:1000],
        changed_on=changed_on,
        reported_at=at,
    ).store(by=by, at=at)


@transaction.atomic
def settle_report(*, report_id: int, note: str, by: User, at: datetime) -> ReportedChange:
    """Say what was found at the source and what was done.

    :raises NotAllowed: wrong role, no note, the reporter themself, or settled already.
    """
    refuse(policies.why_not_keep_credentials(by))
    report = ReportedChange.objects.select_for_update().get(pk=report_id)
    refuse("Someone has settled this already." if report.settled_at else "")
    if Reviewer.objects.filter(pk=report.reviewer_id, user=by).exists():
        refuse("Someone other than the reviewer has to settle this.")
    refuse("" if note.strip() else "Say what you found at the source.")
    report.settled_at, report.settled_by, report.settled_note = at, by, note.strip()[:300]
    return report.store(by=by, at=at, why=note, fields=["settled_at", "settled_by", "settled_note"])
