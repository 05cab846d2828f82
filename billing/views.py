"""The page of the fees: all rows, and the fee for one filing date."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.requests import StaffRequest

from .fees import find_fee
from .forms import FeeForm
from .models import FeeRow


@require_safe
def list_fees(request: StaffRequest) -> HttpResponse:
    """List the fee rows; with a filing date in the query string, find its fee."""
    form = FeeForm(request.GET if "filed" in request.GET else None, today=timezone.localdate())
    rows = FeeRow.objects.select_related("confirmed_by").order_by("-effective_from", "pk")
    found = None
    if form.is_valid():
        values = form.cleaned_data
        found = find_fee(
            values["filed"],
            values["kind"],
            values["stage"],
            rows=rows.as_fees(),
            reviewer_license=values["reviewer_license"],
            reviewers=values["reviewers"] or 0,  # empty if it was left out
        )
    context = {
        "form": form,
        "found": found,
        "rows": rows,
        "unconfirmed": sum(not row.is_confirmed for row in rows),
    }
    return render(request, "billing/fees.html", context)
