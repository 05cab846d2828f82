"""Pages that combine apps: My day, lists, the case page, search. They change no case."""

from collections import Counter
from typing import Any

from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.names import name_actor
from accounts.requests import StaffRequest, read_whole_number
from accounts.roles import Role
from accounts.services import record_look
from cases import organization_facts, policies
from cases.lifecycle import QUEUES
from cases.models import Case, CaseLetter, Event, ItemChange, Origin, OwnConflictResult
from cases.models import Role as PartyRole
from cases.services.parties import current_parties
from directory.models import PersonName
from letters.models import Delivery, Letter
from queues.filters import Filter
from queues.forms.filters import FilterForm
from queues.services import bulk, claims, saved_views
from queues.work_order import Sort

from . import queues
from .forms import TimelineForm
from .looks import list_looks
from .my_day import load_my_day as day_of
from .next_step import find_next_step
from .timeline import list_actors, load_timeline


@require_safe
def show_my_day(request: StaffRequest) -> HttpResponse:
    """The page My day: cases due, waiting, assigned, and changed since one looked."""
    sees_cases = request.user.may("cases.view_case")
    if Role.REVIEWER in request.user.roles and not sees_cases:
        return redirect("determinations:my_reviews")
    now = timezone.now()
    today = timezone.localdate(now)
    context = {"today": today, "sees_cases": sees_cases}
    if sees_cases:
        context |= day_of(request.user, today=today, at=now)
    return render(request, "desk/my_day.html", context)


@require_safe
@vary_on_headers("HX-Request")
def show_queue(request: StaffRequest, slug: str) -> HttpResponse:
    """One work list, filtered and sorted as in the address, fifty cases at a time."""
    if slug not in QUEUES:
        raise Http404("There is no such list.")
    now = timezone.now()
    today = timezone.localdate(now)
    wanted = Filter.read(request.GET, queue=slug, today=today)
    try:
        page = queues.load_queue_page(
            slug,
            wanted=wanted,
            user=request.user,
            today=today,
            at=now,
            after=request.GET.get("after", ""),
        )
    except ValueError as error:
        raise Http404("This page of the list does not exist.") from error
    context = {
        "slug": slug,
        "title": QUEUES[slug][0],
        "rows": page.rows,
        "next_key": page.next_key,
        "columns": queues.columns_for(request.user, wanted.sort),
        "tick_all": "all" in request.GET,
        "wanted": wanted,
        "today": today,
    }
    # If the browser restores its history, htmx needs the whole page.
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "desk/_queue_rows.html", context)
    context |= {
        "count": queues.count_queues()[slug],
        "filter_form": FilterForm(request.GET or None, queue=slug, today=today),
        "views": [
            view for view in saved_views.list_saved_views(user=request.user) if view.queue == slug
        ],
        "bulk_acts": bulk.list_bulk_actions(queue=slug, user=request.user),
        "sorts": [(sort, wanted.sorted_by(sort).query()) for sort in Sort],
        "first_page": "after" not in request.GET,
    }
    return render(request, "desk/queue.html", context)


@require_safe
def show_next_case(request: StaffRequest, slug: str) -> HttpResponse:
    """Preview the case that is next for this person, and why; assigning it is a button."""
    if slug not in QUEUES:
        raise Http404("There is no such list.")
    now = timezone.now()
    found = claims.preview_next_case(user=request.user, queue=slug, at=now)
    context = {
        "slug": slug,
        "title": QUEUES[slug][0],
        "case": found,
        "why": found and claims.explain_next_for(case=found, user=request.user, at=now),
        "may_take": bool(claims.stages_for(user=request.user, queue=slug)),
        "today": timezone.localdate(now),
    }
    return render(request, "desk/work_next.html", context)


