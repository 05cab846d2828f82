"""The acts of a case as sentences, with the names that this reader may see."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from accounts.roles import Role
from cases.models import Case, Event


@dataclass(frozen=True)
class Entry:
    """One act as the timeline prints it."""

    happened_at: datetime
    kind: str
    title: str
    sentence: str
    why: str
    who: str
    letter_id: str


def timeline(case: Case, reader: User, *, kind: str = "") -> list[Entry]:
    """The acts of a case, newest first. Two queries."""
    events = case.events.select_related("by").prefetch_related("by__groups")
    if kind:
        events = events.filter(kind=kind)
    sees_identity = reader.may("reviewers.see_identity")
    return [
        Entry(
            happened_at=event.happened_at,
            kind=event.kind,
            title=event.get_kind_display(),
            sentence=event.sentence,
            why=event.why,
            who=who_acted(event, sees_identity=sees_identity),
            letter_id=str(event.letter_id or ""),
        )
        for event in events.order_by("-happened_at", "-pk")
    ]


def who_acted(event: Event, *, sees_identity: bool) -> str:
    """The actor's name, or the seat where the actor is a reviewer and the reader may not know."""
    if event.by is None:
        return "The system"
    is_reviewer = event.by_reviewer_seat is not None or any(
        group.name == Role.REVIEWER for group in event.by.groups.all()
    )
    if is_reviewer and not sees_identity:
        seat = event.by_reviewer_seat
        return f"The reviewer, seat {seat}" if seat else "The reviewer"
    return event.by.name
