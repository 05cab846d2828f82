"""How a date that was just typed is read."""

from django.http import HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from accounts.requests import StaffRequest

from .dates import talk_back


@require_POST
def say_date(request: StaffRequest) -> HttpResponse:
    """How the date in the field that was just left is read, for any form that takes dates."""
    name = request.headers.get("HX-Trigger-Name", "")
    told = talk_back(
        request.POST.get(name, "")[:60],
        today=timezone.localdate(),
        kind=name.rpartition("-")[2],
        received=request.POST.get("received", "")[:60],
    )
    look = " bad" if told.is_bad else ""
    return HttpResponse(format_html('<span class="echo{}">{}</span>', look, told.words))
