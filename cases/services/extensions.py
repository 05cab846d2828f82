"""More time for a determination: days that the Administrative Director approved for good cause."""

from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse
from cases import policies
from cases.models import Case, Deadline, Event, Priority, TimeExtension
from deadlines.calendars import say
from deadlines.days import local_day
from deadlines.kinds import DEADLINE_KINDS
from deadlines.rules import EXTENSION
from deadlines.sums import Sum

from . import case_deadlines

DEADLINE_KIND_OF_PRIORITY: dict[str, str] = {
    Priority.REGULAR: "determination_regular",
    Priority.FORMULARY: "determination_formulary",
    Priority.EXPEDITED: "determination_expedited",
}


@transaction.atomic
def extend(
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
    """Put an approved extension on file; it moves the legal date (LC 4610.6(d)(2), recalled).

    :param days: calendar days; those of all extensions together are limited by the deadline's rule.
    :param approved_by: who approved it for the Administrative Director.
    :raises NotAllowed: wrong role, no such deadline runs, too many days, or a fact is missing.
    """
    case = Case.objects.lock(case_id)
    refuse(policies.why_not_extend(by, case))
    deadline = determination_deadline(case=case)
    if deadline is None or deadline.due_on is None:
        raise NotAllowed("No deadline of a determination runs on this case.")
    for text, words in (
        (approved_by, "Say who approved it for the Administrative Director."),
        (letter_reference, "Say which letter approves it."),
        (good_cause, "Say what the good cause is."),
    ):
        refuse("" if text.strip() else words)
    earlier = case.extensions.filter(
        round=case.round, deadline_kind=deadline.deadline_kind
    ).order_by("number")
    refuse(_why_not_so_many(case, deadline, days, sum(one.days for one in earlier)))
    refuse(_why_not_that_day(case, deadline, approved_on, local_day(at)))
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
        f"{DEADLINE_KINDS[deadline.deadline_kind].label}: {_days(days)} more, approved by "
        f"{extension.approved_by} "
        f"on {say(approved_on)}, {extension.letter_reference}."
    )
    case_deadlines.recompute(case=case, why=sentence, by=by, at=at)
    now_due = case_deadlines.due_on(case, deadline.deadline_kind)
    Event.objects.create(
        case=case,
        kind=Event.Kind.EXTENDED,
        happened_at=at,
        by=by,
        sentence=f"{sentence} The legal date was {say(deadline.due_on)}"
        + (f" and is {say(now_due)}." if now_due else "."),
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
    """The running deadline of the determination in this round. Queries once."""
    found: Deadline | None = case.deadlines.filter(
        round=case.round,
        deadline_kind__in=DEADLINE_KIND_OF_PRIORITY.values(),
        met_at__isnull=True,
        replaced_at__isnull=True,
    ).first()
    return found


def days_left(*, case: Case) -> int:
    """How many days the rule still lets extensions add to the determination. Queries."""
    deadline = determination_deadline(case=case)
    if deadline is None:
        return 0
    used = case.extensions.filter(round=case.round, deadline_kind=deadline.deadline_kind)
    return max(0, _most_days(case, deadline) - sum(one.days for one in used))


def _most_days(case: Case, deadline: Deadline) -> int:
    found = case_deadlines.answer(
        case=case, deadline_kind=deadline.deadline_kind, given=deadline.given
    )
    legal = found.rule.legal_holds.get(EXTENSION) if isinstance(found, Sum) else None
    return legal.max_days or 0 if legal else 0


def _why_not_so_many(case: Case, deadline: Deadline, days: int, used: int) -> str:
    most = _most_days(case, deadline)
    if days < 1:
        return "Enter how many days were approved."
    if used + days > most:
        had = f" {_days(used)} of them are used." if used else ""
        return f"All extensions together may add {_days(most)} at most.{had}"
    return ""


def _why_not_that_day(case: Case, deadline: Deadline, approved_on: date, today: date) -> str:
    if approved_on > today:
        return "The day of the approval lies in the future."
    if case.received_on is not None and approved_on < case.received_on:
        return f"The approval is dated before the application came, {say(case.received_on)}."
    if deadline.due_on is not None and approved_on > deadline.due_on:
        return (
            f"The approval came after the last day, {say(deadline.due_on)}, so it moves nothing. "
            "The determination is late; it stays valid and goes out at once."
        )
    return ""


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
