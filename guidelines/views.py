"""The search of the reviewer's guideline picker."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from .models import Recommendation


@require_GET
def search_guidelines(request: HttpRequest) -> HttpResponse:
    """List recommendations with all words of ``q``, those in force on the day ``on`` first.

    A request by htmx gets the list alone, any other request a page with the list. ``assignment``
    and ``item`` are passed on to the citation buttons. The view behind those buttons checks whether
    the user may cite there.
    """
    # Every word adds a condition to the query, so the text is limited.
    query = request.GET.get("q", "").strip()[:100]
    on = _parse_day(request.GET.get("on", ""))
    # One letter would match nearly every row.
    recommendations = Recommendation.objects.picker(query, on=on) if len(query) > 1 else []
    context = {
        "found": [
            {"pk": each.pk, "citation": each.authority(), "edition_note": each.edition_note(on)}
            for each in recommendations
        ],
        "query": query,
        "on": on,
        "assignment": {"pk": _parse_number(request.GET.get("assignment", ""))},
        "item": {"pk": _parse_number(request.GET.get("item", ""))},
    }
    asked_by_htmx = request.headers.get("HX-Request") == "true"
    template = "guidelines/_found.html" if asked_by_htmx else "guidelines/found.html"
    return render(request, template, context)


def _parse_day(text: str) -> date:
    try:
        return parse_date(text) or timezone.localdate()
    except ValueError:
        return timezone.localdate()


def _parse_number(text: str) -> int:
    # At most 18 digits, because a larger number may not fit the column.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
