"""Pages that split items with a liability dispute into a case of their own, and merge them back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.requests import StaffRequest, posted_data, posted_files
from cases import policies
from cases.models import DisputedItem, ReceivedDocument
from cases.views.acting import answer_reason_form, load_case, run_with_document
from eligibility.forms.splitting import SplitForm
from eligibility.services import splitting


@require_http_methods(["GET", "HEAD", "POST"])
def split_case(request: StaffRequest, number: str) -> HttpResponse:
    """Split items with a liability dispute into a case of their own, and open it."""
    case, now = load_case(request, number), timezone.now()
    items = list(case.items.filter(ending=DisputedItem.Ending.PENDING).order_by("position"))
    form = SplitForm(
        posted_data(request), posted_files(request), items=items, today=timezone.localdate(now)
    )
    button = "Split off selected items"
    attempt = run_with_document(
        request,
        form,
        case=case,
        action=lambda document: splitting.split_case(
            case_id=case.pk,
            item_ids=form.cleaned_data["items"],
            reason=form.cleaned_data["reason"],
            document=document,
            by=request.user,
            at=now,
        ),
        sender=ReceivedDocument.Sender.CLAIMS_ADMINISTRATOR,
        button=button,
        at=now,
    )
    if attempt.done:
        new = attempt.result
        messages.success(
            request, f"Split from {number} and deferred. Review the draft of its notice."
        )
        return redirect(new)
    context = {
        "case": case,
        "form": form,
        "title": "Split off items with a liability dispute",
        "button": button,
        "warning": (
            "The selected items continue in a new case, which is deferred until the dispute is "
            "resolved. The other items continue without delay: liability is not disputed for them."
        ),
        "why_not": policies.why_not_split(request.user, case)
        or policies.why_not_split_last(len(items) - 1),
        "today": timezone.localdate(now),
    }
    return render(request, "cases/reason.html", context, status=attempt.status)


@require_http_methods(["GET", "HEAD", "POST"])
def merge_split_case(request: StaffRequest, number: str) -> HttpResponse:
    """Undo a wrong split: return the items to the case that they came from."""
    return answer_reason_form(
        request,
        number,
        title="Merge back into the case that it was split from",
        button="Merge back",
        why_not=policies.why_not_merge_back,
        service=splitting.merge_split_case,
        success_message="The items are merged back, and this case is closed.",
    )
