"""The acts of a case as sentences, with the names that this reader may see."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from accounts.names import who
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
    events = case.events.select_related("by")
    if kind:
        events = events.filter(kind=kind)
    return [
        Entry(
            happened_at=event.happened_at,
            kind=event.kind,
            title=event.get_kind_display(),
            sentence=event.sentence,
            why=event.why,
            who=who_acted(event, reader),
            letter_id=str(event.letter_id or ""),
        )
        for event in events.order_by("-happened_at", "-pk")
    ]


def who_acted(event: Event, reader: User) -> str:
    """The actor's name, or the seat where the actor is a reviewer whom the reader may not know."""
    name = who(event.by, reader=reader)
    if event.by is not None and name != event.by.name and event.by_reviewer_seat:
        return f"{name}, seat {event.by_reviewer_seat}"
    return name
