"""Extensions of a determination, approved by the Administrative Director for good cause."""

from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from cases import policies
from cases.case_rows import rows_of
from cases.models import Case, Deadline, Event, Priority, TimeExtension
from deadlines.calendars import format_day
from deadlines.days import local_day
from deadlines.kinds import DEADLINE_KINDS
from deadlines.models import Law
from deadlines.results import ComputedDeadline
from deadlines.rules import EXTENSION

from . import case_deadlines

DEADLINE_KIND_OF_PRIORITY: dict[str, str] = {
    Priority.REGULAR: "determination_regular",
    Priority.FORMULARY: "determination_formulary",
    Priority.EXPEDITED: "determination_expedited",
}


@transaction.atomic
def extend_determination(
    *,
    case_id: int,
    days: int,
    approved_by: str,
    approved_on: date,
    letter_reference: str,
    good_cause: str,
    by: User,
    at: datetime,
) -> TimeExtension:
    """Record an approved extension, which moves the legal date (LC 4610.6(d)(2), not confirmed).

    :param days: calendar days. The rule of the deadline limits the total of all extensions.
    :param approved_by: the person who approved it for the Administrative Director.
    :raises NotAllowed: wrong role, no active deadline, too many days, or a fact is missing.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_extend(by, case))
    deadline = determination_deadline(case=case)
    # A deadline that is stopped or lacks a fact has no date to move.
    if deadline is None or deadline.due_on is None:
        raise NotAllowed("This case has no active determination deadline.")
    for text, words in (
        (approved_by, "Enter who approved it for the Administrative Director."),
        (letter_reference, "Enter which letter approves it."),
        (good_cause, "Enter the good cause."),
    ):
        refuse_if("" if text.strip() else words)
    earlier = case.extensions.filter(
        round=case.round, deadline_kind=deadline.deadline_kind
    ).order_by("number")
    # Rules may limit the days of all extensions together, so count the earlier ones.
    refuse_if(_why_not_so_many(case, deadline, days, sum(one.days for one in earlier)))
    refuse_if(_why_not_that_day(case, deadline, approved_on, local_day(at)))
    extension = TimeExtension(
        case=case,
        round=case.round,
        deadline_kind=deadline.deadline_kind,
        number=len(earlier) + 1,
        days=days,
        approved_by=approved_by.strip(),
        approved_on=approved_on,
        letter_reference=letter_reference.strip(),
        good_cause=good_cause.strip(),
        recorded_at=at,
        recorded_by=by,
    ).store(by=by, at=at, why=good_cause)
    sentence = (
        f"{DEADLINE_KINDS[deadline.deadline_kind].label}: extended by {_format_days(days)}, "
        "approved by "
        f"{extension.approved_by} "
        f"on {format_day(approved_on)}, {extension.letter_reference}."
    )
    # After the row is stored: the calculation reads all extensions of the case.
    case_deadlines.recompute_deadlines(case=case, why=sentence, by=by, at=at)
    now_due = case_deadlines.find_due_date(case, deadline.deadline_kind)
    Event.objects.create(
        case=case,
        kind=Event.Kind.EXTENDED,
        happened_at=at,
        by=by,
        sentence=f"{sentence} The legal date was {format_day(deadline.due_on)}"
        + (f" and is {format_day(now_due)}." if now_due else "."),
        why=good_cause.strip(),
        facts={
            "extension": extension.pk,
            "deadline_kind": deadline.deadline_kind,
            "days": days,
            "due": [deadline.due_on.isoformat(), str(now_due)],
        },
    )
    return extension


def determination_deadline(*, case: Case) -> Deadline | None:
    """Return the active determination deadline of the current round. At most one query."""
    kinds = DEADLINE_KIND_OF_PRIORITY.values()
    for row in rows_of(case).deadlines_of_round():
        if row.deadline_kind in kinds and row.met_at is None:
            return row
    return None


def count_extension_days_left(*, case: Case, law: Law | None = None) -> int:
    """Count the days that extensions may still add to the determination. Queries.

    :param law: rules and calendars, if the caller has read them already.
    """
    deadline = determination_deadline(case=case)
    if deadline is None:
        return 0
    used = [
        one.days
        for one in rows_of(case).extensions
        if one.round == case.round and one.deadline_kind == deadline.deadline_kind
    ]
    return max(0, _most_days(case, deadline, law) - sum(used))


def _most_days(case: Case, deadline: Deadline, law: Law | None = None) -> int:
    """Return how many days the rule allows for all extensions together. Queries."""
    # The limit comes from the rule in force on the day of the trigger, not from a constant.
    result = case_deadlines.compute_case_sum(
        case=case, deadline_kind=deadline.deadline_kind, given=deadline.given, law=law
    )
    legal = result.rule.legal_holds.get(EXTENSION) if isinstance(result, ComputedDeadline) else None
    # A rule that names no source for extensions allows none.
    return legal.max_days or 0 if legal else 0


def _why_not_so_many(case: Case, deadline: Deadline, days: int, used: int) -> str:
    """Check the number of days against the limit of the rule."""
    most_days = _most_days(case, deadline)
    if days < 1:
        return "Enter how many days were approved."
    if used + days > most_days:
        had = f" {_format_days(used)} of them {'is' if used == 1 else 'are'} used." if used else ""
        return f"All extensions together may add at most {_format_days(most_days)}.{had}"
    return ""


def _why_not_that_day(case: Case, deadline: Deadline, approved_on: date, today: date) -> str:
    """Check the date of an approval against receipt, due date and today."""
    if approved_on > today:
        return "The date of the approval is in the future."
    if case.received_on is not None and approved_on < case.received_on:
        received = format_day(case.received_on)
        return f"The approval is dated before the application was received, {received}."
    if deadline.due_on is not None and approved_on > deadline.due_on:
        return (
            f"The approval came after the due date, {format_day(deadline.due_on)}, so it has "
            "no effect. "
            "The determination is late. It stays valid and must be issued at once."
        )
    return ""


def _format_days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
