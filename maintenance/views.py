"""The page of the nightly run: green, or a list of what to do."""

from itertools import groupby

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.requests import StaffRequest
from accounts.visibility import match_hidden_references
from cases.models import Case
from jobs.models import Job, JobRun

from .checks import CHECKS
from .models import Finding

MOST = 500
NAME = "maintenance.run_nightly_checks"


@require_safe
def list_findings(request: StaffRequest) -> HttpResponse:
    """List what the last nightly run found, by check, with what to do."""
    found = Finding.objects.open().exclude(match_hidden_references(request.user))
    rows = list(found.order_by("code", "reference", "pk")[: MOST + 1])
    numbers = _find_numbers(rows, request.user)
    groups = [
        (CHECKS.get(code), [(one, numbers[one.pk]) for one in findings])
        for code, findings in groupby(rows[:MOST], key=lambda row: row.code)
    ]
    context = {
        "groups": groups,
        "count": len(rows),
        "has_more": len(rows) > MOST,
        "job": Job.objects.filter(name=NAME).first(),
        "failure": JobRun.objects.unresolved().filter(name=NAME, reference="").first(),
    }
    return render(request, "maintenance/findings.html", context)


def _find_numbers(rows: list[Finding], reader: User) -> dict[int, str]:
    """The number of the case of each finding, by the id of the finding; empty if it has none.

    What differs from the history is stored without the number, so that everyone sees it. The
    number is for those who find the case.
    """
    of_cases = {
        one.pk: int(one.row)
        for one in rows
        if one.table == Case._meta.db_table and not one.reference and one.row.isdecimal()
    }
    cases = Case.objects.visible_to(reader).filter(pk__in=of_cases.values())
    numbers = dict(cases.values_list("pk", "number"))
    return {one.pk: one.reference or numbers.get(of_cases.get(one.pk, 0), "") for one in rows}
