"""Shared by the pages of a determination: the template context and the preview of the letter."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

import files.services
from accounts.actions import try_action
from accounts.requests import StaffRequest
from cases.models import Case
from determinations import policies
from determinations.services import issuing
from reviewers.models import ReviewerAssignment


def build_determination_context(request: StaffRequest, case: Case) -> dict[str, Any]:
    """Build the context shared by the QA page, the issue page and the versions page. Queries."""
    determination = policies.live_determination(case)
    # Of this round only. The page of versions lists the texts of all rounds itself.
    assignments = case.assignments.filter(round=case.round, state__in=ReviewerAssignment.DECIDING)
    reviews = []
    for assignment in assignments.select_related("review", "reviewer").order_by("seat"):
        opinions = (
            assignment.opinions.select_related("item")
            .prefetch_related("citations")
            .order_by("item__position")
        )
        reviews.append({"assignment": assignment, "opinions": list(opinions)})
    return {
        "case": case,
        "determination": determination,
        "reviews": reviews,
        "readings": list(
            determination.quality_reviews.select_related("checked_by", "item").order_by("number")
        )
        if determination
        else [],
        "sees_identity": request.user.may("reviewers.view_identity"),
        "today": timezone.localdate(),
    }


def render_preview_pdf(
    request: StaffRequest, case: Case, *, only_seat: int | None = None
) -> HttpResponse:
    """Return a preview of the letter as a PDF, or a page with the reasons why there is none."""
    now = timezone.now()

    def read_preview() -> bytes:
        preview = issuing.preview_determination(
            case_id=case.pk, only_seat=only_seat, by=request.user, at=now
        )
        return files.services.read_bytes(preview.file)

    attempt = try_action(read_preview)
    if attempt.refusal:
        context = {"case": case, "why": str(attempt.refusal)}
        return render(request, "determinations/no_preview.html", context, status=attempt.status)
    response = HttpResponse(attempt.result, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{case.number}-preview.pdf"'
    return response
