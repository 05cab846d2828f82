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
from accounts.services import record_look
from cases import policies as case_policies
from cases.models import Case, CaseLetter
from cases.services import drafting
from cases.views.acting import load_case
from correspondence import composition, policies
from correspondence.forms import DiscardForm, DraftForm, NewDraftForm, SentForm
from correspondence.services import case_letters as services
from letters.kinds import CASE_LETTERS, case_letter_choices

MAX_ROWS = 100
_PICTURE_HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


@require_safe
def list_drafts(request: StaffRequest) -> HttpResponse:
    """List the drafts that wait for review, oldest first."""
    waiting = (
        CaseLetter.objects.filter(state=CaseLetter.State.DRAFT)
        .select_related("case", "drafted_by")
        .order_by("drafted_at", "pk")
    )
    kind = request.GET.get("kind", "")
    if kind in CASE_LETTERS:
        waiting = waiting.filter(kind=kind)
    rows = list(waiting[: MAX_ROWS + 1])  # one more than shown, to know whether there are more
    context = {
        "rows": rows[:MAX_ROWS],
        "more": len(rows) > MAX_ROWS,
        "kinds": case_letter_choices(),
        "kind": kind,
        "today": timezone.localdate(),
    }
    return render(request, "correspondence/drafts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def draft_letter(request: StaffRequest, number: str) -> HttpResponse:
    """Draft a letter that the system has not proposed."""
    case = load_case(number)
    form = NewDraftForm(posted_data(request), initial={"kind": request.GET.get("kind", "")})
    attempt = run_action(
        request,
        form,
        lambda: drafting.draft_letter(
            case_id=case.pk,
            kind=form.cleaned_data["kind"],
            because="Drafted on the case page.",
            points=form.lines(),
            by=request.user,
            at=timezone.now(),
        ),
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
    found = _load_letter(number, letter_id)
    now = timezone.now()
    if request.method != "POST":
        record_look(by=request.user, subject="case", reference=number, granted=True, at=now)
        return _render_letter_page(request, found, now)
    form = DraftForm(request.POST, parties=composition.list_possible_recipients(found, at=now))
    attempt = run_action(
        request,
        form,
        lambda: services.change_letter_draft(
            letter_id=found.pk,
            particulars=form.cleaned_data["particulars"],
            left_out=form.left_out(),
            seen_version=seen_version(request),
            by=request.user,
            at=now,
        ),
        row=found,
    )
    if attempt.done:
        messages.success(request, "Draft saved. The preview shows the changes.")
        return redirect(found)
    return _render_letter_page(request, found, now, form=form, status=attempt.status)


@require_POST
def preview_letter(request: StaffRequest, number: str, letter_id: int) -> HttpResponse:
    """Render the current text of a draft. The page requests this when it loads."""
    found = _load_letter(number, letter_id)
    now = timezone.now()
    attempt = try_action(
        lambda: services.preview_letter(letter_id=found.pk, by=request.user, at=now)
    )
    # Missing facts are no error here: the page lists them with links to correct them.
    lacks_facts = isinstance(attempt.refusal, letters.services.LetterRefused)
    if attempt.refusal and not lacks_facts:
        return _render_letter_page(
            request, found, now, no_preview=str(attempt.refusal), status=attempt.status
        )
    return _render_letter_page(request, found, now) if request.htmx else redirect(found)


@require_POST
def approve_letter(request: StaffRequest, number: str, letter_id: int) -> HttpResponse:
    """Approve a draft: freeze its text and queue a letter for each recipient."""
    found = _load_letter(number, letter_id)
    now = timezone.now()
    attempt = try_action(
        lambda: services.approve_letter(
            letter_id=found.pk, seen_version=seen_version(request), by=request.user, at=now
        )
    )
    if attempt.refusal:
        found = _load_letter(number, letter_id)
        return _render_letter_page(
            request, found, now, refusal=str(attempt.refusal), status=attempt.status
        )
    messages.success(request, "Letter approved. The PDFs are being generated.")
    return redirect(found)


@require_POST
def discard_letter(request: StaffRequest, number: str, letter_id: int) -> HttpResponse:
    """Discard a draft for a coded reason."""
    found = _load_letter(number, letter_id)
    now = timezone.now()
    form = DiscardForm(request.POST)
    attempt = run_action(
        request,
        form,
        lambda: services.discard_letter_draft(
            letter_id=found.pk, because=form.cleaned_data["because"], by=request.user, at=now
        ),
    )
    if attempt.done:
        messages.success(request, "Draft discarded.")
        return redirect("desk:letters", number)
    return _render_letter_page(
        request, _load_letter(number, letter_id), now, discard_form=form, status=attempt.status
    )


@require_POST
def mark_letter_sent(request: StaffRequest, number: str, letter_id: int) -> HttpResponse:
    """Record the date on which an approved letter was sent."""
    found = _load_letter(number, letter_id)
    now = timezone.now()
    form = SentForm(request.POST, today=timezone.localdate(now))
    attempt = run_action(
        request,
        form,
        lambda: services.mark_letter_sent(
            letter_id=found.pk, sent_on=form.cleaned_data["sent_on"], by=request.user, at=now
        ),
    )
    if attempt.done:
        messages.success(request, "Letter marked as sent.")
        return redirect("desk:letters", number)
    return _render_letter_page(
        request, _load_letter(number, letter_id), now, sent_form=form, status=attempt.status
    )


@require_safe
def show_preview_page(
    request: StaffRequest, number: str, letter_id: int, page: int
) -> HttpResponse:
    """Show one page of a draft's preview as a picture."""
    found = _load_letter(number, letter_id)
    # After approval the letter itself is shown, which is frozen.
    if not found.is_draft:
        raise Http404("This letter is no longer a draft.")
    attempt = try_action(
        lambda: services.find_letter_preview(letter_id=found.pk, at=timezone.now())
    )
    shown, _ = (None, None) if attempt.refusal else attempt.result
    if shown is None:
        raise Http404("There is no preview of the current text.")
    drawn = try_action(lambda: files.services.render_page_png(shown.file, page))
    if drawn.refusal:
        raise Http404(str(drawn.refusal))
    return HttpResponse(drawn.result, content_type="image/png", headers=_PICTURE_HEADERS)


def _load_letter(number: str, letter_id: int) -> CaseLetter:
    # Composing the letter needs the case and its UR decision.
    found: CaseLetter = get_object_or_404(
        CaseLetter.objects.select_related("case__ur_decision"), pk=letter_id, case__number=number
    )
    return found


def _render_letter_page(
    request: StaffRequest,
    found: CaseLetter,
    now: datetime,
    *,
    form: DraftForm | None = None,
    discard_form: DiscardForm | None = None,
    sent_form: SentForm | None = None,
    refusal: str = "",
    no_preview: str = "",
    status: int = 200,
) -> HttpResponse:
    case: Case = found.case
    reader, today = request.user, timezone.localdate(now)
    context: dict[str, Any] = {
        "case": case,
        "tab": "letters",
        "today": today,
        "letter": found,
        "refusal": refusal,
        "no_preview": no_preview,
        "drafted_by": name_actor(found.drafted_by, reader=reader) if found.drafted_by else "",
        "approved_by": name_actor(found.approved_by, reader=reader) if found.approved_by else "",
        "discarded_by": name_actor(found.discarded_by, reader=reader) if found.discarded_by else "",
        "why_not": policies.why_not_change_draft(reader, found),
        "why_not_send": policies.why_not_mark_letter_sent(reader, found),
        "sent_form": sent_form or SentForm(today=today),
        "discard_form": discard_form or DiscardForm(),
        "copies": found.copies.select_related("party", "letter", "delivery").order_by("pk"),
    }
    if found.is_draft:
        parties = composition.list_possible_recipients(found, at=now)
        context |= {
            "missing": composition.find_missing_parts(found, at=now),
            **_preview_context(found, now),
        }
        context["form"] = form or DraftForm(
            parties=parties,
            initial={
                "particulars": found.particulars,
                "recipients": [str(one.pk) for one in parties if one.pk not in found.left_out],
            },
        )
    return render(request, "correspondence/letter.html", context, status=status)


def _preview_context(found: CaseLetter, now: datetime) -> dict[str, Any]:
    """The pages of the current preview, if it was rendered, and the text of the draft."""
    attempt = try_action(lambda: services.find_letter_preview(letter_id=found.pk, at=now))
    if attempt.refusal:
        return {"pages": []}  # the page lists the missing parts
    shown, words = attempt.result
    return {"pages": range(1, shown.pages + 1) if shown else [], "words": words}
