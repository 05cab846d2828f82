"""Pages of letters: status, PDF download, failed letters, and wording sets."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.actions import run_action, try_action
from accounts.requests import StaffRequest, name_case_of_access
from accounts.visibility import list_hidden_references, match_hidden_references

from . import services
from .models import Letter, WordingSet

STOP_POLLING = 286  # htmx: show this response and stop polling


@require_GET
def show_letter_status(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the status of a letter; the page polls it while the letter is being generated."""
    letter = _load_letter(request, pk)
    code = 200 if letter.is_moving else STOP_POLLING
    # Code 286 means something only to htmx; browsers and tools expect 200.
    if not request.headers.get("HX-Request"):
        code = 200
    return render(request, "letters/_status.html", {"letter": letter}, status=code)


@require_safe
def download_letter(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Download the PDF of a filed letter."""
    letter = _load_letter(request, pk)
    if letter.file is None:
        raise Http404("This letter is not ready yet.")
    now = timezone.now()
    attempt = try_action(
        lambda: services.read_letter_file(letter_id=letter.pk, by=request.user, at=now)
    )
    if attempt.refusal:
        context = {"sentence": str(attempt.refusal)}
        return render(request, "letters/unreadable.html", context, status=attempt.status)
    return HttpResponse(
        attempt.result,
        content_type=services.PDF,
        headers={
            "Content-Disposition": content_disposition_header(False, letter.file_name),
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _load_letter(request: StaffRequest, pk: uuid.UUID) -> Letter:
    """Return the letter, or answer 404; a refusal because its case is restricted is recorded."""
    letter = get_object_or_404(Letter.objects.select_related("file"), pk=pk)
    if letter.reference in list_hidden_references(request.user):
        name_case_of_access(request, letter.reference)
        raise Http404("There is no such letter.")
    return letter


@require_GET
def list_failed_letters(request: StaffRequest) -> HttpResponse:
    """List the failed letters, oldest first."""
    return _render_failed_page(request)


def _render_failed_page(request: StaffRequest, *, status: int = 200) -> HttpResponse:
    # No second page: so many failures share one cause, such as a full disk.
    failed = Letter.objects.failed().exclude(match_hidden_references(request.user))
    letters = failed.order_by("created_at", "pk")[:200]
    hidden = set(list_hidden_references(request.user))
    damaged = [one for one in services.list_damaged_letters() if one.reference not in hidden]
    context = {"letters": letters, "damaged": damaged}
    return render(request, "letters/failed.html", context, status=status)


@require_POST
def retry_letter(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Queue a failed letter again."""
    _load_letter(request, pk)
    attempt = run_action(
        request,
        None,
        lambda: services.retry_failed_letter(letter_id=pk, by=request.user, at=timezone.now()),
    )
    if attempt.done:
        messages.success(request, f"{attempt.result.title} is being generated again.")
        return redirect("letters:failed")
    return _render_failed_page(request, status=attempt.status)


@require_GET
def list_wording_sets(request: StaffRequest) -> HttpResponse:
    """List the wording sets: published ones first, then drafts, then retired ones."""
    order = {
        WordingSet.State.PUBLISHED: 0,
        WordingSet.State.DRAFT: 1,
        WordingSet.State.RETIRED: 2,
    }
    sets = sorted(
        WordingSet.objects.select_related("published_by").order_by("kind", "layout", "-number"),
        key=lambda one: order[WordingSet.State(one.state)],
    )
    return render(request, "letters/wording.html", {"sets": sets})


@require_GET
def show_wording_set(request: StaffRequest, pk: int) -> HttpResponse:
    """Show the sentences of a wording set and the facts they require."""
    return _render_wording_page(request, pk)


@require_POST
def publish_wording(request: StaffRequest, pk: int) -> HttpResponse:
    """Publish a draft in the name of the signed-in user."""
    get_object_or_404(WordingSet, pk=pk)
    attempt = try_action(
        lambda: services.publish_wording(set_id=pk, by=request.user, at=timezone.now())
    )
    if attempt.refusal:
        return _render_wording_page(
            request, pk, refusal=str(attempt.refusal), status=attempt.status
        )
    messages.success(request, f"{attempt.result} is published.")
    return redirect("letters:wording_detail", pk)


def _render_wording_page(
    request: StaffRequest, pk: int, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    wording_set = get_object_or_404(WordingSet.objects.select_related("published_by"), pk=pk)
    context = {
        "wording_set": wording_set,
        "sentences": wording_set.sentences.order_by("slot", "order", "variant"),
        "refusal": refusal,
    }
    return render(request, "letters/wording_detail.html", context, status=status)
