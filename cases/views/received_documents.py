"""Pages of the documents received on a case: the list, adding one, and reading its pages."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import run_prepared_action, try_action
from accounts.requests import StaffRequest, name_case_of_access
from cases import policies
from cases.forms.received_documents import ReceivedDocumentForm
from cases.models import Case, ReceivedDocument
from cases.services import received_documents as services
from files.pictures import answer_picture

from .acting import load_case


@require_safe
def show_documents(request: StaffRequest, number: str) -> HttpResponse:
    """Show the documents received on a case, and the form that adds one."""
    return _render_documents_page(request, load_case(request, number))


@require_POST
def add_document(request: StaffRequest, number: str) -> HttpResponse:
    """Add a document to a case."""
    case, now = load_case(request, number), timezone.now()
    form = ReceivedDocumentForm(request.POST, request.FILES, today=timezone.localdate(now))
    attempt = run_prepared_action(
        request,
        form,
        prepare=lambda: services.receive_document_file(
            case_id=case.pk, upload=form.cleaned_data["upload"], by=request.user, at=now
        ),
        store=lambda file: services.add_received_document(
            case_id=case.pk,
            file=file,
            **{name: value for name, value in form.cleaned_data.items() if name != "upload"},
            by=request.user,
            at=now,
        ),
        button="Add document",
    )
    if attempt.done:
        document = attempt.result
        messages.success(request, f"Added: {document.title}.")
        if warning := document.file.warning:
            messages.warning(request, f"{document.title}: {warning}")
        return redirect("cases:documents", number)
    return _render_documents_page(request, case, form=form, status=attempt.status)


@require_safe
def show_page(request: StaffRequest, received_id: int, page: int) -> HttpResponse:
    """Show one page of a received document as an image."""
    document = _find_document(request, received_id, page)
    return render(request, "cases/received_page.html", _page_context(document, page))


@require_safe
def show_page_text(request: StaffRequest, received_id: int, page: int) -> HttpResponse:
    """Show one page of a received document as text, for users of screen readers."""
    document = _find_document(request, received_id, page)
    read = try_action(
        lambda: services.open_received_page_text(
            document_id=received_id, page=page, by=request.user
        )
    )
    if read.refusal:
        context = {"sentence": str(read.refusal)}
        return render(request, "records/unreadable.html", context, status=503)
    context = _page_context(document, page) | {"text": read.result[1]}
    return render(request, "cases/received_page.html", context)


@require_safe
def serve_page_png(request: StaffRequest, received_id: int, page: int) -> HttpResponse:
    """Return the image of a page, rendered by the sandboxed parser."""
    _find_document(request, received_id, page)
    image = try_action(
        lambda: services.open_received_page_image(
            document_id=received_id, page=page, by=request.user
        )
    )
    if image.refusal:
        context = {"sentence": str(image.refusal)}
        return render(request, "records/unreadable.html", context, status=503)
    return answer_picture(image.result, name=f"document-{received_id}-page-{page}.png")


def _find_document(request: StaffRequest, received_id: int, page: int) -> ReceivedDocument:
    """Return a document that this person may open, or answer 404."""
    try:
        document = services.find_open_document(document_id=received_id, page=page, by=request.user)
    except services.ReceivedDocumentHidden:
        raise Http404("There is no such document.") from None
    name_case_of_access(request, document.case.number)
    return document


def _page_context(document: ReceivedDocument, page: int) -> dict[str, Any]:
    pages = document.file.pages or 1
    return {
        "case": document.case,
        "document": document,
        "page": page,
        "pages": pages,
        "previous": page - 1 if page > 1 else None,
        "next": page + 1 if page < pages else None,
        "is_unreadable": page in document.file.unreadable_pages,
        "text": None,
    }


def _render_documents_page(
    request: StaffRequest,
    case: Case,
    *,
    form: ReceivedDocumentForm | None = None,
    status: int = 200,
) -> HttpResponse:
    today = timezone.localdate()
    rows = case.received_documents.select_related("file", "event", "recorded_by")
    context = {
        "case": case,
        "tab": "documents",
        "today": today,
        "documents": [
            (row, not policies.why_not_open_received_document(request.user, row))
            for row in rows.order_by("-received_on", "-pk")
        ],
        "form": form or ReceivedDocumentForm(today=today),
        "why_not": policies.why_not_add_received_document(request.user, case),
    }
    return render(request, "cases/documents.html", context, status=status)
