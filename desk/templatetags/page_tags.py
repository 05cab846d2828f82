"""Template tags and filters of every page: dates, due cells, stages, outcomes, icons, fields.

Registered as builtins, so templates need no ``{% load %}``. Each tag names itself, because its
function may be renamed without its templates.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts.differences import word_differences
from accounts.models import User
from accounts.names import name_actor
from cases.lifecycle import Status
from cases.models.case import Priority
from deadlines.days import format_time, start_of_day
from deadlines.kinds import DEADLINE_KINDS
from desk.queues import COUNTED
from form_fields.dates import interpret_date
from guidelines.citations import describe_authority
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
# The style and the label of each outcome, of an item or of a case.
_OUTCOMES: dict[str, tuple[str, str]] = {
    Outcome.OVERTURNED: ("overturned", Outcome.OVERTURNED.label),
    Outcome.UPHELD: ("upheld", Outcome.UPHELD.label),
    **{one.value: ("partial", one.label) for one in CaseOutcome},
}
_DAY_KINDS = (
    "left",
    "elapsed",
    "held",
    "today",
    "limit",
)  # where one cell covers several days, the last of these wins
_BAR_CELLS = 60
_SOON_DAYS = 2
_HOURS_UP_TO_DAYS = 3  # hours further away are shown as days
_SOON_SHARE = 0.25
_CHANGE_MARKS = {"same": ("", ""), "added": ("<ins>", "</ins>"), "removed": ("<del>", "</del>")}


# --- dates ----------------------------------------
def _as_day(value: date | datetime) -> date:
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value


@register.filter(name="day")
def format_day(value: date | datetime | None) -> str:
    """ "Dec 4, 2024", in Pacific time."""
    if not value:
        return ""
    on = _as_day(value)
    return f"{on:%b} {on.day}, {on.year}"


@register.filter(name="day_long")
def format_day_long(value: date | datetime | None) -> str:
    """ "Wed, Dec 4, 2024": with the weekday, where it helps to plan work."""
    return f"{_as_day(value):%a}, {format_day(value)}" if value else ""


@register.filter(name="day_short")
def format_day_short(value: date | datetime | None, today: date | None = None) -> str:
    """ "Wed, Dec 4"; with the year when it is not the current one."""
    if not value:
        return ""
    on = _as_day(value)
    if on.year == (today or timezone.localdate()).year:
        return f"{on:%a, %b} {on.day}"
    return format_day_long(on)


@register.filter(name="moment")
def format_moment(value: datetime | None) -> str:
    """ "Dec 4, 2024, 2:05 PM PT"."""
    return f"{format_day(value)}, {format_clock_time(value)}" if value else ""


@register.filter(name="clock_time")
def format_clock_time(value: datetime | None) -> str:
    """ "2:05 PM PT"."""
    if not value:
        return ""
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return format_time(local)


def _count_units(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


@register.filter(name="name_for")
def name_for(actor: User | None, reader: User) -> str:
    """The actor's name as this reader may see it: ``{{ hold.begun_by|name_for:user }}``."""
    return name_actor(actor, reader=reader)


@register.filter(name="deadline_label")
def deadline_label(name: str) -> str:
    """The label of a deadline: "determination_regular" is "Determination, regular"."""
    deadline_kind = DEADLINE_KINDS.get(name)
    return deadline_kind.label if deadline_kind else spell_out(name)


@register.filter(name="spelled")
def spell_out(name: str) -> str:
    """An identifier in words: "board_certification" is "Board certification"."""
    return name.replace("_", " ").capitalize()


# --- due cells and deadline bars ----------------------------------------
@register.inclusion_tag("_due.html", name="due")
def show_due(
    due_on: date | datetime | Any,
    today: date | None = None,
    hold: str = "",
    started_on: date | None = None,
    label: str = "",
    now: datetime | None = None,
) -> dict[str, Any]:
    """Show when something is due: as a date, as time left, and as a line; never by color alone.

    :param due_on: a day, a moment, or anything with ``due_on``. The time left of a moment and of
        an expedited case is shown in hours.
    :param hold: why the deadline is on hold, for example "records, day 9".
    :param started_on: the deadline's first day; then the last quarter of its time is "soon".
    :param label: a word before the date, "Due" in identity bars.
    """
    held_until = getattr(due_on, "held_until", None)
    in_hours = isinstance(due_on, datetime) or (
        getattr(due_on, "priority", "") == Priority.EXPEDITED
    )
    if not isinstance(due_on, date):
        # A case without an active deadline still has a ``due_on``, by which lists sort.
        stopped = getattr(due_on, "due_deadline_kind", None) == ""
        due_on = None if stopped else getattr(due_on, "due_on", None)
    if hold:
        return {"state": "hold", "when": "On hold", "words": hold}
    if due_on is None:
        return {"state": "", "when": "No due date", "words": ""}
    today = today or timezone.localdate()
    on = _as_day(due_on)
    left = (on - today).days
    state, words = "", f"{_count_units(left, 'day')} left"
    if left < 0:
        state, words = "over", f"{_count_units(-left, 'day')} overdue"
    elif left == 0:
        state, words = "soon", "today"
    elif left <= _SOON_DAYS or (
        started_on is not None and left <= _SOON_SHARE * (on - started_on).days
    ):
        state = "soon"
    if in_hours and abs(left) <= _HOURS_UP_TO_DAYS:
        # A due day is over at its midnight; a due moment, at that moment.
        ends_at = due_on if isinstance(due_on, datetime) else start_of_day(on + timedelta(days=1))
        # Rounded down, so that the page never shows more time than is left.
        hours = (ends_at - (now or timezone.now())) // timedelta(hours=1)
        state = "over" if hours < 0 else state
        words = (
            f"{_count_units(-hours, 'hour')} overdue"
            if hours < 0
            else f"{_count_units(hours, 'hour')} left"
        )
    if held_until is not None and held_until > today and left > 0:
        # The legal date stays; the case returns to the work lists on that day.
        state, words = "hold", f"{words}, on hold until {format_day_short(held_until, today)}"
    when = format_day_short(on, today)
    if isinstance(due_on, datetime):
        when = f"{when}, {format_clock_time(due_on)}"
    return {"state": state, "when": f"{label} {when}".strip(), "words": words}


