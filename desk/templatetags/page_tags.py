"""The parts that every page is built from: dates, due cells, stages, outcomes, icons, fields.

Registered as builtins, so templates need no ``{% load %}``.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.differences import word_differences
from accounts.models import User
from accounts.names import who
from cases.lifecycle import Status
from deadlines.kinds import DEADLINE_KINDS
from desk.queues import COUNTED
from form_fields.dates import talk_back
from guidelines.citations import authority
from letters.outcomes import CaseOutcome, Outcome

register = template.Library()

_STAGES: dict[str, str] = {
    Status.RECEIVED: "",
    Status.DUPLICATE: "",
    Status.SCREENING: "screen",
    Status.INFO_REQUESTED: "screen",
    Status.DEFERRED: "screen",
    Status.INELIGIBLE: "screen",
    Status.ELIGIBLE: "screen",
    Status.CONSOLIDATED: "",
    Status.NOTICE_SENT: "records",
    Status.RECORDS_COMPLETE: "",
    Status.REVIEWER_CHOSEN: "review",
    Status.IN_REVIEW: "review",
    Status.INFO_FOR_REVIEW: "records",
    Status.QA: "qa",
    Status.APPROVED: "qa",
    Status.ISSUED: "done",
    Status.WITHDRAWN: "",
    Status.TERMINATED: "",
    Status.CLOSED: "",
}
# The look and the words of each outcome, of an item or of a case.
_OUTCOMES: dict[str, tuple[str, str]] = {
    Outcome.OVERTURNED: ("o", Outcome.OVERTURNED.label),
    Outcome.UPHELD: ("u", Outcome.UPHELD.label),
    **{one.value: ("p", one.label) for one in CaseOutcome},
}
_DEADLINE_KIND_KINDS = (
    "left",
    "elapsed",
    "held",
    "today",
    "limit",
)  # a later one hides an earlier one
_DEADLINE_KIND_CELLS = 60
_SOON_DAYS = 2
_SOON_SHARE = 0.25


# --- dates ----------------------------------------
def _as_day(value: date | datetime) -> date:
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value


@register.filter
def day(value: date | datetime | None) -> str:
    """ "Wed 4 Dec 2024", in local time."""
    if not value:
        return ""
    on = _as_day(value)
    return f"{on:%a} {on.day} {on:%b} {on.year}"


@register.filter
def day_short(value: date | datetime | None, today: date | None = None) -> str:
    """ "Wed 4 Dec"; the year follows only when it is not this one."""
    if not value:
        return ""
    on = _as_day(value)
    words = f"{on:%a} {on.day} {on:%b}"
    return words if on.year == (today or timezone.localdate()).year else f"{words} {on.year}"


@register.filter
def moment(value: datetime | None) -> str:
    """ "Wed 4 Dec 2024, 14:05", in local time."""
    if not value:
        return ""
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{day(local)}, {local:%H:%M}"


@register.filter
def clock_time(value: datetime | None) -> str:
    """ "9:42:07", in local time: when something was last saved."""
    if not value:
        return ""
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{local.hour}:{local:%M:%S}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


@register.filter
def name_for(actor: User | None, reader: User) -> str:
    """Who acted, as this reader may see it: ``{{ hold.begun_by|name_for:user }}``."""
    return who(actor, reader=reader)


@register.filter
def deadline_label(name: str) -> str:
    """A deadline in words: "determination_regular" is "Determination, regular"."""
    deadline_kind = DEADLINE_KINDS.get(name)
    return deadline_kind.label if deadline_kind else spelled(name)


@register.filter
def spelled(name: str) -> str:
    """A name of the code as words: "board_certification" is "Board certification"."""
    return name.replace("_", " ").capitalize()


# --- due cells and deadline bars ----------------------------------------
@register.inclusion_tag("_due.html")
def due(
    due_on: date | datetime | Any,
    today: date | None = None,
    hold: str = "",
    started_on: date | None = None,
    label: str = "",
) -> dict[str, Any]:
    """When something falls due, as a date, in words and as a line; never color alone.

    :param due_on: a day, a moment (then hours count), or anything with ``due_on``.
    :param hold: why the deadline stands still, for example "records, day 9".
    :param started_on: the deadline's first day; then the last quarter of its time is "soon".
    :param label: a word before the date, "Due" in identity bars.
    """
    held_until = getattr(due_on, "held_until", None)
    if not isinstance(due_on, date):
        # A case whose deadlines have stopped still sorts by a day, on which nothing falls due.
        stopped = getattr(due_on, "due_deadline_kind", None) == ""
        due_on = None if stopped else getattr(due_on, "due_on", None)
    if hold:
        return {"state": "hold", "when": "Deadline stopped", "words": hold}
    if due_on is None:
        return {"state": "", "when": "No due date", "words": ""}
    today = today or timezone.localdate()
    on = _as_day(due_on)
    left = (on - today).days
    state, words = "", f"{_days(left)} left"
    if left < 0:
        state, words = "over", f"{_days(-left)} over"
    elif left == 0:
        state, words = "soon", "today"
    elif left <= _SOON_DAYS or (
        started_on is not None and left <= _SOON_SHARE * (on - started_on).days
    ):
        state = "soon"
    if held_until is not None and held_until > today and left > 0:
        # Its legal date stands; only the work rests, and it comes back on the day by itself.
        state, words = "hold", f"{words}, held until {day_short(held_until, today)}"
    when = day_short(on, today)
    if isinstance(due_on, datetime):
        when = f"{when}, {timezone.localtime(due_on):%H:%M}"
    return {"state": state, "when": f"{label} {when}".strip(), "words": words}


def deadline_days(
    started_on: date,
    due_on: date,
    today: date,
    holds: Iterable[tuple[date, date | None]] = (),
) -> list[str]:
    """One kind a day from the deadline's first day to its last, for ``deadline_bar``.

    :param holds: first and last day of every stop; ``None`` for one that still lasts.
    """
    stopped = [(first, last or today) for first, last in holds]
    kinds = []
    for number in range((max(due_on, today) - started_on).days + 1):
        on = started_on + timedelta(days=number)
        if on == today:
            kinds.append("today")
        elif on == due_on:
            kinds.append("limit")
        elif any(first <= on <= last for first, last in stopped):
            kinds.append("held")
        else:
            kinds.append("elapsed" if on < today else "left")
    return kinds


@register.inclusion_tag("_deadline_bar.html")
def draw_bar(days: Sequence[str], sentence: str = "") -> dict[str, Any]:
    """The deadline, one cell a day: elapsed, held, today, left, limit. At most 60 cells.

    :param days: kinds of day, as ``deadline_days`` gives them.
    """
    if not sentence and days:
        held = days.count("held")
        at = days.index("today") + 1 if "today" in days else len(days)
        sentence = f"Day {at} of {len(days)}"
        sentence += f", deadline stopped {_days(held)}" if held else ""
    size = -(-len(days) // _DEADLINE_KIND_CELLS) or 1  # days in a cell
    cells = [
        max(days[start : start + size], key=_DEADLINE_KIND_KINDS.index)
        for start in range(0, len(days), size)
    ]
    return {"cells": cells, "sentence": sentence}


@register.inclusion_tag("_deadline_bar.html")
def deadline_bar(deadline: Any, holds: Iterable[Any], today: date | None = None) -> dict[str, Any]:
    """The deadline bar of a stored deadline, hatched where the case or this deadline was held."""
    deadline_kind = DEADLINE_KINDS.get(deadline.deadline_kind)
    started = str(deadline.given.get(deadline_kind.trigger, ""))[:10] if deadline_kind else ""
    if not started or deadline.due_on is None or deadline.met_at is not None:
        return draw_bar([])
    stops = [
        (hold.starts_on, hold.end - timedelta(days=1))
        for hold in holds
        if hold.round == deadline.round and hold.deadline_kind in {"", deadline.deadline_kind}
    ]
    on = today or timezone.localdate()
    days = deadline_days(date.fromisoformat(started), deadline.due_on, on, stops)
    return draw_bar(days)


@register.inclusion_tag("_deadline_bar.html")
def case_deadline_bar(case: Any, today: date | None = None) -> dict[str, Any]:
    """The bar of the deadline by which a case is due. Two queries."""
    row = case.deadlines.filter(
        deadline_kind=case.due_deadline_kind, round=case.round, replaced_at__isnull=True
    ).first()
    return draw_bar([]) if row is None else deadline_bar(row, case.holds.all(), today)


# --- tags ----------------------------------------
@register.simple_tag
def stage_tag(case_or_status: Any) -> SafeString:
    """Where a case stands, as a colored word; takes a case or a status."""
    status = Status(getattr(case_or_status, "status", case_or_status))
    return format_html('<span class="tag {}">{}</span>', _STAGES[status], status.label)


@register.simple_tag
def outcome(value: Any) -> SafeString:
    """An outcome with its square. Both item outcomes weigh the same to the eye."""
    look, words = _OUTCOMES.get(str(getattr(value, "value", value) or ""), ("none", "Not decided"))
    return format_html('<span class="out {}">{}</span>', look, words)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sprite; always beside words, except for close, sort and more."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>',
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def key(keys: str) -> SafeString:
    """The key of the button or link it stands in, seen but not read aloud as part of its name."""
    return format_html('<kbd aria-hidden="true">{}</kbd>', keys)


@register.simple_tag
def employee_of(case: Any) -> Any:
    """The employee of a case, as the party now in force, or ``None``. One query."""
    standing = case.parties.current().on(timezone.localdate())
    return standing.filter(role="EMPLOYEE").order_by("pk").first()


@register.simple_tag
def body_parts_of(case: Any) -> str:
    """What a case is about, as its items or its publication word it. One query at most."""
    named = case.body_parts or case.items.order_by("position").values_list("body_part", flat=True)
    return ", ".join(dict.fromkeys(str(part).lower() for part in named if part))


# --- forms and texts ----------------------------------------
@register.inclusion_tag("_field.html")
def field(bound: Any, css: str = "", hint: str = "") -> dict[str, Any]:
    """A form's field with label, hint, input and error; ``hint`` overrides its help text."""
    return {"field": bound, "css": css, "hint": hint}


