"""Pages of the records: the list of a case, the forms to add records, and the viewer.

A record that the user may not open gives the same 404 as one that does not exist.
"""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import render_refusal, run_action, run_prepared_action, try_action
from accounts.names import name_actor
from accounts.requests import StaffRequest, posted_data, read_whole_number, seen_version
from cases.models import Case, Event, PartyRole, Priority
from cases.models.restrictions import restricted_now
from cases.policies import why_not_open_received_document
from cases.views.acting import find_return_url
from files.pictures import answer_picture
from form_fields.reasons import ReasonForm

from . import access, outstanding, overview, policies
from . import viewer as viewers
from .forms import AddForm, CompleteForm, MoveForm, ReminderForm, ReopenForm
from .outstanding import OutstandingFilter
from .services import dispatch as dispatch_services
from .services import documents, reading, reminders


@require_safe
def show_records(request: StaffRequest, number: str) -> HttpResponse:
    """Show the records on file, outstanding records, and the forms to add and complete records."""
    now = timezone.now()
    return _render_records_page(request, _open_case(request, number, now), now)


@require_POST
def add_document_to_case(request: StaffRequest, number: str) -> HttpResponse:
    """Add one record to the case."""
    now = timezone.now()
    case = _open_case(request, number, now)
    form = AddForm(request.POST, request.FILES, auto_id="add_%s", today=timezone.localdate(now))
    attempt = run_prepared_action(
        request,
        form,
        prepare=lambda: documents.receive_record_file(
            case_id=case.pk, upload=form.cleaned_data["upload"], by=request.user, at=now
        ),
        store=lambda file: documents.add_document(
            case_id=case.pk,
            file=file,
            **{name: value for name, value in form.cleaned_data.items() if name != "upload"},
            by=request.user,
            at=now,
        ),
        button="Add record",
    )
    if attempt.done:
        messages.success(
            request, f"Added as document {attempt.result.number}: {attempt.result.title}."
        )
        if warning := attempt.result.file.warning:
            messages.warning(request, f"{attempt.result.title}: {warning}")
        return redirect("records:list", number)
    return _render_records_page(request, case, now, add=form, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def move_received_document(request: StaffRequest, number: str, received_id: int) -> HttpResponse:
    """Move a document that was received on the case into the medical records."""
    now = timezone.now()
    case, today = _open_case(request, number, now), timezone.localdate(now)
    received = get_object_or_404(case.received_documents.select_related("file"), pk=received_id)
    if why_not_open_received_document(request.user, received):
        raise Http404("There is no such document.")
    form = MoveForm(posted_data(request), today=today, initial=overview.suggest_move(received))
    attempt = run_action(
        request,
        form,
        lambda: documents.move_received_document(
            received_id=received.pk, **form.cleaned_data, by=request.user, at=now
        ),
        once=True,
    )
    if attempt.done:
        document = attempt.result
        messages.success(
            request, f"Moved into the records as document {document.number}: {document.title}."
        )
        return redirect("records:list", number)
    context = {
        "case": case,
        "received": received,
        "form": form,
        "tab": "records",
        "today": today,
        "why_not": policies.why_not_add_document(request.user, case),
        "may_see_case": request.user.may("cases.view_case"),
    }
    return render(request, "records/move.html", context, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def remove_document(request: StaffRequest, document_id: int) -> HttpResponse:
    """Remove a document from the record, with a reason."""
    now = timezone.now()
    try:
        document = reading.open_document(document_id=document_id, by=request.user, at=now)
    except reading.RecordsHidden:
        raise Http404 from None
    form = ReasonForm(posted_data(request))
    attempt = run_action(
        request,
        form,
        lambda: documents.remove_document(
            document_id=document_id, reason=form.cleaned_data["reason"], by=request.user, at=now
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, f"Document {document.number} is no longer in the record.")
        return redirect("records:list", document.case.number)
    context = {
        "case": document.case,
        "document": document,
        "form": form,
        "tab": "records",
        "today": timezone.localdate(now),
        "why_not": policies.why_not_remove_document(request.user, document),
    }
    return render(request, "records/remove.html", context, status=attempt.status)


@require_POST
def take_in_application(request: StaffRequest, number: str) -> HttpResponse:
    """Add the documents of the application to the records, so that they can be read at once."""
    now = timezone.now()
    case = _open_case(request, number, now)
    # A POST of its own, because showing the list must save nothing. The page sends it on load.
    documents.file_application_documents(case_id=case.pk, by=None, at=now)
    if request.htmx.target == "documents":
        context = {"case": case, **_list_documents(request, case, now)}
        return render(request, "records/_on_file.html", context)
    return redirect(find_return_url(request, reverse("records:list", args=[number])))


@require_safe
def show_outstanding(request: StaffRequest) -> HttpResponse:
    """Show one page of the cases with outstanding records, ordered by deadline."""
    filter_name, today = request.GET.get("show", ""), timezone.localdate()
    show = (
        OutstandingFilter(filter_name)
        if filter_name in set(OutstandingFilter)
        else OutstandingFilter.ALL
    )
    try:
        page = outstanding.list_outstanding(
            request.user, today=today, after=request.GET.get("after", ""), show=show
        )
    except ValueError as error:
        raise Http404("This page of the list does not exist.") from error
    context = {
        "page": page,
        "show": show.value,
        "first_page": "after" not in request.GET,
        "tick_all": "all" in request.GET,
        "today": today,
    }
    return render(request, "records/outstanding.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def log_reminder(request: StaffRequest, number: str) -> HttpResponse:
    """Show the outstanding records of a case and all reminders, and log the next reminder."""
    now = timezone.now()
    case, today = _open_case(request, number, now), timezone.localdate(now)
    reminded_parties = [one.notice.party for one in overview.list_requested_records(case)]
    form = ReminderForm(posted_data(request), parties=reminded_parties)
    attempt = run_action(
        request,
        form,
        lambda: reminders.log_records_reminder(
            case_id=case.pk,
            party_id=form.cleaned_data["party"],
            way=form.cleaned_data["way"],
            spoke_to=form.cleaned_data["spoke_to"],
            outcome=form.cleaned_data["outcome"],
            by=request.user,
            at=now,
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, f"Reminder logged for {case.number}.")
        return redirect("records:remind", number)
    context = {
        "case": case,
        "tab": "records",
        "today": today,
        "form": form,
        "requested": overview.list_requested_records(case),
        "row": outstanding.build_outstanding_rows([case], request.user, today=today)[0],
        "reminders": [
            (event, name_actor(event.by, reader=request.user))
            for event in case.events.filter(kind=Event.Kind.REMINDED)
            .select_related("by")
            .order_by("-happened_at", "-pk")
        ],
        "why_not": policies.why_not_remind(request.user, case),
    }
    return render(request, "records/log_reminder.html", context, status=attempt.status)


@require_POST
def complete_records(request: StaffRequest, number: str) -> HttpResponse:
    """Mark the records complete, or continue with what is on file."""
    now = timezone.now()
    case = _open_case(request, number, now)
    form = CompleteForm(
        request.POST,
        auto_id="complete_%s",
        today=timezone.localdate(now),
        expedited=case.priority == Priority.EXPEDITED,
    )
    attempt = run_action(
        request,
        form,
        lambda: documents.mark_records_complete(
            case_id=case.pk,
            **form.cleaned_data,
            seen_version=seen_version(request),
            by=request.user,
            at=now,
        ),
        row=case,
    )
    if attempt.done:
        messages.success(
            request, "Records marked complete. The deadline for the determination has started."
        )
        return redirect("desk:case", number)
    return _render_records_page(request, case, now, complete=form, status=attempt.status)


@require_POST
def ask_for_records_again(request: StaffRequest, number: str) -> HttpResponse:
    """Ask for records again."""
    now = timezone.now()
    case = _open_case(request, number, now)
    form = ReopenForm(request.POST)
    attempt = run_action(
        request,
        form,
        lambda: documents.reopen_records(
            case_id=case.pk,
            reason=form.cleaned_data["reason"],
            seen_version=seen_version(request),
            by=request.user,
            at=now,
        ),
        row=case,
    )
    if attempt.done:
        messages.success(request, "Waiting for records again.")
        return redirect("records:list", number)
    return _render_records_page(request, case, now, reopen=form, status=attempt.status)


@require_POST
def send_case_file(request: StaffRequest, number: str) -> HttpResponse:
    """Send the complete case file to the reviewer, with records that were added since."""
    now = timezone.now()
    case = _open_case(request, number, now)
    assignment_id = read_whole_number(request.POST.get("assignment", ""))
    # Chosen among the assignments of this case, so that a forged number finds nothing.
    assignment = overview.list_accepted_assignments(case).filter(pk=assignment_id or 0).first()
    if assignment is None:
        raise Http404
    attempt = run_action(
        request,
        None,
        lambda: dispatch_services.dispatch_case_file(
            assignment_id=assignment.pk, by=request.user, at=now
        ),
    )
    if attempt.done:
        messages.success(request, "The complete case file was sent to the reviewer.")
        return redirect("records:list", number)
    return _render_records_page(request, case, now, status=attempt.status)


@require_safe
def read_record(request: StaffRequest, number: str) -> HttpResponse:
    """Show the whole record of a case in the viewer."""
    case = _open_case(request, number, timezone.now())
    assignment = access.reading_assignment(request.user, case)
    context = {
        "case": case,
        "viewer": viewers.build_viewer(request, case, assignment=assignment),
    }
    return render(request, "records/read.html", context)


@require_safe
def show_document(request: StaffRequest, document_id: int) -> HttpResponse:
    """Show the facts of one document and links to its pages."""
    try:
        document = reading.open_document(
            document_id=document_id, by=request.user, at=timezone.now()
        )
    except reading.RecordsHidden:
        raise Http404 from None
    context = {
        "case": document.case,
        "document": document,
        "pages": range(1, document.pages + 1),
        "why_not_remove": policies.why_not_remove_document(request.user, document),
    }
    return render(request, "records/document.html", context)


@require_safe
def show_page(request: StaffRequest, document_id: int, page: int) -> HttpResponse:
    """Show one page as an image, with links to its text and to the pages beside it."""
    try:
        document = reading.open_document(
            document_id=document_id, page=page, by=request.user, at=timezone.now()
        )
    except reading.RecordsHidden:
        raise Http404 from None
    context = {"case": document.case, "document": document, "page": page}
    return render(request, "records/page.html", context | _find_neighbors(document.pages, page))


@require_safe
def show_page_text(request: StaffRequest, document_id: int, page: int) -> HttpResponse:
    """Show one page as text, for users of screen readers."""
    try:
        read = try_action(
            lambda: reading.open_page_text(
                document_id=document_id, page=page, by=request.user, at=timezone.now()
            )
        )
    except reading.RecordsHidden:
        raise Http404 from None
    if read.refusal:
        return _render_unreadable(request, str(read.refusal))
    document, text = read.result
    context = {"case": document.case, "document": document, "page": page, "text": text}
    return render(
        request, "records/page_text.html", context | _find_neighbors(document.pages, page)
    )


@require_safe
def serve_page_png(request: StaffRequest, document_id: int, page: int) -> HttpResponse:
    """Return the image of a page, rendered by the sandboxed parser."""
    try:
        image_attempt = try_action(
            lambda: reading.open_page_image(
                document_id=document_id, page=page, by=request.user, at=timezone.now()
            )
        )
    except reading.RecordsHidden:
        raise Http404 from None
    if image_attempt.refusal:
        return _render_unreadable(request, str(image_attempt.refusal))
    return answer_picture(image_attempt.result, name=f"record-{document_id}-page-{page}.png")


@require_POST
def mark_read(request: StaffRequest, document_id: int) -> HttpResponse:
    """Mark a document as reviewed or not relevant, for its reviewer."""
    now = timezone.now()
    try:
        document = reading.open_document(document_id=document_id, by=request.user, at=now)
    except reading.RecordsHidden:
        raise Http404 from None
    assignment = access.reading_assignment(request.user, document.case)
    if assignment is None:
        raise Http404
    back = find_return_url(request, reverse("records:document", args=[document_id]))
    attempt = try_action(
        lambda: reading.mark_document(
            assignment_id=assignment.pk,
            document_id=document_id,
            mark=request.POST.get("mark", ""),
            by=request.user,
            at=now,
        )
    )
    if attempt.refusal:
        return render_refusal(request, attempt.refusal, back=back)
    return redirect(back)


def _open_case(request: StaffRequest, number: str, now: datetime) -> Case:
    """Load the case, or answer 404 if the user may not see its records. Logs the access."""
    case: Case | None = (
        Case.objects.select_related("ur_decision")
        .annotate(restricted_now=Exists(restricted_now().filter(case=OuterRef("pk"))))
        .filter(number=number)
        .first()
    )
    if case is None:
        raise Http404
    # The reviewer of a restricted case reads its records without a clearance, so the rules of
    # records decide here.
    try:
        reading.open_records_list(case=case, by=request.user, at=now)
    except reading.RecordsHidden:
        raise Http404 from None
    return case


def _render_records_page(
    request: StaffRequest,
    case: Case,
    now: datetime,
    *,
    add: AddForm | None = None,
    complete: CompleteForm | None = None,
    reopen: ReopenForm | None = None,
    status: int = 200,
) -> HttpResponse:
    today = timezone.localdate(now)
    form = add or complete or reopen
    context: dict[str, Any] = {
        "case": case,
        "tab": "records",
        "today": today,
        "employee": case.parties.current()
        .true_on(today)
        .filter(role=PartyRole.EMPLOYEE)
        .order_by("pk")
        .first(),
        **_list_documents(request, case, now),
        "received": overview.list_received_documents(case, request.user),
        "requested": overview.list_requested_records(case),
        "deadline": policies.records_deadline(case),
        "sent_to": overview.list_reviewer_files(case),
        "form": form,  # base.html puts "Error" into the title if it has errors
        "add_form": add
        or AddForm(today=today, auto_id="add_%s", initial={"received_on": f"{today:%m/%d/%Y}"}),
        "complete_form": complete
        or CompleteForm(
            today=today,
            auto_id="complete_%s",
            expedited=case.priority == Priority.EXPEDITED,
            initial=overview.suggest_completion(case),
        ),
        "reopen_form": reopen or ReopenForm(),
        "why_not_add": policies.why_not_add_document(request.user, case),
        "why_not_complete": policies.why_not_mark_complete(request.user, case),
        "why_not_go_on": policies.why_not_proceed_without_rest(request.user, case, at=now),
        "why_not_reopen": policies.why_not_reopen_records(request.user, case),
        "may_see_case": request.user.may("cases.view_case"),
    }
    return render(request, "records/list.html", context, status=status)


def _list_documents(request: StaffRequest, case: Case, now: datetime) -> dict[str, Any]:
    """Return what the section of the documents on file shows."""
    viewer = viewers.build_viewer(request, case, url=reverse("records:read", args=[case.number]))
    waiting = viewers.build_waiting_rows(viewer, documents.list_unfiled_documents(case, at=now))
    return {
        "viewer": viewer,
        "waiting": waiting,
        "rows": [*viewer.rows, *waiting],
        "pages": viewer.total + sum(row.document.pages for row in waiting),
    }


def _find_neighbors(pages: int, page: int) -> dict[str, int | None]:
    return {
        "previous": page - 1 if page > 1 else None,
        "next": page + 1 if page < pages else None,
    }


def _render_unreadable(request: StaffRequest, sentence: str) -> HttpResponse:
    """Answer 503 with the reason why a page cannot be rendered now."""
    return render(request, "records/unreadable.html", {"sentence": sentence}, status=503)
