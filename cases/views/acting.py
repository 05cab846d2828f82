"""Shared parts of case pages: loading the case, and forms that ask only for a reason."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from django.contrib import messages
from django.db.models import Prefetch, prefetch_related_objects
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.actions import Attempt, run_action, run_prepared_action
from accounts.models import User
from accounts.requests import StaffRequest, posted_data, posted_files
from cases.case_rows import annotate_bar, keep_rows
from cases.forms.received_documents import ReasonWithDocumentForm, WithDocument
from cases.models import Case, CaseLetter, DisputedItem
from cases.services import received_documents, undoing
from cases.services.received_documents import DocumentOfAction
from form_fields.reasons import ReasonForm

Result = TypeVar("Result")


def answer_reason_form(
    request: StaffRequest,
    number: str,
    *,
    title: str,
    button: str,
    why_not: Callable[[User, Case], str],
    service: Callable[..., Any],
    success_message: str,
    sender: str = "",
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    """Show and process the form of an action that needs only a reason.

    :param sender: who sends the document that may come with the action, as a value of
        ``ReceivedDocument.Sender``; without it the form takes no document.
    """
    case, now = load_case(request, number), timezone.now()
    form: ReasonForm
    attempt: Attempt[Any]
    if sender:
        form = ReasonWithDocumentForm(
            posted_data(request), posted_files(request), today=timezone.localdate(now)
        )
        attempt = run_with_document(
            request,
            form,
            case=case,
            action=lambda document: service(
                case_id=case.pk,
                reason=form.cleaned_data["reason"],
                document=document,
                by=request.user,
                at=now,
            ),
            sender=sender,
            button=button,
            at=now,
        )
    else:
        form = ReasonForm(posted_data(request))
        attempt = run_action(
            request,
            form,
            lambda: service(
                case_id=case.pk, reason=form.cleaned_data["reason"], by=request.user, at=now
            ),
        )
    if attempt.done:
        report_done(request, case, success_message)
        return redirect(case)
    context = {
        "case": case,
        "form": form,
        "title": title,
        "button": button,
        "why_not": why_not(request.user, case),
        # Whoever ends a case decides whether these are still needed.
        "unsent_letters": case.case_letters.filter(
            state__in=[CaseLetter.State.DRAFT, CaseLetter.State.APPROVED]
        ).order_by("pk"),
        "items": case.items.filter(ending=DisputedItem.Ending.PENDING).order_by("position"),
        **(extra or {}),
    }
    return render(request, "cases/reason.html", context, status=attempt.status)


def run_with_document(
    request: StaffRequest,
    form: WithDocument,
    *,
    case: Case,
    action: Callable[[DocumentOfAction | None], Result],
    sender: str,
    button: str,
    at: datetime,
    received_on: Callable[[], date] | None = None,
) -> Attempt[Result]:
    """Run an action with the document of its form, if one was chosen, like ``run_action``.

    The file is checked and stored before the transaction of the action. A refused file does
    nothing, and the form keeps what was typed.

    :param action: takes the document, or ``None``.
    :param button: the words on the button, for the sentence of a refusal.
    :param received_on: reads the day of receipt from the valid form, if it has no field for it.
    """

    def receive_file() -> DocumentOfAction | None:
        upload = form.chosen_file()
        if upload is None:
            return None
        file = received_documents.receive_document_file(
            case_id=case.pk, upload=upload, by=request.user, at=at
        )
        typed = received_on() if received_on else form.cleaned_data.get("received_on")
        return DocumentOfAction(
            file=file,
            sender=sender,
            channel=form.cleaned_data["channel"],
            received_on=typed or timezone.localdate(at),
        )

    return run_prepared_action(request, form, prepare=receive_file, store=action, button=button)


def report_done(request: StaffRequest, case: Case, text: str) -> None:
    """Say on the next page that an action was done, and offer to undo it for ten seconds."""
    act = undoing.find_undo(case=case, by=request.user, at=timezone.now())
    # The page reads the address of the button from the tags of the message.
    tags = f"undo {case.number} {act.pk} {act.kind}" if act else ""
    messages.success(request, text, extra_tags=tags)


def load_case(
    request: StaffRequest, number: str, *, annotations: Mapping[str, Any] | None = None
) -> Case:
    """Return the case with this number, or answer 404.

    A restricted case answers 404 to a person without clearance, exactly as if it did not exist, and
    the refusal is recorded in the access log. The case carries ``restricted_now`` for its bar. One
    query, and one more for a duplicate. On a page that only reads, the rows of the case are read
    once, see ``cases.case_rows``.
    """
    rows = Case.objects.select_related("ur_decision", "application").visible_to(request.user)
    rows = annotate_bar(rows, today=timezone.localdate(), reader=request.user)
    rows = rows.annotate(**(annotations or {}))
    case: Case | None = next(iter(rows.filter(number=number)), None)
    if case is None:
        raise Http404("There is no such case.")
    if case.duplicate_of_id is not None:
        # A case that duplicates a hidden one is shown without it.
        shown = Prefetch("duplicate_of", Case.objects.visible_to(request.user))
        prefetch_related_objects([case], shown)
    if request.method in {"GET", "HEAD"}:
        keep_rows(case)
    return case


def find_return_url(request: StaffRequest, otherwise: str) -> str:
    """Return the address that the form came from, if it is an address of this site."""
    to: str = request.POST.get("back", "")
    # Without allowed hosts only a path passes; “//host” is refused.
    ours = to.startswith("/") and url_has_allowed_host_and_scheme(to, allowed_hosts=None)
    return to if ours else otherwise
