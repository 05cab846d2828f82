"""The versions of a determination: who changed what, and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import User
from accounts.names import name_actor
from cases.models import Case

from .models import Opinion, Review

_FIELDS = {
    "summary": "Clinical case summary",
    "party_term": "Term for the injured worker",
    "outcome": "Outcome",
    "rationale": "Rationale",
    "basis": "Rank of evidence",
    "why_not_higher": "Reason for the rank of evidence",
}


@dataclass(frozen=True)
class FieldChange:
    """One field that differs between two versions."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class PartVersion:
    """One version of one part, and its changes since the version before."""

    number: int
    made_at: datetime
    who: str
    why: str
    changes: list[FieldChange]


@dataclass(frozen=True)
class ReviewPart:
    """The summary or one item of a review, with all its versions, newest first."""

    title: str
    seat: int
    versions: list[PartVersion]


def list_review_parts(case: Case, reader: User) -> list[ReviewPart]:
    """List all parts of all reviews of a case, with the names that the reader may see."""
    parts = []
    reviews = Review.objects.filter(assignment__case=case).select_related("assignment")
    for review in reviews.order_by("assignment__round", "assignment__seat", "pk"):
        seat = review.assignment.seat
        parts.append(
            ReviewPart(
                f"Clinical case summary, round {review.assignment.round}",
                seat,
                _list_versions(review, ("summary", "party_term"), reader),
            )
        )
        opinions = Opinion.objects.filter(assignment=review.assignment).select_related("item")
        parts += [
            ReviewPart(
                f"Item {opinion.item.position}: {opinion.item.title}",
                seat,
                _list_versions(
                    opinion, ("outcome", "rationale", "basis", "why_not_higher"), reader
                ),
            )
            for opinion in opinions.order_by("item__position")
        ]
    return parts


def _list_versions(row: Any, fields: tuple[str, ...], reader: User) -> list[PartVersion]:
    # The id decides between versions of the same moment.
    rows = list(row.history.select_related("history_user").order_by("history_date", "history_id"))
    versions, before = [], None
    for past in rows:
        changes = [
            FieldChange(_FIELDS[name], _display_value(before, name), _display_value(past, name))
            for name in fields
            if before is None or getattr(before, name) != getattr(past, name)
        ]
        # The first version has every field, most of them empty.
        changes = [change for change in changes if change.old or change.new]
        versions.append(
            PartVersion(
                number=past.version,
                made_at=past.history_date,
                who=name_actor(past.history_user, reader=reader),
                why=past.history_change_reason or "",
                changes=changes,
            )
        )
        before = past
    return versions[::-1]


def _display_value(past: Any, name: str) -> str:
    if past is None:
        return ""
    display = getattr(past, f"get_{name}_display", None)
    return str(display() if display else getattr(past, name))