@require_safe
def show_side_counts(request: StaffRequest) -> HttpResponse:
    """The counts of the menu, polled every twenty seconds; 204 if none has changed."""
    counts = queues.count_queues()
    stamp = queues.stamp_of_counts(counts)
    if request.GET.get("seen") == stamp:
        return HttpResponse(status=204)
    return render(request, "desk/_side_counts.html", {"counts": counts, "stamp": stamp})


@require_safe
def show_peek(request: StaffRequest, number: str) -> HttpResponse:
    """The preview of a case beside its list."""
    return render(request, "desk/_peek.html", _case_context(request, _open_case(request, number)))


@require_safe
def show_case(request: StaffRequest, number: str) -> HttpResponse:
    """The page of a case."""
    return render(request, "desk/case.html", _case_context(request, _open_case(request, number)))


@require_safe
def show_timeline(request: StaffRequest, number: str) -> HttpResponse:
    """The events of a case, newest first, filtered by kind, person and days."""
    found, today = _open_case(request, number), timezone.localdate()
    chosen = list_actors(found, request.user)
    form = TimelineForm(request.GET, today=today)
    # Called for the cleaned data only; invalid fields do not filter.
    form.is_valid()
    filters = form.filters(chosen)
    try:
        page = load_timeline(found, request.user, filters, before=request.GET.get("before", ""))
    except ValueError as error:
        raise Http404("This page of the timeline does not exist.") from error
    context = {
        "case": found,
        "tab": "timeline",
        "today": today,
        "entries": page.entries,
        "older": page.older,
        "is_first": "before" not in request.GET,
        "filters": filters,
        "filter_form": form,
        "kinds": Event.Kind.choices,
        "people": chosen,
    }
    return render(request, "desk/timeline.html", context)


@require_safe
def show_looks(request: StaffRequest, number: str) -> HttpResponse:
    """The access log of a case: who opened it, its records and letters, and who was refused."""
    found = _open_case(request, number)
    lines, older = list_looks(
        found, request.user, before=read_whole_number(request.GET.get("before", ""))
    )
    context = {
        "case": found,
        "tab": "looks",
        "today": timezone.localdate(),
        "lines": lines,
        "older": older,
        "is_first": "before" not in request.GET,
    }
    return render(request, "desk/looks.html", context)


@require_safe
def show_letters(request: StaffRequest, number: str) -> HttpResponse:
    """Every letter of a case, with its state and recipients."""
    context = _case_context(request, _open_case(request, number))
    events = context["case"].events.exclude(letter=None).select_related("letter")
    # A letter with several events is listed once.
    letters = {event.letter_id: event.letter for event in events.order_by("happened_at", "pk")}
    notices = context["case"].notices.select_related("letter", "delivery").order_by("pk")
    letters |= {notice.letter_id: notice.letter for notice in notices}
    context |= {
        "tab": "letters",
        "letters": list(letters.values()),
        "case_letters": context["case"]
        .case_letters.prefetch_related("copies__letter")
        .order_by("-pk"),
        "why_not_draft": policies.why_not_draft_letter(request.user, context["case"]),
    }
    return render(request, "desk/letters.html", context)


@require_safe
def show_search(request: StaffRequest) -> HttpResponse:
    """Search for cases by number, claim or name. Never finds users or reviewers."""
    query = request.GET.get("q", "").strip()
    # A single letter matches too much to be of use.
    found = _find_cases(query) if request.user.may("cases.view_case") and len(query) >= 2 else []
    # Only an exact number opens its case, because every opening is written to the access log.
    if len(found) == 1 and not request.htmx and found[0].number == query.upper():
        return redirect(found[0])
    template = "desk/_jump_results.html" if request.htmx else "desk/jump.html"
    return render(request, template, {"query": query, "cases": found})


