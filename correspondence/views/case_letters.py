"""Pages of case letters: the letters to review, and one letter with its preview and actions."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

import files.services
import letters.services
from accounts.actions import run_action, try_action
from accounts.names import name_actor
from accounts.requests import StaffRequest, posted_data, seen_version
from cases import policies as case_policies
from cases.models import Case, CaseLetter
from cases.services import drafting
from cases.views.acting import load_case, report_done
from correspondence import composition, policies
from correspondence.forms import DiscardForm, DraftForm, NewDraftForm, SentForm
from correspondence.services import case_letters as services
from correspondence.waiting_letters import select_drafts, select_letters_to_send
from letters.kinds import case_letter_choices

MAX_ROWS = 100
_PICTURE_HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


@require_safe
def list_drafts(request: StaffRequest) -> HttpResponse:
    """List the drafts that wait for review: expedited cases first, then oldest first."""
    kind = request.GET.get("kind", "")
    waiting = select_drafts(request.user, kind=kind)
    rows = list(waiting[: MAX_ROWS + 1])  # one more than shown, to know whether there are more
    context = {
        "rows": rows[:MAX_ROWS],
        "more": len(rows) > MAX_ROWS,
        "tick_all": "all" in request.GET,
        "kinds": case_letter_choices(),
        "kind": kind,
        "today": timezone.localdate(),
    }
    return render(request, "correspondence/drafts.html", context)


@require_safe
def list_letters_to_send(request: StaffRequest) -> HttpResponse:
    """List the approved letters that are not marked as sent: expedited first, then the oldest."""
    waiting = select_letters_to_send(request.user)
    rows = list(waiting[: MAX_ROWS + 1])  # one more than shown, to know whether there are more
    context = {
        "rows": rows[:MAX_ROWS],
        "more": len(rows) > MAX_ROWS,
        "tick_all": "all" in request.GET,
        "today": timezone.localdate(),
    }
    return render(request, "correspondence/to_send.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def draft_letter(request: StaffRequest, number: str) -> HttpResponse:
    """Draft a letter that the system has not proposed."""
    case = load_case(request, number)
    form = NewDraftForm(posted_data(request), initial={"kind": request.GET.get("kind", "")})
    attempt = run_action(
        request,
        form,
        lambda: drafting.draft_letter(
            case_id=case.pk,
            kind=form.cleaned_data["kind"],
            reason="Drafted on the case page.",
            points=form.lines(),
            by=request.user,
            at=timezone.now(),
        ),
        once=True,
    )
    if attempt.done:
        return redirect(attempt.result)
    context = {
        "case": case,
        "tab": "letters",
        "form": form,
        "why_not": case_policies.why_not_draft_letter(request.user, case),
        "today": timezone.localdate(),
    }
    return render(request, "correspondence/draft_letter.html", context, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def show_letter(request: StaffRequest, number: str, letter_id: int) -> HttpResponse:
    """Show a letter with its preview and missing parts; a POST changes the draft."""
    letter = _load_letter(request, number, letter_id)
    now = timezone.now()
    if request.method != "POST":
        return _render_letter_page(request, letter, now)
    form = DraftForm(request.POST, parties=composition.list_possible_recipients(letter, at=now))
    attempt = run_action(
        request,
        form,
        lambda: services.change_letter_draft(
            letter_id=letter.pk,
            particulars=form.cleaned_data["particulars"],
            left_out=form.left_out(),
            seen_version=seen_version(request),
            by=request.user,
            at=now,
        ),
        row=letter,
    )
    if attempt.done:
        messages.success(request, "Draft saved. The preview shows the changes.")
        return redirect(letter)
    return _render_letter_page(request, letter, now, form=form, status=attempt.status)


@require_POST
def preview_letter(request: StaffRequest, number: str, letter_id: int) -> HttpResponse:
    """Render the current text of a draft. The page requests this when it loads."""
    letter = _load_letter(request, number, letter_id)
    now = timezone.now()
    attempt = try_action(
        lambda: services.preview_letter(letter_id=letter.pk, by=request.user, at=now)
    )
    # Missing facts are no error here: the page lists them with links to correct them.
    lacks_facts = isinstance(attempt.refusal, letters.services.LetterRefused)
    if attempt.refusal and not lacks_facts:
        return _render_letter_page(
            request, letter, now, no_preview=str(attempt.refusal), status=attempt.status
        )
    return _render_letter_page(request, letter, now) if request.htmx else redirect(letter)


@require_POST
def approve_letter(request: StaffRequest, number: str, letter_id: int) -> HttpResponse:
    """Approve a draft: freeze its text and queue a letter for each recipient."""
    letter = _load_letter(request, number, letter_id)
    now = timezone.now()
    attempt = try_action(
        lambda: services.approve_letter(
            letter_id=letter.pk, seen_version=seen_version(request), by=request.user, at=now
        )
    )
    if attempt.refusal:
        letter = _load_letter(request, number, letter_id)
        return _render_letter_page(
            request, letter, now, refusal=str(attempt.refusal), status=attempt.status
        )
    report_done(request, letter.case, "Letter approved. It leaves in ten seconds.")
    return redirect(letter)


@require_POST
def discard_letter(request: StaffRequest, number: str, letter_id: int) -> HttpResponse:
    """Discard a draft for a coded reason."""
    letter = _load_letter(request, number, letter_id)
    now = timezone.now()
    form = DiscardForm(request.POST)
    attempt = run_action(
        request,
        form,
        lambda: services.discard_letter_draft(
            letter_id=letter.pk, reason=form.cleaned_data["reason"], by=request.user, at=now
        ),
    )
    if attempt.done:
        messages.success(request, "Draft discarded.")
        return redirect("desk:letters", number)
    return _render_letter_page(
        request,
        _load_letter(request, number, letter_id),
        now,
        discard_form=form,
        status=attempt.status,
    )


@require_POST
def mark_letter_sent(request: StaffRequest, number: str, letter_id: int) -> HttpResponse:
    """Record the date on which an approved letter was sent."""
    letter = _load_letter(request, number, letter_id)
    now = timezone.now()
    form = SentForm(request.POST, today=timezone.localdate(now))
    attempt = run_action(
        request,
        form,
        lambda: services.mark_letter_sent(
            letter_id=letter.pk, sent_on=form.cleaned_data["sent_on"], by=request.user, at=now
        ),
    )
    if attempt.done:
        report_done(request, letter.case, "Letter marked as sent.")
        return redirect("desk:letters", number)
    return _render_letter_page(
        request,
        _load_letter(request, number, letter_id),
        now,
        sent_form=form,
        status=attempt.status,
    )


@require_safe
def show_preview_page(
    request: StaffRequest, number: str, letter_id: int, page: int
) -> HttpResponse:
    """Show one page of a draft's preview as a picture."""
    letter = _load_letter(request, number, letter_id)
    # After approval the letter itself is shown, which is frozen.
    if not letter.is_draft:
        raise Http404("This letter is no longer a draft.")
    attempt = try_action(
        lambda: services.find_letter_preview(letter_id=letter.pk, at=timezone.now())
    )
    preview, _ = (None, None) if attempt.refusal else attempt.result
    if preview is None:
        raise Http404("There is no preview of the current text.")
    image_attempt = try_action(lambda: files.services.render_page_png(preview.file, page))
    if image_attempt.refusal:
        raise Http404(str(image_attempt.refusal))
    return HttpResponse(image_attempt.result, content_type="image/png", headers=_PICTURE_HEADERS)


