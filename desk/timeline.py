"""The events of a case in words, with the names that this reader may see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.names import name_actor
from cases.hidden_numbers import Concealer
from cases.models import Case, Event
from deadlines.days import start_of_day

PAGE = 50
THE_SYSTEM = "system"
# The notes of a case that correct another one.
_CORRECTIONS = Q(kind=Event.Kind.NOTE, facts__has_key="corrects")
A_REVIEWER = "reviewer"  # any reviewer, for readers who may not know their identity


@dataclass(frozen=True)
class Entry:
    """One event as shown in the timeline."""

    pk: int
    happened_at: datetime
    kind: str
    title: str
    sentence: str
    why: str
    who: str
    letter_id: str
    changes: list[tuple[str, str, str]] = field(default_factory=list)  # what, from, to
    is_own_note: bool = False
    was_corrected: bool = False
    is_correction: bool = False


@dataclass(frozen=True)
class Filters:
    """The filters of the timeline. Days are Pacific days, both included."""

    kind: str = ""
    person: str = ""
    first_day: date | None = None
    last_day: date | None = None

    @property
    def is_any(self) -> bool:
        """Whether at least one filter is set."""
        return bool(self.kind or self.person or self.first_day or self.last_day)


@dataclass(frozen=True)
class Page:
    """Some events, newest first, and the key of the older ones."""

    entries: list[Entry]
    older: str  # a key for ``before``, empty on the last page


def load_timeline(
    case: Case,
    reader: User,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    *,
    before: str = "",
    limit: int = PAGE,
) -> Page:
    """Load the events of a case, newest first, one page at a time. At most four queries.

    :param before: the key from the page of newer events.
    :raises ValueError: the key does not belong to this case.
    """
    events = _filter_events(case, reader, filters)
    if before:
        events = events.filter(_older_than(case, before))
    events = events.select_related("by").order_by("-happened_at", "-pk")
    # One row more than shown tells whether there are older events.
    if before or filters.is_any:
        rows = list(events[: limit + 1])
        corrections = list(case.events.filter(_CORRECTIONS))
    else:
        # The newest events are all shown, so one query can find them and the corrections.
        newest = case.events.order_by("-happened_at", "-pk").values("pk")[: limit + 1]
        rows = list(events.filter(Q(pk__in=newest) | _CORRECTIONS))
        corrections = [row for row in rows if _is_note(row) and "corrects" in row.facts]
        rows = rows[: limit + 1]
    corrected = {row.facts["corrects"] for row in corrections}
    texts = [text for row in rows for text in (row.sentence, row.why, str(row.facts))]
    concealer = Concealer(texts, reader, own=case.number)
    entries = [_make_entry(row, reader, corrected, concealer) for row in rows[:limit]]
    return Page(entries, str(rows[limit - 1].pk) if len(rows) > limit else "")


def list_actors(case: Case, reader: User) -> list[tuple[str, str]]:
    """List who acted on a case, as values and names for the filter. One query.

    Reviewers whom the reader may not know are one entry without a name, and their user ids are not
    accepted, so that nobody can find out who reviewed by trying ids in the address.
    """
    return sorted(
        {(value, name) for value, name, _ in _find_actors(case, reader)}, key=lambda one: one[1]
    )


def name_event_actor(event: Event, reader: User) -> str:
    """Return the actor's name, or "The reviewer, seat 1" if the reader may not know it."""
    name = name_actor(event.by, reader=reader)
    if event.by is not None and event.by_reviewer_seat and event.by.is_hidden_from(reader):
        return f"{name}, seat {event.by_reviewer_seat}"
    return name


def _find_actors(case: Case, reader: User) -> list[tuple[str, str, int | None]]:
    # Without an order, which would become part of what has to be distinct.
    ids = case.events.order_by().values("by").distinct()
    actors: list[tuple[str, str, int | None]] = [
        (_actor_key(user, reader), user.name_for(reader), user.pk)
        for user in User.objects.filter(pk__in=ids)
    ]
    return [*actors, (THE_SYSTEM, name_actor(None, reader=reader), None)]


def _actor_key(user: User, reader: User) -> str:
    return A_REVIEWER if user.is_hidden_from(reader) else str(user.pk)


def _filter_events(case: Case, reader: User, filters: Filters) -> QuerySet[Event]:
    events: QuerySet[Event] = case.events.all()
    if filters.kind:
        events = events.filter(kind=filters.kind)
    if filters.person == THE_SYSTEM:
        events = events.filter(by=None)
    elif filters.person:
        # All hidden reviewers share one value, so it may stand for several users.
        ids = [pk for value, _, pk in _find_actors(case, reader) if value == filters.person]
        events = events.filter(by__in=ids)
    if filters.first_day:
        events = events.filter(happened_at__gte=start_of_day(filters.first_day))
    if filters.last_day:
        # The last day is included, so the range ends where the next day begins.
        after = start_of_day(filters.last_day + timedelta(days=1))
        events = events.filter(happened_at__lt=after)
    return events


def _older_than(case: Case, key: str) -> Q:
    # More than 18 digits may exceed the id column, which is an error in the database.
    if not key.isascii() or not key.isdigit() or len(key) > 18:
        raise ValueError(key)
    # Only events of this case: a key must not reveal when something happened elsewhere.
    last = case.events.filter(pk=int(key)).first()
    if last is None:
        raise ValueError(key)
    return Q(happened_at__lt=last.happened_at) | Q(happened_at=last.happened_at, pk__lt=last.pk)


def _is_note(event: Event) -> bool:
    return event.kind == Event.Kind.NOTE


def _make_entry(event: Event, reader: User, corrected: set[int], concealer: Concealer) -> Entry:
    return Entry(
        pk=event.pk,
        happened_at=event.happened_at,
        kind=event.kind,
        title=event.get_kind_display(),
        sentence=concealer.conceal(event.sentence),
        why=concealer.conceal(event.why),
        who=name_event_actor(event, reader),
        letter_id=str(event.letter_id or ""),
        changes=[
            (field, concealer.conceal(old), concealer.conceal(new))
            for field, old, new in _read_changes(event.facts)
        ],
        is_own_note=_is_note(event) and event.by_id == reader.pk,
        was_corrected=event.pk in corrected,
        is_correction=_is_note(event) and "corrects" in event.facts,
    )


def _read_changes(facts: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the recorded changes of an event: what, from, to."""
    if not isinstance(facts.get("changes"), list):
        return []
    return [
        (str(field), str(old or ""), str(new or ""))
        for field, old, new in (one for one in facts["changes"] if len(one) == 3)
    ]
