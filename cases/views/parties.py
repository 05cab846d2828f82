"""Pages of the parties of a case: list, add, change, end a role."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import run_action
from accounts.requests import StaffRequest, posted_data, read_whole_number
from cases import policies
from cases.forms.parties import AddPartyForm, AsOfForm, ChangePartyForm, EndPartyForm
from cases.models import Case, Party
from cases.postal_addresses import read_postal_address
from cases.services import parties as party_services
from cases.zip_codes import find_zip_code
from form_fields.fields import DatedForm

from .acting import load_case

READ_AND_ANSWER = ["GET", "HEAD", "POST"]


@require_POST
def read_typed_address(request: StaffRequest) -> HttpResponse:
    """Bring the address in the field that was just left to postal form, for the page to show."""
    name = request.headers.get("HX-Trigger-Name", "")
    # Longer than any address; the text comes back in the answer.
    typed = request.POST.get(name, "")[:1000]
    address = read_postal_address(typed, find_zip=find_zip_code)
    look = " bad" if address.is_bad else ""
    return HttpResponse(
        format_html(
            '<span class="echo{}" data-read="{}">{}</span>', look, address.text, address.note
        )
    )


@require_safe
def show_parties(request: StaffRequest, number: str) -> HttpResponse:
    """Show the present and former parties of a case, or its parties on another day."""
    today = timezone.localdate()
    form = AsOfForm(request.GET or None, today=today)
    on = form.cleaned_data["on"] if form.is_bound and form.is_valid() else None
    return _render_parties_page(request, load_case(request, number), today, on=on, as_of=form)


@require_http_methods(READ_AND_ANSWER)
def add_party(request: StaffRequest, number: str) -> HttpResponse:
    """Add a party to the case."""
    case, now = load_case(request, number), timezone.now()
    today = timezone.localdate(now)
    form = AddPartyForm(
        posted_data(request), today=today, items=list(case.items.order_by("position"))
    )
    attempt = run_action(
        request,
        form,
        lambda: party_services.add_party_to_case(
            case_id=case.pk,
            party=form.party(),
            since=form.cleaned_data["since"],
            item_id=read_whole_number(form.cleaned_data["item"]),
            why=form.cleaned_data["why"],
            by=request.user,
            at=now,
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, f"{attempt.result} added.")
        return redirect("cases:parties", number)
    return _render_parties_page(request, case, today, form=form, status=attempt.status)


@require_http_methods(READ_AND_ANSWER)
def change_party(request: StaffRequest, number: str, party_id: int) -> HttpResponse:
    """Change the name or contact details of a party."""
    case, now = load_case(request, number), timezone.now()
    today = timezone.localdate(now)
    party = get_object_or_404(case.parties, pk=party_id)
    form = ChangePartyForm(
        posted_data(request), today=today, initial=ChangePartyForm.initial_from(party)
    )
    attempt = run_action(
        request,
        form,
        lambda: party_services.change_party_details(
            case_id=case.pk,
            party_id=party.pk,
            details=form.details(),
            since=form.cleaned_data["since"],
            why=form.cleaned_data["why"],
            by=request.user,
            at=now,
        ),
    )
    if attempt.done:
        messages.success(request, f"{attempt.result} changed.")
        return redirect("cases:parties", number)
    return _render_parties_page(request, case, today, form=form, party=party, status=attempt.status)


@require_http_methods(READ_AND_ANSWER)
def end_party(request: StaffRequest, number: str, party_id: int) -> HttpResponse:
    """End a role with its last day."""
    case, now = load_case(request, number), timezone.now()
    today = timezone.localdate(now)
    party = get_object_or_404(case.parties, pk=party_id)
    form = EndPartyForm(posted_data(request), today=today)
    attempt = run_action(
        request,
        form,
        lambda: party_services.end_party_role(
            case_id=case.pk, party_id=party.pk, **form.cleaned_data, by=request.user, at=now
        ),
    )
    if attempt.done:
        messages.success(request, f"{party}: role ended.")
        return redirect("cases:parties", number)
    return _render_parties_page(request, case, today, form=form, party=party, status=attempt.status)


def _render_parties_page(
    request: StaffRequest,
    case: Case,
    today: date,
    *,
    on: date | None = None,
    as_of: AsOfForm | None = None,
    form: DatedForm | None = None,
    party: Party | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page of the parties, with the open or refused form in its place."""
    # A refused action may have waited for the change of someone else.
    case.refresh_from_db()
    current_parties = party_services.current_parties(case, on=on or today)
    # Only beside a form, because each party costs a query.
    unsent = (
        {one.pk: party_services.list_unsent_letters(one) for one in current_parties} if form else {}
    )
    context: dict[str, Any] = {
        "case": case,
        "tab": "parties",
        "today": today,
        "on": on,
        "as_of": as_of or AsOfForm(today=today),
        "standing": current_parties,
        "former": party_services.former_parties(case, on=today) if on is None else [],
        "form": form,
        "kind": _KINDS.get(type(form), ""),
        "edited": party,
        "is_history": party is not None and party.pk not in {one.pk for one in current_parties},
        "unsent": unsent.get(party.pk, []) if party is not None else [],
        "why_not": policies.why_not_change_parties(request.user, case),
    }
    return render(request, "cases/parties.html", context, status=status)


_KINDS: dict[Any, str] = {AddPartyForm: "add", ChangePartyForm: "change", EndPartyForm: "end"}
