"""The page of scheduled jobs: failures first, the last run of each job, and “Run again”."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.actions import run_action
from accounts.requests import StaffRequest

from . import services
from .kinds import JOB_KINDS
from .overview import list_failures, list_last_runs
from .policies import why_not_run_again


@require_GET
def list_jobs(request: StaffRequest) -> HttpResponse:
    """List failed runs, then every job with its last run."""
    return _render_jobs_page(request)


def _render_jobs_page(request: StaffRequest, *, status: int = 200) -> HttpResponse:
    context = {
        "failures": list_failures(request.user),
        "jobs": list_last_runs(at=timezone.now()),
        "why_not_run": why_not_run_again(request.user),
    }
    return render(request, "jobs/list.html", context, status=status)


@require_POST
def run_again(request: StaffRequest, job: str) -> HttpResponse:
    """Ask for another run of a job."""
    if job not in JOB_KINDS:
        raise Http404("There is no such job.")
    attempt = run_action(
        request,
        None,
        lambda: services.request_run(name=job, by=request.user, at=timezone.now()),
    )
    if attempt.done:
        messages.success(request, f"{JOB_KINDS[job].label}: the job starts within half a minute.")
        return redirect("jobs:list")
    return _render_jobs_page(request, status=attempt.status)
