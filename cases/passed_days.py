"""Commitments to a party and holds whose day has come, those of the reader first."""

from dataclasses import dataclass
from datetime import date

from django.db import models
from django.db.models import Expression, F

from accounts.models import User
from cases.models import Case, Commitment, Hold
from cases.models.restrictions import select_visible

from .hold_reasons import HOLD_REASONS

MOST = 50  # of each kind; more than a person does in a day


@dataclass(frozen=True)
class PassedDay:
    """A commitment, or a hold that only a person can end, whose day has come."""

    case: Case
    day: date  # the promised day, or the planned end of the hold
    sentence: str
    is_own: bool  # recorded by the reader
    # The row, to mark the commitment as kept or to end the hold.
    commitment_id: int | None = None
    hold_id: int | None = None


def list_passed_days(user: User, *, today: date, until: date | None = None) -> list[PassedDay]:
    """List what the reader must do about commitments and holds, their own first, then by day.

    Kept and moved commitments and ended holds are left out, as are closed cases, and cases that
    are hidden from the reader. At most two queries; none for roles that do neither.

    :param until: also list commitments up to this later day, as a reminder; until today if missing.
    """
    found: list[PassedDay] = []
    if user.may("cases.manage_commitments"):
        found += _list_commitments(user, until or today)
    if user.may("cases.hold_case"):
        found += _list_holds(user, today)
    shown = [one for one in found if user.pk not in one.case.barred_staff]
    return sorted(shown, key=lambda one: (not one.is_own, one.day, one.case.pk))


def _list_commitments(user: User, until: date) -> list[PassedDay]:
    rows = select_visible(
        Commitment.objects.filter(
            kept_on__isnull=True,
            replaced_by__isnull=True,
            due_on__lte=until,
            case__is_open=True,
        ),
        user,
    ).select_related("case", "party")
    return [
        PassedDay(
            case=row.case,
            day=row.due_on,
            sentence=f"Promised to {row.party.name}: {row.description.rstrip('.')}.",
            is_own=row.recorded_by_id == user.pk,
            commitment_id=row.pk,
        )
        for row in rows.order_by(_own_first("recorded_by", user), "due_on", "pk")[:MOST]
    ]


def _list_holds(user: User, today: date) -> list[PassedDay]:
    rows = select_visible(
        Hold.objects.filter(
            # Other holds are over on their planned end without any action.
            reason__in=[code for code, reason in HOLD_REASONS.items() if reason.needs_an_end],
            round=F("case__round"),
            ended_on__isnull=True,
            planned_end__lte=today,
            case__is_open=True,
        ),
        user,
    ).select_related("case")
    return [
        PassedDay(
            case=row.case,
            day=row.planned_end,
            sentence=f"Planned end of the hold: {row.get_reason_display().lower()}.",
            is_own=row.begun_by_id == user.pk,
            hold_id=row.pk,
        )
        for row in rows.order_by(_own_first("begun_by", user), "planned_end", "pk")[:MOST]
    ]


def _own_first(field: str, user: User) -> Expression:
    """The first part of an order: rows of this person before those of others."""
    return models.Case(models.When(**{field: user.pk}, then=0), default=1)