def deadline_days(
    started_on: date,
    due_on: date,
    today: date,
    holds: Iterable[tuple[date, date | None]] = (),
) -> list[str]:
    """The kind of each day from the deadline's first day to its last, for ``draw_bar``.

    :param holds: first and last day of every hold; the last day of a current hold is ``None``.
    """
    stopped = [(first, last or today) for first, last in holds]
    kinds = []
    # An overdue deadline is drawn up to today.
    for number in range((max(due_on, today) - started_on).days + 1):
        on = started_on + timedelta(days=number)
        # Today and the last day stay visible even if the case is on hold then.
        if on == today:
            kinds.append("today")
        elif on == due_on:
            kinds.append("limit")
        elif any(first <= on <= last for first, last in stopped):
            kinds.append("held")
        else:
            kinds.append("elapsed" if on < today else "left")
    return kinds


@register.inclusion_tag("_deadline_bar.html", name="draw_bar")
def draw_bar(days: Sequence[str], sentence: str = "") -> dict[str, Any]:
    """The bar of a deadline, a cell per day: elapsed, held, today, left, limit. At most 60 cells.

    :param days: kinds of days, as ``deadline_days`` returns them.
    """
    if not sentence and days:
        held = days.count("held")
        at = days.index("today") + 1 if "today" in days else len(days)
        sentence = f"Day {at} of {len(days)}"
        sentence += f", on hold {_count_units(held, 'day')}" if held else ""
    size = -(-len(days) // _BAR_CELLS) or 1  # days in a cell
    cells = [
        max(days[start : start + size], key=_DAY_KINDS.index) for start in range(0, len(days), size)
    ]
    return {"cells": cells, "sentence": sentence}


@register.inclusion_tag("_deadline_bar.html", name="deadline_bar")
def deadline_bar(deadline: Any, holds: Iterable[Any], today: date | None = None) -> dict[str, Any]:
    """The bar of a stored deadline, hatched where the case or this deadline was on hold."""
    deadline_kind = DEADLINE_KINDS.get(deadline.deadline_kind)
    # The trigger may be a moment; the bar begins with its day.
    started = str(deadline.given.get(deadline_kind.trigger, ""))[:10] if deadline_kind else ""
    if not started or deadline.due_on is None or deadline.met_at is not None:
        return draw_bar([])
    stops = [
        # The end of a hold is the first day after it.
        (hold.starts_on, hold.end - timedelta(days=1))
        for hold in holds
        if hold.round == deadline.round and hold.deadline_kind in {"", deadline.deadline_kind}
    ]
    on = today or timezone.localdate()
    days = deadline_days(date.fromisoformat(started), deadline.due_on, on, stops)
    return draw_bar(days)


@register.inclusion_tag("_deadline_bar.html", name="case_deadline_bar")
def case_deadline_bar(case: Any, today: date | None = None) -> dict[str, Any]:
    """The bar of the deadline that sets the due date of a case. Two queries."""
    row = case.deadlines.filter(
        deadline_kind=case.due_deadline_kind, round=case.round, replaced_at__isnull=True
    ).first()
    return draw_bar([]) if row is None else deadline_bar(row, case.holds.all(), today)


# --- tags ----------------------------------------
@register.simple_tag(name="stage_tag")
def stage_tag(case_or_status: Any) -> SafeString:
    """The stage of a case as a colored tag; takes a case or a status."""
    status = Status(getattr(case_or_status, "status", case_or_status))
    return format_html('<span class="tag {}">{}</span>', _STAGES[status], status.label)


@register.simple_tag(name="outcome")
def show_outcome(value: Any) -> SafeString:
    """An outcome with its colored square. Both item outcomes have the same visual weight."""
    look, words = _OUTCOMES.get(str(getattr(value, "value", value) or ""), ("none", "Not decided"))
    return format_html('<span class="outcome {}">{}</span>', look, words)


@register.simple_tag(name="icon")
def show_icon(name: str) -> SafeString:
    """An icon of the sprite. Use it beside text, except for close, sort and more."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>',
        static("img/icons.svg"),
        name,
    )


@register.simple_tag(name="key")
def show_key(keys: str) -> SafeString:
    """The key of the button or link that contains it; hidden from screen readers."""
    return format_html('<kbd aria-hidden="true">{}</kbd>', keys)


@register.simple_tag(name="employee_of")
def employee_of(case: Any) -> Any:
    """The current employee party of a case, or ``None``. One query."""
    standing = case.parties.current().on(timezone.localdate())
    return standing.filter(role="EMPLOYEE").order_by("pk").first()


@register.simple_tag(name="case_summary")
def case_summary(case: Any, employee: Any, body_parts: str) -> SafeString:
    """One line about a case: who is injured, where, since when, and the claim number."""
    claim = format_html('claim <span class="id">{}</span>', case.claim_number)
    injured = format_day(case.date_of_injury) or case.date_of_injury_printed
    parts = [
        employee.name if employee else "",
        body_parts,
        f"injured {injured}" if injured else "",
        claim if case.claim_number else "",
    ]
    return format_html_join(" · ", "{}", ((part,) for part in parts if part))


@register.inclusion_tag("_unconfirmed_rules.html", name="unconfirmed_rules")
def unconfirmed_rules(deadlines: Iterable[Any]) -> dict[str, Any]:
    """One banner for a page on which a deadline rests on a rule that no one has confirmed."""
    return {"rules_unconfirmed": any(not one.is_confirmed for one in deadlines)}


@register.simple_tag(name="body_parts_of")
def body_parts_of(case: Any) -> str:
    """The body parts of a case, from its items or its published letter. One query at most."""
    named = case.body_parts or case.items.order_by("position").values_list("body_part", flat=True)
    return ", ".join(dict.fromkeys(str(part).lower() for part in named if part))


# --- forms and texts ----------------------------------------
@register.inclusion_tag("_field.html", name="field")
def show_field(bound: Any, css: str = "", hint: str = "") -> dict[str, Any]:
    """A form's field with label, hint, input and error; ``hint`` overrides its help text."""
    return {"field": bound, "css": css, "hint": hint}


@register.filter(name="date_echo")
def date_echo(bound: Any) -> SafeString | str:
    """How the date in a field is read; empty for other fields."""
    # Only date fields of a dated form have a real day here.
    today = getattr(bound.field, "today", date.max)
    keyed = bound.value()
    if today == date.max or not isinstance(keyed, str):
        return ""
    reading = interpret_date(
        keyed, today=today, kind=bound.name, received=_received_beside(bound.form)
    )
    look = " bad" if reading.is_bad else ""
    return format_html('<span class="echo{}">{}</span>', look, reading.words)


def _received_beside(form: Any) -> str:
    return str(form["received"].value() or "") if "received" in form.fields else ""


@register.filter(name="as_cited")
def as_cited(row: Any) -> str:
    """A citation as letters print it; takes a row with ``citation()``."""
    return describe_authority(row.citation())


@register.simple_tag(name="word_diff")
def word_diff(old: str | None, new: str | None) -> SafeString:
    """What changed between two texts, word by word, as ``<ins>`` and ``<del>``.

    Built here and not in a template, because a line break between two pieces would be shown.
    """
    pieces = format_html_join(
        "",
        "{}{}{}",
        (
            (mark_safe(opening), piece.text, mark_safe(closing))  # noqa: S308 - constants above
            for piece in word_differences(old or "", new or "")
            for opening, closing in [_CHANGE_MARKS[piece.change]]
        ),
    )
    return format_html('<span class="typed">{}</span>', pieces)


@register.filter(name="quoted")
def quote_or_nothing(text: str) -> str:
    """The text in quotation marks, or "nothing" when it is empty."""
    return f"“{text}”" if text else "nothing"


@register.filter(name="plural")
def count_with_noun(count: int, noun: str) -> str:
    """ "1 item", "3 items"; with two words, "1 party" and "2 parties" from "party,parties"."""
    one, _, many = noun.partition(",")
    return f"{count:,} {one if count == 1 else many or one + 's'}"


@register.simple_tag(name="bulk_question")
def bulk_question(act: Any, count: int) -> str:
    """ "Mark the notices of 12 cases as sent": the question of a bulk action with its count."""
    return str(act.question % count_with_noun(count, "case"))


@register.filter(name="counted")
def format_capped_count(count: int, most: int = COUNTED) -> str:
    """ "12", or "999+" if counting stopped there."""
    return f"{count:,}" if count <= most else f"{most:,}+"
