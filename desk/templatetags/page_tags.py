"""Template tags and filters of every page: dates, due cells, stages, outcomes, icons, fields.

Registered as builtins, so templates need no ``{% load %}``. Each tag names itself, because its
function may be renamed without its templates.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from django import template
from django.contrib.messages.storage.base import Message
from django.forms import BaseForm
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts import form_keys
from accounts.counting import count_noun
from accounts.devices import describe_device
from accounts.differences import word_differences
from accounts.models import User
from accounts.names import name_actor
from accounts.roles import Role
from cases.case_rows import read_list_column, rows_of
from cases.item_groups import ItemGroup, group_like_items
from cases.lifecycle import Status
from cases.models import UndoableAct
from cases.models.case import Priority
from deadlines.days import format_time, start_of_day
from deadlines.kinds import DEADLINE_KINDS
from desk.queues import COUNTED
from form_fields.dates import interpret_date
from guidelines.citations import describe_authority
from jobs.models import JobRun
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
    CaseOutcome.OVERTURN: ("overturned", CaseOutcome.OVERTURN.label),
    CaseOutcome.UPHOLD: ("upheld", CaseOutcome.UPHOLD.label),
    CaseOutcome.PARTIAL: ("partial", CaseOutcome.PARTIAL.label),
}
_DAY_KINDS = (
    "left",
    "elapsed",
    "held",
    "today",
    "limit",
)  # where one cell covers several days, the last of these wins
_CELLS = {kind: f'<i class="{kind}"></i>' for kind in _DAY_KINDS}
_BAR = '<span class="deadline" role="img" aria-label="{}">{}</span>'
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


@register.simple_tag(name="form_key")
def write_form_key() -> SafeString:
    """The hidden key of a form that only adds a row; sending the same form again adds nothing."""
    # Off, because some browsers put the old value back when a page is loaded again.
    return format_html(
        '<input type="hidden" name="{}" value="{}" autocomplete="off">', form_keys.FIELD, uuid4()
    )


@register.filter(name="day")
def format_day(value: date | datetime | None) -> str:
    """ "Dec 4, 2024", in Pacific time."""
    if not value:
        return ""
    on = _as_day(value)
    return f"{on:%b} {on.day}, {on.year}"


@register.filter(name="injury")
def format_injury(case: Any) -> str:
    """The date of injury of a case: "Dec 4, 2023", or "CT Jan 5, 2009 – Mar 12, 2014"."""
    day = format_day(case.date_of_injury)
    return f"CT {day} – {format_day(case.injury_last_day)}" if case.injury_last_day else day


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
    """Return the actor's name as this reader may see it: ``{{ hold.begun_by|name_for:user }}``."""
    return name_actor(actor, reader=reader)


@dataclass(frozen=True)
class UndoOffer:
    """What the button beside a message takes back."""

    number: str
    act: int
    is_sent_mark: bool


@register.filter(name="undo_offer")
def read_undo_offer(message: Message) -> UndoOffer | None:
    """Return what a message offers to undo; see ``cases.views.acting.report_done``."""
    words = (message.extra_tags or "").split()
    if len(words) != 4 or words[0] != "undo":
        return None
    _, number, act, kind = words
    return UndoOffer(number, int(act), kind in UndoableAct.SENT)


@register.filter(name="deadline_label")
def deadline_label(name: str) -> str:
    """Return the label of a deadline: "determination_regular" is "Determination, regular"."""
    deadline_kind = DEADLINE_KINDS.get(name)
    return deadline_kind.label if deadline_kind else spell_out(name)


@register.filter(name="role_label")
def label_role(name: str) -> str:
    """Return the label of a role: "MAILROOM" is "Mail room"."""
    return Role(name).label


