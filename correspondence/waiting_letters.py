"""The letters of all cases that wait for a person: drafts to review, letters to send."""

from typing import Any

from django.db.models import Count, Q

from accounts.models import User
from cases.models import CaseLetter
from cases.models.restrictions import select_visible
from letters.kinds import CASE_LETTERS


def select_drafts(reader: User, *, kind: str = "") -> Any:
    """Select the drafts that wait for review, expedited cases first, then oldest first.

    :param kind: a kind of letters; any other text selects all kinds.
    """
    rows = select_visible(CaseLetter.objects.filter(state=CaseLetter.State.DRAFT), reader)
    if kind in CASE_LETTERS:
        rows = rows.filter(kind=kind)
    return rows.select_related("case", "drafted_by").order_by("case__urgency", "drafted_at", "pk")


def select_letters_to_send(reader: User) -> Any:
    """Select the approved letters that are not marked as sent, oldest first."""
    rows = select_visible(CaseLetter.objects.filter(state=CaseLetter.State.APPROVED), reader)
    return (
        rows.select_related("case")
        .annotate(recipients=Count("copies", filter=Q(copies__taken_back_at=None)))
        .order_by("case__urgency", "approved_at", "pk")
    )
