"""The list of clear applications, accepted by selecting them."""

from datetime import date

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.actions import render_refusal
from accounts.refusals import NotAllowed
from accounts.requests import StaffRequest, read_whole_number
from cases.models.case import ListPlace
from eligibility.services import clear_cases


@require_http_methods(["GET", "HEAD", "POST"])
def accept_clear_cases(request: StaffRequest) -> HttpResponse:
    """Show the clear applications, or accept the selected ones and show each result."""
    if request.method == "POST":
        return _accept_selected(request)
    after = _read_key(request.GET.get("after", ""))
    page = clear_cases.list_clear_cases(reader=request.user, after=after)
    context = {
        "rows": page.rows,
        "next_key": page.next_key,
        "first_page": after is None,
        "tick_all": request.GET.get("all") == "1",
        "today": timezone.localdate(),
    }
    return render(request, "eligibility/clear_cases.html", context)


def _accept_selected(request: StaffRequest) -> HttpResponse:
    seen = [pair for pair in map(_read_pair, request.POST.getlist("case")) if pair is not None]
    if not seen:
        refusal = NotAllowed("Select at least one application first.")
        return render_refusal(request, refusal, back=request.path)
    rows = clear_cases.accept_clear_cases(seen_versions=seen, by=request.user, at=timezone.now())
    done = sum(not row.refusal for row in rows)
    context = {"rows": rows, "done": done, "left_out": len(rows) - done, "back": request.path}
    # One refusal is enough for 422, although the other cases are accepted.
    status = NotAllowed.status if done < len(rows) else 200
    return render(request, "eligibility/clear_cases_done.html", context, status=status)


def _read_pair(text: str) -> tuple[int, int] | None:
    """Read "17:3", the id of a case and its version as shown; ``None`` if it is neither."""
    pk, _, version = text.partition(":")
    numbers = read_whole_number(pk), read_whole_number(version)
    return None if None in numbers else numbers  # type: ignore[return-value]


def _read_key(text: str) -> ListPlace | None:
    """Read where a page begins; ``None`` begins at the top, also for an address cut short."""
    day, *rest = text.split(",")
    numbers = [read_whole_number(part) for part in rest]
    try:
        list_day = date.fromisoformat(day)
    except ValueError:
        return None
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        return None
    return ListPlace(list_day, numbers[0], numbers[1])
