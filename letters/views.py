"""Pages about letters: how far one has got, its PDF, those that need a person, and wording."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST, require_safe

import files.services
from accounts.actions import run_action, try_action
from accounts.requests import StaffRequest
from accounts.services import note_look

from . import services
from .models import Letter, WordingSet

STOP_POLLING = 286  # htmx: swap this answer in and ask no more


@require_GET
def status(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """How far a letter has got; asked every two seconds until nothing will change by itself."""
    letter = get_object_or_404(Letter, pk=pk)
    code = 200 if letter.is_moving else STOP_POLLING
    if not request.headers.get("HX-Request"):
        code = 200
    return render(request, "letters/_status.html", {"letter": letter}, status=code)


@require_safe
def download(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The PDF of a filed letter; who opened it is noted before the bytes go out."""
    letter = get_object_or_404(Letter.objects.select_related("file"), pk=pk)
    if letter.file is None:
        raise Http404("This letter is not filed yet.")
    content = files.services.read_bytes(letter.file)
    note_look(
        by=request.user,
        subject="letter",
        reference=letter.file_name,
        granted=True,
        at=timezone.now(),
    )
    return HttpResponse(
        content,
        content_type=services.PDF,
        headers={
            "Content-Disposition": content_disposition_header(False, letter.file_name),
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


@require_GET
def failed(request: StaffRequest) -> HttpResponse:
    """Every letter that waits for a person, the longest waiting first."""
    return _failed_page(request)


def _failed_page(request: StaffRequest, *, status: int = 200) -> HttpResponse:
    letters = Letter.objects.failed().order_by("created_at", "pk")[:200]
    return render(request, "letters/failed.html", {"letters": letters}, status=status)


@require_POST
def release(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Let a failed letters try again."""
    get_object_or_404(Letter, pk=pk)
    tried = run_action(
        request,
        None,
        lambda: services.retry_failed_letter(letter_id=pk, by=request.user, at=timezone.now()),
    )
    if tried.done:
        messages.success(request, f"{tried.result.title} is queued again.")
        return redirect("letters:failed")
    return _failed_page(request, status=tried.status)


@require_GET
def wording(request: StaffRequest) -> HttpResponse:
    """The wording sets: in force first, then drafts, then what was."""
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
def wording_detail(request: StaffRequest, pk: int) -> HttpResponse:
    """One wording set: every sentence, and the facts that it rests on."""
    return _wording_page(request, pk)


@require_POST
def publish_wording(request: StaffRequest, pk: int) -> HttpResponse:
    """Put a draft in force, in the name of the person who signs in."""
    get_object_or_404(WordingSet, pk=pk)
    tried = try_action(
        lambda: services.publish_wording(set_id=pk, by=request.user, at=timezone.now())
    )
    if tried.refusal:
        return _wording_page(request, pk, refusal=str(tried.refusal), status=tried.status)
    messages.success(request, f"{tried.result} is in force.")
    return redirect("letters:wording_detail", pk)


def _wording_page(
    request: StaffRequest, pk: int, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    wording_set = get_object_or_404(WordingSet.objects.select_related("published_by"), pk=pk)
    context = {
        "wording_set": wording_set,
        "sentences": wording_set.sentences.order_by("slot", "order", "variant"),
        "refusal": refusal,
    }
    return render(request, "letters/wording_detail.html", context, status=status)