@register.filter(name="spelled")
def spell_out(name: str) -> str:
    """Return an identifier in words: "board_certification" is "Board certification"."""
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

    :param due_on: a day, a moment, or anything with ``due_on`` and perhaps ``due_at``. The time
        left of a moment and of an expedited case is shown in hours.
    :param hold: why the deadline is on hold, for example "records, day 9".
    :param started_on: the deadline's first day; then the last quarter of its time is "soon".
    :param label: a word before the date, "Due" in identity bars.
    """
    held_until = getattr(due_on, "held_until", None)
    is_expedited = getattr(due_on, "priority", "") == Priority.EXPEDITED
    if not isinstance(due_on, date):
        # A case without an active deadline still has a ``due_on``, by which lists sort.
        row, stopped = due_on, getattr(due_on, "due_deadline_kind", None) == ""
        # The moment of a deadline that runs in hours, before its day.
        due_on = None if stopped else getattr(row, "due_at", None) or getattr(row, "due_on", None)
    if hold:
        return {"state": "hold", "when": "On hold", "words": hold}
    if due_on is None:
        return {"state": "", "when": "No due date", "words": ""}
    today = today or timezone.localdate()
    on = _as_day(due_on)
    days_left = (on - today).days
    state, remaining = "", f"{_count_units(days_left, 'day')} left"
    if days_left < 0:
        state, remaining = "over", f"{_count_units(-days_left, 'day')} overdue"
    elif days_left == 0:
        state, remaining = "soon", "today"
    elif days_left <= _SOON_DAYS or (
        started_on is not None and days_left <= _SOON_SHARE * (on - started_on).days
    ):
        state = "soon"
    if (is_expedited or isinstance(due_on, datetime)) and abs(days_left) <= _HOURS_UP_TO_DAYS:
        # A due day is over at its midnight; a due moment, at that moment.
        ends_at = due_on if isinstance(due_on, datetime) else start_of_day(on + timedelta(days=1))
        # Rounded down, so that the page never shows more time than is left.
        hours = (ends_at - (now or timezone.now())) // timedelta(hours=1)
        state = "over" if hours < 0 else state
        remaining = (
            f"{_count_units(-hours, 'hour')} overdue"
            if hours < 0
            else f"{_count_units(hours, 'hour')} left"
        )
    if held_until is not None and held_until > today and days_left > 0:
        # The legal date stays; the case returns to the work lists on that day.
        state, remaining = (
            "hold",
            f"{remaining}, on hold until {format_day_short(held_until, today)}",
        )
    when = format_day_short(on, today)
    if isinstance(due_on, datetime):
        when = f"{when}, {format_clock_time(due_on)}"
    return {"state": state, "when": f"{label} {when}".strip(), "words": remaining}


def deadline_days(
    started_on: date,
    due_on: date,
    today: date,
    holds: Iterable[tuple[date, date | None]] = (),
) -> list[str]:
    """Return the kind of each day from the deadline's first day to its last, for ``draw_bar``.

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