def _load_letter(request: StaffRequest, number: str, letter_id: int) -> CaseLetter:
    case = load_case(request, number)
    letter: CaseLetter = get_object_or_404(CaseLetter, pk=letter_id, case=case)
    # Composing the letter needs the case and its UR decision, which are loaded already.
    letter.case = case
    return letter


def _render_letter_page(
    request: StaffRequest,
    letter: CaseLetter,
    now: datetime,
    *,
    form: DraftForm | None = None,
    discard_form: DiscardForm | None = None,
    sent_form: SentForm | None = None,
    refusal: str = "",
    no_preview: str = "",
    status: int = 200,
) -> HttpResponse:
    case: Case = letter.case
    reader, today = request.user, timezone.localdate(now)
    context: dict[str, Any] = {
        "case": case,
        "tab": "letters",
        "today": today,
        "letter": letter,
        "refusal": refusal,
        "no_preview": no_preview,
        "drafted_by": name_actor(letter.drafted_by, reader=reader) if letter.drafted_by else "",
        "approved_by": name_actor(letter.approved_by, reader=reader) if letter.approved_by else "",
        "discarded_by": name_actor(letter.discarded_by, reader=reader)
        if letter.discarded_by
        else "",
        "why_not": policies.why_not_change_draft(reader, letter),
        "why_not_send": policies.why_not_mark_letter_sent(reader, letter),
        "sent_form": sent_form or SentForm(today=today),
        "discard_form": discard_form or DiscardForm(),
        "copies": letter.current_copies(),
    }
    if letter.is_draft:
        parties = composition.list_possible_recipients(letter, at=now)
        context |= {
            "missing": composition.find_missing_parts(letter, at=now),
            **_preview_context(letter, now),
        }
        context["form"] = form or DraftForm(
            parties=parties,
            initial={
                "particulars": letter.particulars,
                "recipients": [str(one.pk) for one in parties if one.pk not in letter.left_out],
            },
        )
    return render(request, "correspondence/letter.html", context, status=status)


def _preview_context(letter: CaseLetter, now: datetime) -> dict[str, Any]:
    """Return the pages of the current preview, if it was rendered, and the text of the draft."""
    attempt = try_action(lambda: services.find_letter_preview(letter_id=letter.pk, at=now))
    if attempt.refusal:
        return {"pages": []}  # the page lists the missing parts
    preview, text = attempt.result
    return {"pages": range(1, preview.pages + 1) if preview else [], "words": text}
