"""What the pages of reviewers share: loading rows, and the days asked about."""

from datetime import date, datetime, timedelta

from django.shortcuts import get_object_or_404

from deadlines.days import midnight
from reviewers.forms import (
    AsOfForm,
)
from reviewers.models import (
    Reviewer,
)


def as_of(form: AsOfForm, *, today: date, now: datetime) -> tuple[date, datetime]:
    """The day asked about, and the moment at which the day of knowing ended."""
    if not form.is_bound or not form.is_valid():
        return today, now
    on = form.cleaned_data["on"] or today
    known = form.cleaned_data["known"]
    if known is None or known >= today:
        return on, now
    return on, midnight(known + timedelta(days=1))


def load_reviewer(code: str) -> Reviewer:
    return get_object_or_404(Reviewer.objects.select_related("user"), code=code)
