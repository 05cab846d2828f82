"""What the pages of reviewers share: loading rows, the days asked about, what is refused.

A view loads, checks the form, makes one call and answers. What is refused is the page again with
422 and everything that was typed; what someone else did meanwhile is 409.
"""

from datetime import date, datetime, timedelta

from django.http import QueryDict
from django.shortcuts import get_object_or_404

from accounts.refusals import Refused, StaleForm
from accounts.requests import StaffRequest
from cases.deadlines import midnight
from cases.models import Case
from reviewers.forms import (
    AsOfForm,
)
from reviewers.models import (
    Reviewer,
)

REFUSALS = (Refused,)
CONFLICTS = (StaleForm,)


def as_of(form: AsOfForm, *, today: date, now: datetime) -> tuple[date, datetime]:
    """The day asked about, and the moment at which the day of knowing ended."""
    if not form.is_bound or not form.is_valid():
        return today, now
    on = form.cleaned_data["on"] or today
    known = form.cleaned_data["known"]
    if known is None or known >= today:
        return on, now
    return on, midnight(known + timedelta(days=1))


def posted(request: StaffRequest) -> QueryDict | None:
    """What a form was sent with; an empty one counts as sent."""
    return request.POST if request.method == "POST" else None


def load_reviewer(code: str) -> Reviewer:
    return get_object_or_404(Reviewer.objects.select_related("user"), code=code)


def load_case(number: str) -> Case:
    return get_object_or_404(Case, number=number)
