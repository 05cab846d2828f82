"""Pages for asking parties for missing information: the question with its letter, and answers."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import run_action, try_action
from accounts.models import User
from accounts.requests import StaffRequest, posted_data, read_whole_number
from cases.models import Case, CaseLetter
from cases.models.received import sender_of_role
from cases.views.acting import load_case, report_done, run_with_document
from correspondence.services import case_letters
from eligibility import policies
from eligibility.forms.information import AnswerForm, AskForm
from eligibility.services import information as services
from eligibility.services.proposals import propose_eligibility
from letters.kinds import LetterKind


@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_information(request: StaffRequest, number: str) -> HttpResponse:
    """Show the questions and answers of a case, and ask a party for information.

    Whoever may approve letters asks and sends in one step; for others the letter stays a draft.
    """
    case = load_case(request, number)
    form = _build_ask_form(request, case, request.user)
    attempt = run_action(
        request,
        form,
        lambda: services.ask_information(
            case_id=case.pk,
            party_id=read_whole_number(form.cleaned_data["party"]) or 0,
            facts=form.cleaned_data["facts"],
            question=form.cleaned_data["question"],
            received_on=form.cleaned_data["received_on"],
            by=request.user,
            at=timezone.now(),
        ),
        once=True,
    )
    if attempt.done:
        return _send_question(request, case, at_once=form.cleaned_data.get("send_now", False))
    return _render_information_page(request, case, form, attempt.status)


@require_POST
def answer_information(request: StaffRequest, number: str, request_id: int) -> HttpResponse:
    """Record a party's answer."""
    case = load_case(request, number)
    information_request = get_object_or_404(case.information_requests, pk=request_id)
    # One page shows a form for each open question, so each needs a prefix of its own.
    now = timezone.now()
    form = AnswerForm(
        request.POST,
        request.FILES,
        prefix=str(information_request.pk),
        today=timezone.localdate(now),
    )
    attempt = run_with_document(
        request,
        form,
        case=case,
        action=lambda document: services.record_party_answer(
            request_id=information_request.pk,
            answer=form.cleaned_data["answer"],
            answered_on=form.cleaned_data["answered_on"],
            document=document,
            by=request.user,
            at=now,
        ),
        sender=sender_of_role(information_request.party.role),
        received_on=lambda: form.cleaned_data["answered_on"],
        button="Save answer",
        at=now,
    )
    if attempt.done:
        messages.success(request, "Answer saved.")
        return redirect(case)
    return _render_information_page(
        request, case, _build_ask_form(None, case, request.user), attempt.status, answered=form
    )


def _send_question(request: StaffRequest, case: Case, *, at_once: bool) -> HttpResponse:
    """Approve the letter of a question that was just saved, or say that it is a draft."""
    letter = case.case_letters.filter(
        kind=LetterKind.INFORMATION_REQUEST, state=CaseLetter.State.DRAFT
    ).first()
    # Without a draft, the same form was sent twice.
    if letter is None or not at_once:
        text = "Question saved. The deadline for the answer is running."
        draft = " Its letter is a draft that has to be approved." if letter else ""
        messages.success(request, text + draft)
        return redirect("correspondence:information", case.number)
    attempt = try_action(
        lambda: case_letters.approve_at_once(
            letter_id=letter.pk, by=request.user, at=timezone.now()
        )
    )
    if attempt.refusal:
        messages.warning(
            request, f"Question saved, but its letter is still a draft. {attempt.refusal}"
        )
        return redirect(letter)
    report_done(
        request,
        case,
        "Question saved, and its letter approved: it leaves in ten seconds. "
        "The deadline for the answer is running.",
    )
    return redirect("correspondence:information", case.number)


def _build_ask_form(request: StaffRequest | None, case: Case, reader: User) -> AskForm:
    """Return the form of a new question, filled in with the facts that the rules lack."""
    today = timezone.localdate()
    verdicts = propose_eligibility(case, reader=reader).verdicts
    missing = [one for one in verdicts if one.fact and one.missing]
    return AskForm(
        posted_data(request) if request else None,
        may_approve=reader.may("correspondence.review_drafts"),
        parties=list(case.parties.current().true_on(today).order_by("role", "pk")),
        initial={
            "facts": list(dict.fromkeys(one.fact for one in missing)),
            "question": "\n".join(f"Please state {one.missing}." for one in missing),
        },
        today=today,
    )


def _render_information_page(
    request: StaffRequest,
    case: Case,
    form: AskForm,
    status: int,
    answered: AnswerForm | None = None,
) -> HttpResponse:
    today = timezone.localdate()
    # Only the form that was refused keeps what was typed.
    refused = {answered.prefix: answered} if answered else {}
    request_lines = [
        (
            one,
            None
            if one.closed_at
            else refused.get(str(one.pk)) or AnswerForm(prefix=str(one.pk), today=today),
        )
        for one in case.information_requests.select_related("party").order_by("-pk")
    ]
    context = {
        "case": case,
        "form": form,
        "asked": request_lines,
        "why_not": policies.why_not_ask_information(request.user, case),
        "why_not_answer": policies.why_not_record_answer(request.user, case),
        "today": today,
    }
    return render(request, "correspondence/information.html", context, status=status)
