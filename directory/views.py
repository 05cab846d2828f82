"""Pages of organizations: owners, officers, and duplicate entries."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.actions import run_action
from accounts.requests import StaffRequest
from form_fields.fields import DatedForm
from form_fields.reasons import ReasonForm

from .forms import OfficerForm, OwnerForm, SamePartyForm
from .models import Organization, OrganizationName
from .names import fold_organization
from .services import organizations as services

FORMS: dict[str, type[DatedForm]] = {
    "parent": OwnerForm,
    "officer": OfficerForm,
    "same": SamePartyForm,
}
MOST_FOUND = 50


@require_safe
def search_organizations(request: StaffRequest) -> HttpResponse:
    """Find organizations by one of their names."""
    find = request.GET.get("find", "").strip()
    folded = fold_organization(find)
    # A prefix uses the index; a search inside names would read the whole table.
    rows = OrganizationName.objects.current().filter(normal__startswith=folded) if folded else None
    organizations = (
        list(rows.order_by("normal", "pk")[: MOST_FOUND + 1]) if rows is not None else []
    )
    context = {
        "find": find,
        "names": organizations[:MOST_FOUND],
        "more": len(organizations) > MOST_FOUND,
    }
    return render(request, "directory/organizations.html", context)


@require_safe
def show_organization(request: StaffRequest, pk: int) -> HttpResponse:
    """Show one organization: its names, owners, officers and duplicate entries."""
    return _render_organization_page(request, get_object_or_404(Organization, pk=pk))


@require_POST
def add_organization_fact(request: StaffRequest, pk: int, kind: str) -> HttpResponse:
    """Record an owner, an officer, or a duplicate entry."""
    row = get_object_or_404(Organization, pk=pk)
    if kind not in FORMS:
        raise Http404("There is no such kind of fact.")
    now = timezone.now()
    form = FORMS[kind](request.POST, today=timezone.localdate(now))

    def record() -> None:
        entered: dict[str, Any] = form.cleaned_data
        if kind == "parent":
            services.record_parent(child_id=pk, by=request.user, at=now, **entered)
        elif kind == "officer":
            services.record_officer(organization_id=pk, by=request.user, at=now, **entered)
        else:
            services.record_same_organization(
                organization_id=pk, by=request.user, at=now, **entered
            )

    attempt = run_action(request, form, record, once=True)
    if attempt.done:
        messages.success(request, "Saved. The conflict check uses it from now on.")
        return redirect("directory:organization", pk)
    return _render_organization_page(request, row, status=attempt.status, **{kind: form})


@require_POST
def withdraw_organization_fact(
    request: StaffRequest, pk: int, kind: str, fact_id: int
) -> HttpResponse:
    """Withdraw an owner, officer or duplicate entry that was recorded in error."""
    row = get_object_or_404(Organization, pk=pk)
    if kind not in FORMS:
        raise Http404("There is no such kind of fact.")
    # The fact must belong to the organization in the address.
    get_object_or_404(_facts_of_organization(row)[kind], pk=fact_id)
    # The page has a form for each fact; the ids tell them apart.
    form = ReasonForm(request.POST, auto_id=f"why-{kind}-{fact_id}-%s")
    attempt = run_action(
        request,
        form,
        lambda: services.withdraw_organization_fact(
            kind=kind,
            fact_id=fact_id,
            reason=form.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        ),
    )
    if attempt.done:
        messages.success(request, "Withdrawn. It stays in the history.")
        return redirect("directory:organization", pk)
    return _render_organization_page(request, row, status=attempt.status, withdrawing=form)


def _facts_of_organization(row: Organization) -> dict[str, Any]:
    return {
        "parent": row.parents.current().select_related("parent"),
        "officer": row.officers.current().select_related("person"),
        "same": row.merged_into.current().select_related("same_as"),
    }


def _render_organization_page(
    request: StaffRequest, row: Organization, *, status: int = 200, **bound: Any
) -> HttpResponse:
    today = timezone.localdate()
    facts = _facts_of_organization(row)
    owned = row.children.current().select_related("child").order_by("-valid_from", "pk")
    context = {
        "organization": row,
        "names": services.list_organization_names(row),
        "parents": [(one, services.list_organization_names(one.parent)) for one in facts["parent"]],
        "children": [(one, services.list_organization_names(one.child)) for one in owned],
        "officers": [
            (one, one.person.names.current().order_by("-pk").first()) for one in facts["officer"]
        ],
        "same": [(one, services.list_organization_names(one.same_as)) for one in facts["same"]],
        "forms": {
            kind: bound.get(kind) or form(today=today, auto_id=f"{kind}-%s")
            for kind, form in FORMS.items()
        },
        "form": next(iter(bound.values()), None),
        "withdrawing": bound.get("withdrawing") or ReasonForm(),
        "today": today,
    }
    return render(request, "directory/organization.html", context, status=status)
