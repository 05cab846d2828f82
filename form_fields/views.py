"""The request that tells how a typed date is read."""

from django.http import HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from accounts.requests import StaffRequest

from .dates import interpret_date


@require_POST
def interpret_typed_date(request: StaffRequest) -> HttpResponse:
    """Describe the date in the field that was just left, for the page to show beside it."""
    name = request.headers.get("HX-Trigger-Name", "")
    reading = interpret_date(
        # Longer than any date; the text comes back in the answer.
        request.POST.get(name, "")[:60],
        today=timezone.localdate(),
        # A form with a prefix sends its fields as prefix-name.
        kind=name.rpartition("-")[2],
        received=request.POST.get("received", "")[:60],
    )
    look = " bad" if reading.is_bad else ""
    # The page writes the whole date into the field: “-8” would be another day tomorrow.
    return HttpResponse(
        format_html(
            '<span class="echo{}" data-read="{}">{}</span>', look, reading.written, reading.text
        )
    )
