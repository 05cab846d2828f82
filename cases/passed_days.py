"""Commitments to a party and holds whose day has come, those of the reader first."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import models
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast

from accounts.models import User
from cases.models import Commitment, Hold
from cases.models.restrictions import select_visible

from .hold_reasons import HOLD_REASONS

MOST = 50  # more than a person does in a day


@dataclass(frozen=True)
class PassedDay:
    """A commitment, or a hold that only a person can end, whose day has come."""

    case_id: int
    number: str  # of the case
    day: date  # the promised day, or the planned end of the hold
    sentence: str
    is_own: bool  # recorded by the reader
    # The row, to mark the commitment as kept or to end the hold.
    commitment_id: int | None = None
    hold_id: int | None = None


def list_passed_days(user: User, *, today: date, until: date | None = None) -> list[PassedDay]:
    """List what the reader must do about commitments and holds, their own first, then by day.

    Kept and moved commitments and ended holds are left out, as are closed cases, and cases that
    are hidden from the reader. One query; none for roles that do neither.

    :param until: also list commitments up to this later day, as a reminder; until today if missing.
    """
    if not (user.may("cases.manage_commitments") and user.may("cases.hold_case")):
        return []
    # Both in one statement, because every My day asks.
    found = _select_commitments(user, until or today).union(_select_holds(user, today), all=True)
    return [
        PassedDay(
            case_id=case_id,
            number=number,
            day=day,
            sentence=f"Promised to {party}: {what.rstrip('.')}."
            if kind == _COMMITMENT
            else f"Planned end of the hold: {HOLD_REASONS[what].label.lower()}.",
            is_own=not others,
            commitment_id=pk if kind == _COMMITMENT else None,
            hold_id=pk if kind == _HOLD else None,
        )
        for others, day, case_id, number, kind, pk, what, party, barred in found.order_by(
            "others", "day", "case_id", "kind", "id"
        )[:MOST]
        if user.pk not in barred
    ]


_COMMITMENT, _HOLD = "commitment", "hold"


def _select_commitments(user: User, until: date) -> Any:
    rows = select_visible(
        Commitment.objects.filter(
            kept_on__isnull=True, replaced_by__isnull=True, due_on__lte=until, case__is_open=True
        ),
        user,
    )
    return _select_columns(
        rows, user, _COMMITMENT, "recorded_by", "due_on", F("description"), F("party__name")
    )


def _select_holds(user: User, today: date) -> Any:
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
    )
    return _select_columns(rows, user, _HOLD, "begun_by", "planned_end", F("reason"), Value(""))


def _select_columns(
    rows: Any, user: User, kind: str, recorded_by: str, day: str, what: Any, party: Any
) -> Any:
    """The columns of both kinds, in the order in which they are read."""
    return rows.annotate(
        others=models.Case(models.When(**{recorded_by: user.pk}, then=0), default=1),
        day=F(day),
        kind=Value(kind, CharField()),
        what=Cast(what, CharField()),
        promised_to=Cast(party, CharField()),
    ).values_list(
        "others", "day", "case_id", "case__number", "kind", "id", "what", "promised_to",
        "case__barred_staff",
    )  # fmt: skip
