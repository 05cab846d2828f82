"""Pages of reviewers: choosing one for a case, a reviewer's own cases, and the panel's files.

A view loads, checks the form, makes one call and answers. What is refused is the page again with
422 and everything that was typed; what someone else did meanwhile is 409.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.requests import StaffRequest
from accounts.services import note_look
from accounts.versions import Stale
from cases.forms.acts import ReasonForm
from cases.models import CannotMove, Case, Party
from cases.policies import NotAllowed

from . import panel, policies, seats
from .candidates import limits_on, one_of_each
from .forms import (
    FORMS,
    TITLES,
    AsOfForm,
    AssignForm,
    AttestForm,
    DeclineForm,
    FactForm,
    LimitsForm,
    ReportForm,
    ReviewerForm,
    SeatsForm,
    SettleForm,
    SignInForm,
    StatusForm,
    TakeBackForm,
)
from .models import (
    ConflictLimits,
    ConflictResult,
    Kin,
    ReportedChange,
    Reviewer,
    ReviewerAssignment,
)
from .profiles import profile
from .services import assignment as assignments
from .services import conflicts as conflict_services
from .services import credentialing
from .services import limits as limit_services
from .services import matching as matching_services
from .services import reports as report_services
from .services import seats as seat_services
from .services.credentialing import BadFact
from .standing import rules_on
from .worklist import worklist

REFUSALS = (NotAllowed, CannotMove)
CONFLICTS = (Stale, assignments.AlreadyTaken, assignments.Outdated)

ADD: dict[str, Callable[..., Any]] = {
    "licence": credentialing.add_licence,
    "certification": credentialing.add_certification,
    "practice": credentialing.add_practice_fact,
    "training": credentialing.add_training,
    "sanction-check": credentialing.add_sanction_check,
    "file-proof": credentialing.add_file_proof,
    "leave": credentialing.add_leave,
    "affiliation": credentialing.add_affiliation,
}


# --- choosing a reviewer ------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: StaffRequest, number: str) -> HttpResponse:
    """Rank the panel for a case, and give the case to one of them."""
    case = _case(number)
    form = AssignForm(_posted(request))
    if request.method != "POST":
        return _assign_page(request, case, form)
    status = 422
    if form.is_valid():
        try:
            made = assignments.assign(
                case_id=case.pk,
                reviewer_id=form.cleaned_data["reviewer"],
                candidate_list_id=form.cleaned_data["candidate_list"],
                seen_version=form.cleaned_data["version"],
                override_code=form.cleaned_data["override_code"],
                override_reason=form.cleaned_data["override_reason"],
                by=request.user,
                at=timezone.now(),
            )
        except CONFLICTS as conflict:
            form.add_error(None, str(conflict))
            status = 409
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{case.number} is offered to {made.reviewer}.")
            return redirect(case)
    return _assign_page(request, _case(number), form, status=status)


@require_POST
def settle(request: StaffRequest, number: str, result_id: int) -> HttpResponse:
    """Answer a possible conflict of a reviewer with a party of the case."""
    case = _case(number)
    doubt = get_object_or_404(ConflictResult, pk=result_id, case=case)
    form = SettleForm(request.POST, prefix=str(doubt.pk))
    if form.is_valid():
        try:
            conflict_services.settle(
                result_id=doubt.pk,
                result=form.cleaned_data["result"],
                note=form.cleaned_data["note"],
                by=request.user,
                at=timezone.now(),
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The possible conflict is settled.")
            return redirect("reviewers:assign", number)
    return _assign_page(request, case, AssignForm(), settling=form, status=422)


@require_POST
def take_back(request: StaffRequest, number: str, assignment_id: int) -> HttpResponse:
    """Take a case back from its reviewer."""
    case = _case(number)
    held = get_object_or_404(ReviewerAssignment, pk=assignment_id, case=case)
    form = TakeBackForm(request.POST)
    if form.is_valid():
        try:
            assignments.remove(
                assignment_id=held.pk,
                reason=form.cleaned_data["reason"],
                bar=form.cleaned_data["bar"],
                by=request.user,
                at=timezone.now(),
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{case.number} waits for another reviewer.")
            return redirect("reviewers:assign", number)
    return _assign_page(request, case, AssignForm(), taking_back=form, status=422)


@require_POST
def approve_seats(request: StaffRequest, number: str) -> HttpResponse:
    """Put on file that several reviewers are approved for a case."""
    case = _case(number)
    now = timezone.now()
    form = SeatsForm(request.POST, today=timezone.localdate(now))
    if form.is_valid():
        try:
            seat_services.approve(case_id=case.pk, **form.cleaned_data, by=request.user, at=now)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{case.number} is decided by several reviewers.")
            return redirect("reviewers:assign", number)
    return _assign_page(request, _case(number), AssignForm(), approving=form, status=422)


@require_POST
def end_seats(request: StaffRequest, number: str) -> HttpResponse:
    """Go back to one reviewer."""
    case = _case(number)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            seat_services.end_approval(
                case_id=case.pk,
                reason=form.cleaned_data["reason"],
                by=request.user,
                at=timezone.now(),
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{case.number} is decided by one reviewer.")
            return redirect("reviewers:assign", number)
    return _assign_page(request, _case(number), AssignForm(), ending=form, status=422)


def _assign_page(
    request: StaffRequest,
    case: Case,
    form: AssignForm,
    *,
    settling: SettleForm | None = None,
    taking_back: TakeBackForm | None = None,
    approving: SeatsForm | None = None,
    ending: ReasonForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    note_look(by=request.user, subject="case", reference=case.number, granted=True, at=now)
    why_not = policies.why_not_assign(request.user, case)
    if why_not:
        listed = case.candidate_lists.filter(round=case.round).order_by("-pk").first()
    else:
        listed = matching_services.rank(case_id=case.pk, by=request.user, at=now)
        case = _case(case.number)
    eligible, excluded = panel.choices(listed) if listed else ([], [])
    parties = one_of_each(Party.objects.known_at(now).filter(case=case).order_by("pk"))
    live = policies.live_assignments(case)
    doubts = panel.doubts(case, excluded, live)
    context = {
        "case": case,
        "form": form,
        "listed": listed,
        "candidates": eligible[: assignments.SHOWN],
        "further": eligible[assignments.SHOWN :],
        "excluded": excluded,
        "excluded_counts": panel.counted(excluded),
        "doubts": [
            (doubt, settling if _is_about(settling, doubt) else SettleForm(prefix=str(doubt.pk)))
            for doubt in doubts
        ],
        "live": live,
        "taking_back": taking_back or TakeBackForm(),
        "past": policies.past_assignments(case),
        "why_not": why_not,
        "approval": seats.approval_of(case),
        "free_seats": seats.free_seats(case),
        "approving": approving or SeatsForm(today=timezone.localdate(now)),
        "ending": ending or ReasonForm(),
        "why_not_approve_seats": policies.why_not_approve_seats(request.user, case),
        "why_not_end_seats": policies.why_not_end_seats(request.user, case),
        "why_not_take_back": policies.why_not_take_back(request.user, case),
        "items": case.items.select_related("category", "parent").order_by("position"),
        "parties": parties,
        "employee": next((party for party in parties if party.role == "EMPLOYEE"), None),
        "today": timezone.localdate(now),
    }
    fragment = request.htmx and not request.htmx.history_restore_request
    template = "reviewers/_candidates.html" if fragment else "reviewers/assign.html"
    return render(request, template, context, status=status)


def _is_about(form: SettleForm | None, doubt: ConflictResult) -> bool:
    return form is not None and form.prefix == str(doubt.pk)


# --- a reviewer's own cases ---------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def attest(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """Answer, for one case, whether any tie exists; only then its records open."""
    held = _own_assignment(request, assignment_id)
    now = timezone.now()
    wording = assignments.current_wording(now)
    questions = wording.questions if wording else []
    first = {"wording": wording.pk if wording else 0, "parties": held.case.party_list_version}
    form = AttestForm(_posted(request), questions=questions, initial=first)
    if request.method != "POST":
        return _attest_page(request, held, form, wording=wording)
    status = 422
    if form.is_valid():
        try:
            after = assignments.attest(
                assignment_id=held.pk,
                answers=form.answers(),
                wording_id=form.cleaned_data["wording"],
                seen_parties=form.cleaned_data["parties"],
                by=request.user,
                at=now,
            )
        except CONFLICTS as conflict:
            form.add_error(None, str(conflict))
            status = 409
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            return _after_attesting(request, after)
    return _attest_page(
        request, _own_assignment(request, assignment_id), form, wording=wording, status=status
    )


def _after_attesting(request: StaffRequest, after: ReviewerAssignment) -> HttpResponse:
    if policies.may_open_file(request.user, after.case):
        messages.success(request, f"{after.case.number} is yours; its records are open.")
        return redirect("determinations:workspace", after.pk)
    messages.success(
        request, f"Thank you for saying so. {after.case.number} goes to another reviewer."
    )
    return redirect("determinations:my_reviews")


@require_POST
def decline(request: StaffRequest, assignment_id: int) -> HttpResponse:
    """Give a case back, with a reason."""
    held = _own_assignment(request, assignment_id)
    now = timezone.now()
    form = DeclineForm(request.POST)
    if form.is_valid():
        try:
            assignments.decline(
                assignment_id=held.pk,
                reason=form.cleaned_data["reason"],
                conflict=form.cleaned_data["conflict"],
                by=request.user,
                at=now,
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{held.case.number} is given back.")
            return redirect("determinations:my_reviews")
    wording = assignments.current_wording(now)
    blank = AttestForm(
        questions=wording.questions if wording else [],
        initial={
            "wording": wording.pk if wording else 0,
            "parties": held.case.party_list_version,
        },
    )
    return _attest_page(request, held, blank, wording=wording, declining=form, status=422)


def _attest_page(
    request: StaffRequest,
    held: ReviewerAssignment,
    form: AttestForm,
    *,
    wording: Any,
    declining: DeclineForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    case = held.case
    context = {
        "assignment": held,
        "case": case,
        "form": form,
        "wording": wording,
        "questions": form.questions(),
        # Who has the case no longer reads no more of it than that they have it no longer.
        "parties": one_of_each(Party.objects.known_at(now).filter(case=case).order_by("pk"))
        if held.is_live
        else [],
        "items": case.items.filter(ending="PENDING").order_by("position") if held.is_live else [],
        "surnames": panel.surname_notes(held) if held.is_live else [],
        "signed": policies.live_attestation(held),
        "is_open": policies.may_open_file(request.user, case),
        "why_not": policies.why_not_answer(request.user, held),
        "why_not_decline": policies.why_not_decline(request.user, held),
        "declining": declining or DeclineForm(),
        "today": timezone.localdate(now),
    }
    return render(request, "reviewers/attest.html", context, status=status)


def _own_assignment(request: StaffRequest, assignment_id: int) -> ReviewerAssignment:
    """The assignment, if it is this person's; what is another's looks like what is not there."""
    held = (
        ReviewerAssignment.objects.select_related("case", "reviewer")
        .filter(pk=assignment_id, reviewer__user=request.user)
        .first()
    )
    note_look(
        by=request.user,
        subject="assignment",
        reference=str(assignment_id),
        granted=held is not None,
        at=timezone.now(),
    )
    if held is None:
        raise Http404("There is no such case for you.")
    return held


# --- the panel ----------------------------------------------------------------------------------


@require_safe
def roster(request: StaffRequest) -> HttpResponse:
    """Everyone on the panel: what they may decide, and what keeps them from it today."""
    now = timezone.now()
    today = timezone.localdate(now)
    find = request.GET.get("find", "")[:100]
    asked = {name: request.GET[name] for name in ("on", "known") if request.GET.get(name)}
    form = AsOfForm(asked or None, today=today, initial={"on": today, "known": today})
    on, known_at = _as_of(form, today=today, now=now)
    lines, next_code = panel.roster(
        on=on, known_at=known_at, find=find, after=request.GET.get("after", "")[:12]
    )
    context = {
        "form": form,
        "on": on,
        "known_at": known_at,
        "is_as_of": bool(asked),
        "lines": lines,
        "find": find,
        "next_code": next_code,
        "is_keeper": request.user.may("reviewers.manage_credentials"),
        "today": today,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "reviewers/panel.html", context, status=status)


@require_safe
def credentialing_worklist(request: StaffRequest) -> HttpResponse:
    """What waits for credentialing: reports, lapses with their open work, verifications, gaps."""
    now = timezone.now()
    today = timezone.localdate(now)
    context = {
        "waiting": worklist(on=today, known_at=now),
        "settling": ReasonForm(),
        "is_keeper": request.user.may("reviewers.manage_credentials"),
        "today": today,
    }
    return render(request, "reviewers/worklist.html", context)


@require_POST
def settle_report(request: StaffRequest, report_id: int) -> HttpResponse:
    """Say what was found about a change that a reviewer reported."""
    report = get_object_or_404(ReportedChange, pk=report_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say what you found at the source.")
        return redirect("reviewers:worklist")
    try:
        report_services.settle_report(
            report_id=report.pk,
            note=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        )
    except REFUSALS as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The report is settled.")
    return redirect("reviewers:worklist")


@require_http_methods(["GET", "HEAD", "POST"])
def report_change(request: StaffRequest) -> HttpResponse:
    """A reviewer reports a change of licence, board, sanctions, practice or ties."""
    now = timezone.now()
    form = ReportForm(_posted(request), today=timezone.localdate(now))
    if request.method == "POST" and form.is_valid():
        try:
            report_services.report_change(**form.cleaned_data, by=request.user, at=now)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Thank you. Credentialing looks into it.")
            return redirect("determinations:my_reviews")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "today": timezone.localdate(now)}
    return render(request, "reviewers/report.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def add_reviewer(request: StaffRequest) -> HttpResponse:
    """Put someone on the panel."""
    form = ReviewerForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        del fields["version"]
        try:
            made = credentialing.create_reviewer(**fields, by=request.user, at=timezone.now())
        except BadFact as refusal:
            _add_error(form, refusal)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{made.code} is on the panel. Add what is on file.")
            return redirect("reviewers:reviewer", made.code)
    context = {"form": form, "title": "New reviewer", "button": "Put on the panel"}
    return render(request, "reviewers/form.html", context, status=422 if form.errors else 200)


@require_safe
def reviewer(request: StaffRequest, code: str) -> HttpResponse:
    """One reviewer's file: today's, or as of a day and as it was known then."""
    row = _reviewer(code)
    return _reviewer_page(request, row)


@require_http_methods(["GET", "HEAD", "POST"])
def change_reviewer(request: StaffRequest, code: str) -> HttpResponse:
    """Change name, address and capacity."""
    row = _reviewer(code)
    initial = {name: getattr(row, name) for name in ReviewerForm.base_fields}
    form = ReviewerForm(_posted(request), initial=initial)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        fields = dict(form.cleaned_data)
        try:
            credentialing.change_reviewer(
                reviewer_id=row.pk,
                seen_version=fields.pop("version"),
                **fields,
                by=request.user,
                at=timezone.now(),
            )
        except Stale as stale:
            form.add_error(None, str(stale))
            status, row = 409, _reviewer(code)
        except BadFact as refusal:
            _add_error(form, refusal)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The details are changed.")
            return redirect("reviewers:reviewer", code)
    context = {
        "form": form,
        "reviewer": row,
        "title": "Details",
        "button": "Save the details",
        "version": row.version,
        "pairs": _pairs(form, row) if status == 409 else [],
    }
    return render(request, "reviewers/form.html", context, status=status)


@require_POST
def change_status(request: StaffRequest, code: str) -> HttpResponse:
    """Suspend somebody, take them off the panel, or make them active again."""
    row = _reviewer(code)
    form = StatusForm(request.POST)
    status = 422
    if form.is_valid():
        try:
            credentialing.set_status(
                reviewer_id=row.pk,
                status=Reviewer.Status(form.cleaned_data["status"]),
                reason=form.cleaned_data["reason"],
                seen_version=form.cleaned_data["version"],
                by=request.user,
                at=timezone.now(),
            )
        except Stale as stale:
            form.add_error(None, str(stale))
            status = 409
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The status is changed. Open cases are listed below.")
            return redirect("reviewers:reviewer", code)
    return _reviewer_page(request, _reviewer(code), status_form=form, status=status)


@require_POST
def link_sign_in(request: StaffRequest, code: str) -> HttpResponse:
    """Say which user is the reviewer."""
    row = _reviewer(code)
    form = SignInForm(request.POST)
    if form.is_valid():
        user = User.objects.filter(email__iexact=form.cleaned_data["email"]).first()
        if user is None:
            form.add_error("email", "Nobody signs in with this address. An administrator adds it.")
        else:
            try:
                credentialing.link_user(
                    reviewer_id=row.pk, user_id=user.pk, by=request.user, at=timezone.now()
                )
            except REFUSALS as refusal:
                form.add_error("email", str(refusal))
            else:
                messages.success(request, "The sign-in is linked.")
                return redirect("reviewers:reviewer", code)
    return _reviewer_page(request, row, sign_in_form=form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
def add_fact(request: StaffRequest, code: str, kind: str) -> HttpResponse:
    """Put a fact on a reviewer's file."""
    row, make = _reviewer(code), _fact_form(kind)
    now = timezone.now()
    form = make(
        _posted(request),
        today=timezone.localdate(now),
        initial={"verified_on": timezone.localdate(now), "verified_by": request.user.name},
    )
    if form.is_bound and form.is_valid():
        try:
            ADD[kind](reviewer_id=row.pk, **form.facts(), by=request.user, at=now)
        except BadFact as refusal:
            _add_error(form, refusal)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{TITLES[kind]} is on file.")
            return redirect("reviewers:reviewer", code)
    context = {
        "form": form,
        "reviewer": row,
        "title": f"Add: {TITLES[kind].lower()}",
        "button": "Put on file",
        "today": timezone.localdate(now),
    }
    return render(request, "reviewers/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def correct_fact(request: StaffRequest, code: str, kind: str, fact_id: int) -> HttpResponse:
    """Put a right row beside a wrong one."""
    row, make = _reviewer(code), _fact_form(kind)
    wrong = get_object_or_404(credentialing.KINDS[kind], pk=fact_id, reviewer=row)
    now = timezone.now()
    form = make(
        _posted(request), today=timezone.localdate(now), correcting=True, initial=make.of(wrong)
    )
    if form.is_bound and form.is_valid():
        try:
            credentialing.correct_fact(
                kind=kind,
                fact_id=wrong.pk,
                changes=form.facts(),
                withdrawn=form.cleaned_data["withdrawn"],
                by=request.user,
                at=now,
            )
        except BadFact as refusal:
            _add_error(form, refusal)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The correction is on file; the old row stays readable.")
            return redirect("reviewers:reviewer", code)
    context = {
        "form": form,
        "reviewer": row,
        "title": f"Correct: {TITLES[kind].lower()}",
        "button": "Put the correction on file",
        "today": timezone.localdate(now),
    }
    return render(request, "reviewers/form.html", context, status=422 if form.errors else 200)


def _reviewer_page(
    request: StaffRequest,
    row: Reviewer,
    *,
    status_form: StatusForm | None = None,
    sign_in_form: SignInForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    today = timezone.localdate(now)
    asked = {name: request.GET[name] for name in ("on", "known") if request.GET.get(name)}
    form = AsOfForm(asked or None, today=today, initial={"on": today, "known": today})
    on, known_at = _as_of(form, today=today, now=now)
    held = profile(row, on=on, known_at=known_at)
    counted = panel.with_workload(Reviewer.objects.filter(pk=row.pk), on=on).get()
    context = {
        "reviewer": row,
        "held": held,
        "form": form,
        "on": on,
        "known_at": known_at,
        "is_as_of": bool(asked),
        "hindrances": panel.hindrances(held, counted, rules=rules_on(on, known_at=known_at)),
        "workload": counted.workload,
        "open_work": panel.open_work(row),
        "facts": panel.file_of(row, on=on, known_at=known_at, holding_only=bool(asked)),
        "is_keeper": request.user.may("reviewers.manage_credentials"),
        "sees_record": request.user.may("determinations.view_reviewer_record"),
        "status_form": status_form
        or StatusForm(initial={"status": row.status, "version": row.version}),
        "sign_in_form": sign_in_form
        or SignInForm(initial={"email": row.user.email if row.user else ""}),
        "today": today,
    }
    if form.is_bound and form.errors:
        status = 422
    return render(request, "reviewers/reviewer.html", context, status=status)


def _as_of(form: AsOfForm, *, today: date, now: datetime) -> tuple[date, datetime]:
    """The day asked about, and the moment at which the day of knowing ended."""
    if not form.is_bound or not form.is_valid():
        return today, now
    on = form.cleaned_data["on"] or today
    known = form.cleaned_data["known"]
    if known is None or known >= today:
        return on, now
    midnight = datetime.combine(known + timedelta(days=1), time.min)
    return on, timezone.make_aware(midnight)


def _posted(request: StaffRequest) -> QueryDict | None:
    """What a form was sent with; an empty one counts as sent."""
    return request.POST if request.method == "POST" else None


def _add_error(form: Any, refusal: BadFact) -> None:
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


def _pairs(form: ReviewerForm, row: Reviewer) -> list[dict[str, Any]]:
    """What was typed beside what stands now, where they differ."""
    return [
        {"label": field.label, "yours": field.value(), "theirs": getattr(row, field.name)}
        for field in form.visible_fields()
        if str(field.value() or "") != str(getattr(row, field.name) or "")
    ]


def _fact_form(kind: str) -> type[FactForm]:
    if kind not in FORMS:
        raise Http404("There is no such kind of fact.")
    return FORMS[kind]


def _reviewer(code: str) -> Reviewer:
    return get_object_or_404(Reviewer.objects.select_related("user"), code=code)


def _case(number: str) -> Case:
    return get_object_or_404(Case, number=number)


# --- from where on a tie is a conflict ----------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: StaffRequest) -> HttpResponse:
    """Which holdings and relatives make a conflict, now and before; the director sets the next."""
    now = timezone.now()
    today = timezone.localdate(now)
    standing = limits_on(today, known_at=now)
    initial = {
        "effective_from": today,
        "holding_percent": standing.holding_percent,
        "kin": sorted(standing.kin),
    }
    form = LimitsForm(_posted(request), today=today, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            limit_services.set_limits(**form.cleaned_data, by=request.user, at=now)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The limits are set.")
            return redirect("reviewers:limits")
    context = {
        "form": form,
        "standing": standing,
        "standing_kin": [label for value, label in Kin.choices if value in standing.kin],
        "rows": ConflictLimits.objects.order_by("-effective_from"),
        "kin_labels": dict(Kin.choices),
        "why_not": policies.why_not_set_limits(request.user),
        "today": today,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "reviewers/limits.html", context, status=status)
