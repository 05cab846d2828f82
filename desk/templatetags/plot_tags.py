"""Plots of numbers, drawn as SVG on the server; the numbers stand in the table beside them."""

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_WIDTH = 100  # of a bar for the largest number
_COLUMN, _GAP, _HEIGHT = 14, 4, 32


@register.simple_tag(name="bar")
def draw_bar(value: float | None, most: float) -> SafeString:
    """Return a horizontal bar, as long as a number is compared with the largest one.

    Hidden from screen readers, which read the number in the cell beside it.
    """
    width = round(_WIDTH * (value or 0) / most, 1) if most else 0
    return format_html(
        '<svg class="plot" viewBox="0 0 {0} 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="ground" width="{0}" height="10"/><rect width="{1}" height="10"/></svg>',
        _WIDTH,
        width,
    )


@register.simple_tag(name="columns")
def draw_columns(values: Sequence[int], most: int, label: str) -> SafeString:
    """Return one column for each number, in their order, with the numbers as its description.

    :param most: the number that is as high as the plot, the same in all plots of a table.
    :param label: what the columns are, for example "Applications of the last 7 days".
    """
    rects = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}"/>',
        (
            (place * (_COLUMN + _GAP), _HEIGHT - height, _COLUMN, height)
            for place, value in enumerate(values)
            # A day without work keeps a line, so that days can be counted.
            for height in [max(1, round(_HEIGHT * value / most)) if most else 1]
        ),
    )
    return format_html(
        '<svg class="plot columns" viewBox="0 0 {} {}" role="img" aria-label="{}: {}">{}</svg>',
        len(values) * (_COLUMN + _GAP) - _GAP,
        _HEIGHT,
        label,
        ", ".join(str(value) for value in values),
        rects,
    )


@register.filter(name="minutes")
def format_minutes(seconds: int | None) -> str:
    """ "6 min 20 s"; empty for ``None``."""
    if seconds is None:
        return ""
    return f"{seconds // 60} min {seconds % 60:02d} s" if seconds >= 60 else f"{seconds} s"