@register.filter
def date_echo(bound: Any) -> SafeString | str:
    """How the date that stands in a field is read; empty for other fields."""
    today = getattr(bound.field, "today", date.max)
    keyed = bound.value()
    if today == date.max or not isinstance(keyed, str):
        return ""
    told = talk_back(keyed, today=today, kind=bound.name, received=_received_beside(bound.form))
    return format_html('<span class="echo{}">{}</span>', " bad" if told.is_bad else "", told.words)


def _received_beside(form: Any) -> str:
    return str(form["received"].value() or "") if "received" in form.fields else ""


@register.filter
def as_cited(row: Any) -> str:
    """An authority as today's letters print it; takes a row with ``citation()``."""
    return authority(row.citation())


@register.inclusion_tag("_diff.html")
def word_diff(old: str | None, new: str | None) -> dict[str, Any]:
    """What changed between two texts, by the word, as ``<ins>`` and ``<del>``."""
    return {"pieces": word_differences(old or "", new or "")}


@register.filter
def plural(count: int, noun: str) -> str:
    """ "1 item", "3 items"; with two words, "1 party" and "2 parties" from "party,parties"."""
    one, _, many = noun.partition(",")
    return f"{count:,} {one if count == 1 else many or one + 's'}"


@register.simple_tag
def bulk_question(act: Any, count: int) -> str:
    """ "Mark the notices of 12 cases as sent": the act names what it would do."""
    return str(act.question % plural(count, "case"))


@register.filter
def counted(count: int, most: int = COUNTED) -> str:
    """ "12", or "999+" where the counting stopped."""
    return f"{count:,}" if count <= most else f"{most:,}+"
