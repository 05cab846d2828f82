"""The rows of a work list, written in Python.

A page of a list has fifty rows of thirty values. As a template they took half of the time of the
whole page; every value is escaped here as there.
"""

from collections.abc import Iterable
from datetime import date

from django import template
from django.template import RequestContext
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from cases.models import Case
from desk.queues import Row
from queues.services import bulk
from queues.services.bulk import BulkAction

from .page_tags import format_clock_time, format_day_short, show_due, stage_tag, tag_priority

register = template.Library()

_NUMBER = "NUMBER"  # stands for the case number in an address
_ROW = """
<tr data-row data-keep-focus id="case-{pk}" hx-get="{peek}"
  hx-trigger="focusin delay:120ms" hx-target="#peek" hx-sync="#peek:replace">
  <td class="pick">
    <label>
      <span class="visually-hidden">Select {number}</span>
      <input type="checkbox" id="tick-{pk}" name="case" value="{pk}" form="many" data-key="x"
        data-key-label="Select or clear" {checked}>
    </label>
  </td>
  <td>
    <a class="id" data-open href="{url}">{number}</a>
    <span class="worker">{worker}</span>{held}{taken}
  </td>
  <td class="clip"><div>{titles}</div></td>{cells}
  <td class="end">
<div class="due {state}">
  <span class="bar" aria-hidden="true"></span><b>{when}</b><small>{words}</small>
</div>
</td>
</tr>"""
_UNDATED = """
<tr class="group"><td colspan="{}">No due date</td></tr>"""
_HELD = '\n    <span class="tag held">On hold until {}</span>'
_TAKEN = '\n    <span class="tag {}">{}, since {}</span>'


@register.simple_tag(name="queue_rows")
def show_queue_rows(
    rows: Iterable[Row],
    columns: set[str],
    today: date,
    tick_all: bool = False,
    is_undated: bool | None = None,
) -> SafeString:
    """Return the rows of a list as table rows, with the columns of this reader.

    :param is_undated: whether the rows begin among the cases without a due date, which have a
        heading of their own; ``None`` if the order of the list does not put them last.
    """
    # Looking up two addresses for each row would take longer than writing it.
    url = reverse("desk:case", args=[_NUMBER])
    peek = reverse("desk:peek", args=[_NUMBER])
    parts = []
    for row in rows:
        case = row.case
        if is_undated is False and not case.has_due_date:
            parts.append(format_html(_UNDATED, len(columns) + 4))
            is_undated = True
        parts.append(
            format_html(
                _ROW,
                pk=case.pk,
                number=case.number,
                url=url.replace(_NUMBER, case.number),
                peek=peek.replace(_NUMBER, case.number),
                checked="checked" if tick_all else "",
                held=format_html(_HELD, format_day_short(row.held_until, today))
                if row.held_until
                else "",
                taken=_write_claim(row),
                worker=row.worker,
                titles="; ".join(row.titles),
                cells=_write_cells(row, case, columns, today),
                **show_due(case, today),
            )
        )
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped above


@register.simple_tag(name="list_bulk_actions", takes_context=True)
def list_actions_of_page(
    context: RequestContext, queue: str, subject: str, only: str = ""
) -> list[BulkAction]:
    """Return the actions on selected rows that a page offers to its reader.

    :param only: the name of the only action that the page offers, if it does not offer all.
    """
    actions = bulk.list_bulk_actions(queue=queue, user=context["user"], subject=subject)
    return [action for action in actions if only in {"", action.name}]


def _write_claim(row: Row) -> SafeString | str:
    if row.claim is None:
        return ""
    since = format_clock_time(row.claim.claimed_at)
    return format_html(_TAKEN, "wraps review" if row.is_mine else "wraps", row.held_by, since)


def _write_cells(row: Row, case: Case, columns: set[str], today: date) -> SafeString:
    cells = []
    if "items" in columns:
        cells.append(_write_cell("numeric hide-small", len(row.titles)))
    if "administrator" in columns:
        cells.append(_write_cell("hide-medium clip less", row.administrator))
    if "stage" in columns:
        stage = format_html("{} {}", tag_priority(case), stage_tag(case))
        cells.append(_write_cell("hide-small nowrap", stage))
    if "channel" in columns:
        cells.append(_write_cell("hide-medium nowrap", row.channel))
    if "received" in columns:
        received = format_day_short(case.received_on, today)
        cells.append(_write_cell("hide-medium nowrap", received))
    if "room" in columns:
        cells.append(_write_cell("hide-small nowrap", row.room))
    return mark_safe("".join(cells))  # noqa: S308 - every part is escaped above


def _write_cell(css: str, value: object) -> SafeString:
    return format_html('\n  <td class="{}">{}</td>', css, value)