@register.simple_tag(name="draw_bar")
def draw_bar(days: Sequence[str], sentence: str = "") -> SafeString:
    """Draw the bar of a deadline, a cell per day: elapsed, held, today, left, limit. At most 60.

    :param days: kinds of days, as ``deadline_days`` returns them.
    """
    if not sentence and days:
        held_days = days.count("held")
        at = days.index("today") + 1 if "today" in days else len(days)
        sentence = f"Day {at} of {len(days)}"
        sentence += f", on hold {_count_units(held_days, 'day')}" if held_days else ""
    size = -(-len(days) // _BAR_CELLS) or 1  # days in a cell
    cells = [
        max(days[start : start + size], key=_DAY_KINDS.index) for start in range(0, len(days), size)
    ]
    # Written here, because a template takes a hundred times as long for sixty empty elements.
    drawn = mark_safe("".join(_CELLS[kind] for kind in cells))  # noqa: S308 - constants
    return format_html(_BAR, sentence, drawn) if cells else mark_safe("")


@register.simple_tag(name="deadline_bar")
def deadline_bar(deadline: Any, holds: Iterable[Any], today: date | None = None) -> SafeString:
    """Return the bar of a stored deadline, hatched where the case or this deadline was on hold."""
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


@register.simple_tag(name="case_deadline_bar")
def case_deadline_bar(case: Any, today: date | None = None) -> SafeString:
    """Return the bar of the deadline that sets the due date of a case. At most two queries."""
    rows = rows_of(case)
    of_round = rows.deadlines_of_round()
    row = next((one for one in of_round if one.deadline_kind == case.due_deadline_kind), None)
    return draw_bar([]) if row is None else deadline_bar(row, rows.hold_spans, today)


@register.simple_tag(name="draw_columns")
def draw_columns(counts: Sequence[int], most: int, label: str) -> SafeString:
    """Draw counts over time as columns of an SVG, one for each, on a baseline.

    Its numbers stand in a table beside it. It needs no script, prints, and takes its color from
    the style sheet.

    :param most: the count that is as high as the drawing, so that several can be compared.
    :param label: what is counted.
    """
    columns = format_html_join(
        "",
        '<rect x="{}" y="{}" width="8" height="{}"/>',
        (
            (10 * place + 1, round(30 - height, 1), round(height, 1))
            for place, count in enumerate(counts)
            if (height := 30 * count / most)
        ),
    )
    return format_html(
        '<svg class="columns" viewBox="0 0 {} 31" preserveAspectRatio="none" role="img" '
        'aria-label="{}: {}"><path d="M0 30.5H{}"/>{}</svg>',
        10 * len(counts),
        label,
        ", ".join(map(str, counts)),
        10 * len(counts),
        columns,
    )


@register.simple_tag(name="holds_of")
def holds_of(case: Any) -> Any:
    """Return the days of the holds of a case. At most one query."""
    return rows_of(case).hold_spans


# --- tags ----------------------------------------
@register.simple_tag(name="stage_tag")
def stage_tag(case_or_status: Any) -> SafeString:
    """Return the stage of a case as a colored tag; takes a case or a status."""
    status = Status(getattr(case_or_status, "status", case_or_status))
    return format_html('<span class="tag {}">{}</span>', _STAGES[status], status.label)


@register.simple_tag(name="priority_tag")
def tag_priority(case: Any, with_time: bool = False) -> SafeString | str:
    """Return the priority of a case as a colored tag; empty for a regular one.

    :param with_time: also say how much time an expedited case has left, where no due cell does.
    """
    if case.priority == Priority.REGULAR:
        return ""
    is_expedited = case.priority == Priority.EXPEDITED
    left = show_due(case)["words"] if is_expedited and with_time else ""
    words = ", ".join(filter(None, [case.get_priority_display(), left]))
    return format_html('<span class="tag {}">{}</span>', "over" if is_expedited else "soon", words)


@register.simple_tag(name="outcome")
def show_outcome(value: Any) -> SafeString:
    """Return an outcome with its colored square. Both item outcomes have the same visual weight."""
    look, label = _OUTCOMES.get(str(getattr(value, "value", value) or ""), ("none", "Not decided"))
    return format_html('<span class="outcome {}">{}</span>', look, label)


@register.simple_tag(name="icon")
def show_icon(name: str) -> SafeString:
    """Return an icon of the sprite. Use it beside text, except for close, sort and more."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>',
        static("img/icons.svg"),
        name,
    )


@register.simple_tag(name="key")
def show_key(keys: str) -> SafeString:
    """Return the key of the button or link that contains it; hidden from screen readers."""
    return format_html('<kbd aria-hidden="true">{}</kbd>', keys)


@register.simple_tag(name="titles_of")
def titles_of(case: Any) -> list[str]:
    """Return the titles of the disputed items of a case that was loaded with them."""
    return [title for (title,) in read_list_column(case, "titles_json")]


@register.filter(name="says")
def form_says(form: Any, sentence: str) -> bool:
    """Whether a refused form says a sentence above its fields. A page may have no form.

    In a template, ``in`` with nothing at its right is false, and so is ``not in``.
    """
    return isinstance(form, BaseForm) and sentence in form.non_field_errors()


@register.simple_tag(name="other_cases_of")
def other_cases_of(case: Any) -> list[dict[str, Any]]:
    """Return other cases of the injured worker, newest first: number and stage. No queries.

    ``load_case`` loads them for one reader, and only those that this reader may see.
    """
    loaded = case.__dict__.get("other_cases_json")
    return [
        {"number": number, "stage": Status(status).label}
        for number, status in json.loads(loaded or "[]")
    ]


@register.filter(name="like_items")
def like_items(items: Iterable[Any]) -> list[ItemGroup]:
    """Group disputed items that are alike, in their order."""
    return group_like_items(items)


@register.simple_tag(name="failed_jobs_of")
def failed_jobs_of(case: Any) -> list[JobRun]:
    """The failed scheduled jobs of a case that no later run has resolved. At most one query."""
    if not getattr(case, "has_failed_jobs", True):
        return []
    return list(JobRun.objects.unresolved().of_case(case.number).order_by("-pk")[:5])


@register.simple_tag(name="case_summary")
def case_summary(case: Any, linked: bool = False) -> SafeString:
    """Return one line about a case: who is injured, where, since when, and the claim number.

    At most two queries.

    :param linked: the reader may open the page of the injured worker, so the name leads there.
    """
    rows, today = rows_of(case), timezone.localdate()
    worker: str = rows.employee_name_on(today)
    if worker and linked and (person := rows.employee_person_on(today)):
        worker = format_html('<a href="{}">{}</a>', reverse("desk:person", args=[person]), worker)
    claim = format_html('claim <span class="id">{}</span>', case.claim_number)
    injured = format_injury(case) or case.date_of_injury_printed
    parts = [
        worker,
        # A published letter states its body parts without items.
        _join_body_parts(case.body_parts or rows.body_parts),
        f"injured {injured}" if injured else "",
        claim if case.claim_number else "",
    ]
    return format_html_join(" · ", "{}", ((part,) for part in parts if part))


@register.inclusion_tag("_unconfirmed_rules.html", name="unconfirmed_rules")
def unconfirmed_rules(deadlines: Iterable[Any]) -> dict[str, Any]:
    """Return one banner for a page with a deadline whose rule no one has confirmed."""
    return {"rules_unconfirmed": any(not one.is_confirmed for one in deadlines)}


def _join_body_parts(named: Iterable[str]) -> str:
    """Return each body part once."""
    return ", ".join(dict.fromkeys(str(part).lower() for part in named if part))


# --- forms and texts ----------------------------------------
@register.inclusion_tag("_field.html", name="field")
def show_field(bound: Any, css: str = "", hint: str = "") -> dict[str, Any]:
    """Return a form's field with label, hint, input and error; ``hint`` overrides its help text."""
    return {"field": bound, "css": css, "hint": hint}


@register.filter(name="first_control")
def first_control(bound: Any) -> str:
    """Return the id of the control of a field to which a link can lead; of choices, the first."""
    if bound.use_fieldset and getattr(bound.field.widget, "input_type", "") in {
        "radio",
        "checkbox",
    }:
        return f"{bound.auto_id}_0"
    return str(bound.id_for_label or bound.auto_id)


@register.filter(name="row_errors")
def list_row_errors(form: Any) -> list[tuple[str, str]]:
    """Return the errors of a form's rows that are no form fields: id of the control, sentence."""
    return list(getattr(form, "row_errors", ()))


@register.filter(name="date_echo")
def date_echo(bound: Any) -> SafeString | str:
    """Return how the date in a field is read; empty for other fields."""
    # Only date fields of a dated form have a real day here.
    today = getattr(bound.field, "today", date.max)
    keyed = bound.value()
    if today == date.max or not isinstance(keyed, str):
        return ""
    reading = interpret_date(
        keyed, today=today, kind=bound.name, received=_received_beside(bound.form)
    )
    look = " bad" if reading.is_bad else ""
    return format_html('<span class="echo{}">{}</span>', look, reading.text)


def _received_beside(form: Any) -> str:
    return str(form["received"].value() or "") if "received" in form.fields else ""


@register.filter(name="as_cited")
def as_cited(row: Any) -> str:
    """Return a citation as letters print it; takes a row with ``citation()``."""
    return describe_authority(row.citation())


@register.simple_tag(name="word_diff")
def word_diff(old: str | None, new: str | None) -> SafeString:
    """Return what changed between two texts, word by word, as ``<ins>`` and ``<del>``.

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
    """Return the text in quotation marks, or "nothing" when it is empty."""
    return f"“{text}”" if text else "nothing"


@register.filter(name="device")
def name_device(agent: str) -> str:
    """ "Chrome on Windows", from what the browser sent."""
    return describe_device(agent)


@register.filter(name="plural")
def count_with_noun(count: int, noun: str) -> str:
    """ "1 item", "3 items"; with two words, "1 party" and "2 parties" from "party,parties"."""
    return count_noun(count, noun)


@register.simple_tag(name="bulk_question")
def bulk_question(action: Any, count: int) -> str:
    """ "Mark the notices of 12 cases as sent": the question of a bulk action with its count."""
    return str(action.question % count_with_noun(count, action.subject))


@register.filter(name="counted")
def format_capped_count(count: int, most: int = COUNTED) -> str:
    """ "12", or "999+" if counting stopped there."""
    return f"{count:,}" if count <= most else f"{most:,}+"