def _find_cases(query: str) -> list[Case]:
    """Find up to ten cases by case number, claim number or the employee's name."""
    from directory.names import fold_name, fold_number

    # Three short queries: a single one across these tables could use none of their indexes.
    ids: list[int] = list(
        Case.objects.filter(number__istartswith=query).values_list("pk", flat=True)[:10]
    )
    if folded := fold_number(query):
        ids += Case.objects.filter(claim_number_normal__startswith=folded).values_list(
            "pk", flat=True
        )[:10]
    if named := fold_name(query):
        ids += (
            PersonName.objects.current()
            .filter(normal__contains=named, person__roles__role="EMPLOYEE")
            .values_list("person__roles__case_id", flat=True)[:10]
        )
    return list(Case.objects.filter(pk__in=ids).order_by("-pk")[:10])


def _open_case(request: StaffRequest, number: str) -> Case:
    """Load the case and record the access before anything is sent."""
    found = get_object_or_404(
        Case.objects.select_related("ur_decision", "duplicate_of"), number=number
    )
    record_look(by=request.user, subject="case", reference=number, granted=True, at=timezone.now())
    return found


def _case_context(request: StaffRequest, case: Case) -> dict[str, Any]:
    """The context of the case page, shared by its preview and its list of letters."""
    parties = current_parties(case, on=timezone.localdate())
    proposed = case.item_changes.filter(state=ItemChange.State.PROPOSED)
    waiting = list(proposed.select_related("item").order_by("pk"))
    return {
        "case": case,
        "tab": "overview",
        "today": timezone.localdate(),
        "items": list(
            case.items.select_related("category", "parent")
            .annotate(
                cited_count=Count(
                    "administrator_citations",
                    filter=Q(administrator_citations__removed_at__isnull=True),
                )
            )
            .order_by("position")
        ),
        "item_changes": waiting,
        "items_waiting": {change.item_id for change in waiting},
        "why_not_change_items": policies.why_not_change_items(case),
        "parties": parties,
        "own_conflicts": [
            (one, name_actor(one.row.member.user, reader=request.user) if one.user_id else "")
            for one in organization_facts.list_conflict_findings(case)
            if one.row.member and one.result != OwnConflictResult.Result.PASS
        ],
        "employee": next((party for party in parties if party.role == PartyRole.EMPLOYEE), None),
        "next_step": find_next_step(case, request.user),
        "deadlines": list(case.deadlines.filter(replaced_at__isnull=True).order_by("due_on", "pk")),
        "letters_line": summarize_letters(case) if request.user.may("letters.view_letter") else "",
        "links": list(case.links.select_related("other"))
        + list(case.linked_from.select_related("case")),
        "entries": load_timeline(case, request.user, limit=8).entries,
        "is_published": case.origin == Origin.PUBLISHED,
        "application": getattr(case, "application", None),
        "may_end_early": case.is_open and not policies.why_not_end_early(request.user, case),
    }


_STATES_IN_WORDS = (
    (Letter.State.QUEUED, "generating"),
    (Letter.State.RENDERING, "generating"),
    (Letter.State.FAILED, "failed"),
)


def summarize_letters(case: Case) -> str:
    """Summarize the letters of a case and what is left to do. Three queries."""
    drafts = case.case_letters.filter(state=CaseLetter.State.DRAFT).count()
    waiting = f" {drafts} draft{'' if drafts == 1 else 's'} to review."
    return _summarize_written_letters(case) + (waiting if drafts else "")


def _summarize_written_letters(case: Case) -> str:
    states = Counter(
        Letter.objects.filter(reference=case.number).order_by().values_list("state", flat=True)
    )
    if not states:
        return "No letters yet."
    total = sum(states.values())
    unsent = Delivery.objects.filter(
        letter__reference=case.number,
        letter__state=Letter.State.FILED,
        state=Delivery.State.PREPARED,
    ).count()
    open_ends: Counter[str] = Counter()
    for state, words in _STATES_IN_WORDS:
        open_ends[words] += states[state]
    open_ends["not sent yet"] = unsent
    rest = ", ".join(f"{count} {words}" for words, count in open_ends.items() if count)
    return f"{total} letter{'' if total == 1 else 's'}, {rest or 'all sent'}."
