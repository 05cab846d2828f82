"""Pages that combine apps: My day, lists, the case page, search. They change no case."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

import jobs.services
from accounts.actions import render_refusal, run_action, try_action
from accounts.models import AccessLogEntry
from accounts.names import name_actor
from accounts.refusals import Refused
from accounts.requests import StaffRequest, read_whole_number
from accounts.roles import Role
from accounts.visibility import list_hidden_references
from cases import organization_facts, policies
from cases.case_rows import rows_of
from cases.lifecycle import QUEUES
from cases.models import (
    Case,
    CaseLetterCopy,
    DisputedItem,
    Event,
    Origin,
    OwnConflictResult,
)
from cases.passed_days import list_passed_days
from cases.progress import list_steps
from cases.search import FoundCases
from cases.services import undoing
from cases.views.acting import load_case
from directory.models import Organization, Person
from jobs.models import ListExport
from letters.kinds import CASE_LETTERS
from letters.models import Letter
from notices import services as notices
from queues.filters import Filter
from queues.forms.filters import FilterForm
from queues.services import bulk, claims, saved_views
from queues.work_order import Sort

from . import exports, party_pages, places, queues
from .access_log import (
    DAYS_SHOWN,
    AccessFilter,
    find_entries,
    find_entries_of_case,
    list_visits,
    write_rows,
)
from .case_page import (
    annotations_of_page,
    describe_unsent_letters,
    find_moved_items,
    list_complaints,
    list_links,
    list_proposed_changes,
    summarize_letters,
)
from .explanation import explain_case
from .forms import AccessLogForm, TimelineForm
from .my_day import load_my_day as day_of
from .next_step import find_next_step
from .notices import load_notices
from .search import SHORTEST, Group, find_cases, group_cases, search_everything
from .timeline import list_actors, load_timeline

EXPORTS_SHOWN = 25  # files that a person asked for, the newest
CASE_PAGE = re.compile(r"/cases/(CM\d{2}-\d{7})/")


@require_safe
def show_my_day(request: StaffRequest) -> HttpResponse:
    """Show the page My day: cases due, waiting, assigned, and changed since last opened."""
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
    """Show one work list, filtered and sorted as in the address, fifty cases at a time."""
    if slug not in QUEUES:
        raise Http404("There is no such list.")
    now = timezone.now()
    today = timezone.localdate(now)
    list_filter = Filter.read(request.GET, queue=slug, today=today)
    try:
        page = queues.load_queue_page(
            slug,
            list_filter=list_filter,
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
        "found_more": page.found_more,
        "is_undated": page.is_undated,
        "columns": queues.columns_for(request.user, list_filter.sort),
        "tick_all": "all" in request.GET,
        "list_filter": list_filter,
        "today": today,
    }
    # If the browser restores its history, htmx needs the whole page.
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "desk/_queue_rows.html", context)
    context |= {
        "count": queues.counts_of_request(request)[slug],
        "filter_form": FilterForm(request.GET or None, queue=slug, today=today),
        "views": [
            view for view in saved_views.list_saved_views(user=request.user) if view.queue == slug
        ],
        "bulk_actions": bulk.list_bulk_actions(queue=slug, user=request.user),
        "sorts": [(sort, list_filter.sorted_by(sort).query()) for sort in Sort],
        "first_page": "after" not in request.GET,
    }
    return render(request, "desk/queue.html", context)


@require_safe
def show_next_case(request: StaffRequest, slug: str) -> HttpResponse:
    """Preview the case that is next for this person, and why; assigning it is a button."""
    if slug not in QUEUES:
        raise Http404("There is no such list.")
    now = timezone.now()
    next_case = claims.preview_next_case(user=request.user, queue=slug, at=now)
    context = {
        "slug": slug,
        "title": QUEUES[slug][0],
        "case": next_case,
        "why": next_case and claims.explain_next_for(case=next_case, user=request.user, at=now),
        "passed_days": list_passed_days(request.user, today=timezone.localdate(now)),
        "may_take": bool(claims.stages_for(user=request.user, queue=slug)),
        "today": timezone.localdate(now),
    }
    return render(request, "desk/work_next.html", context)


@require_safe
def show_side_counts(request: StaffRequest) -> HttpResponse:
    """Return the counts of the menu, polled every twenty seconds; 204 if none has changed."""
    counts = queues.own_counts_of_request(request)
    stamp = queues.stamp_of_counts(counts)
    if request.GET.get("seen") == stamp:
        return HttpResponse(status=204)
    return render(request, "desk/_side_counts.html", {"counts": counts, "stamp": stamp})


@require_safe
def show_peek(request: StaffRequest, number: str) -> HttpResponse:
    """Return the preview of a case beside its list."""
    return render(request, "desk/_peek.html", _case_context(request, _open_case(request, number)))


@require_safe
def show_case(request: StaffRequest, number: str) -> HttpResponse:
    """Show the page of a case."""
    return render(request, "desk/case.html", _case_context(request, _open_case(request, number)))


@require_safe
def show_timeline(request: StaffRequest, number: str) -> HttpResponse:
    """Return the events of a case, newest first, filtered by kind, person and days."""
    case, today = _open_case(request, number), timezone.localdate()
    actors = list_actors(case, request.user)
    form = TimelineForm(request.GET, today=today)
    # Invalid fields do not filter; the page shows their errors.
    status = 200 if form.is_valid() else Refused.status
    filters = form.filters(actors)
    try:
        page = load_timeline(case, request.user, filters, before=request.GET.get("before", ""))
    except ValueError as error:
        raise Http404("This page of the timeline does not exist.") from error
    context = {
        "case": case,
        "tab": "timeline",
        "today": today,
        "entries": page.entries,
        "older": page.older,
        "is_first": "before" not in request.GET,
        "filters": filters,
        "filter_form": form,
        "kinds": Event.Kind.choices,
        "people": actors,
    }
    return render(request, "desk/timeline.html", context, status=status)


@require_safe
def show_access_log(request: StaffRequest, number: str) -> HttpResponse:
    """Show who opened a case, its records and letters, and who was refused."""
    case = _open_case(request, number)
    form, chosen = _read_access_filter(request)
    context = _access_log_context(
        request, form, chosen, find_entries_of_case(case.number, chosen, request.user)
    )
    context |= {"case": case, "tab": "access_log"}
    return render(request, "desk/access_log.html", context, status=_status_of(form))


@require_safe
def show_all_accesses(request: StaffRequest) -> HttpResponse:
    """The access log of all cases, one line per visit; the last thirty days if none are chosen."""
    form, chosen = _read_access_filter(request, days=DAYS_SHOWN)
    context = _access_log_context(request, form, chosen, find_entries(chosen, request.user))
    return render(request, "desk/accesses.html", context, status=_status_of(form))


@require_safe
def export_accesses(request: StaffRequest) -> HttpResponseBase:
    """The entries of the access log that the page shows, as CSV, one row for each entry."""
    form, chosen = _read_access_filter(request, days=DAYS_SHOWN)
    if not form.is_valid():
        # The page says what is wrong. A file with other entries than asked for would not.
        return redirect(f"{reverse('desk:accesses')}?{request.GET.urlencode()}")
    rows = write_rows(find_entries(chosen, request.user), request.user)
    return StreamingHttpResponse(
        rows,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="access-log.csv"'},
    )


@require_safe
def export_list(request: StaffRequest, name: str) -> HttpResponse:
    """Answer with a list as CSV, or ask whether to write a long one in the background."""
    exported, query = _find_list(request, name)
    now = timezone.now()
    try:
        text = exports.write_at_once(exported, request.user, query, at=now)
        label = exported.label(request.user, query, now)
        count = 0 if text else exported.count(request.user, query, now)
    except exports.NoSuchList as error:
        raise Http404("There is no such list.") from error
    if text:
        return _answer_csv(text, label, now)
    context = {"label": label, "count": count, "name": name, "query": request.GET.urlencode()}
    return render(request, "desk/export.html", context)


@require_POST
def request_export(request: StaffRequest, name: str) -> HttpResponse:
    """Ask for a long list as a file."""
    exported, query = _find_list(request, name)
    now = timezone.now()
    try:
        label = exported.label(request.user, query, now)
        count = exported.count(request.user, query, now)
    except exports.NoSuchList as error:
        raise Http404("There is no such list.") from error
    attempt = run_action(
        request,
        None,
        lambda: jobs.services.request_export(
            name=name,
            label=label,
            query=request.GET.urlencode(),
            rows_expected=count,
            by=request.user,
            at=now,
        ),
        once=True,
    )
    if attempt.done:
        messages.success(request, f"{label}: the file will be ready on this page.")
        return redirect("desk:exports")
    return _render_exports(request, status=attempt.status)


@require_safe
def list_exports(request: StaffRequest) -> HttpResponse:
    """Show the files that this person asked for, and how much of each is written."""
    return _render_exports(request)


@require_safe
def download_export(request: StaffRequest, export_id: int) -> HttpResponse:
    """Answer with a file that this person asked for, while they may still see what is in it."""
    rows = ListExport.objects.filter(requested_by=request.user, state=ListExport.State.READY)
    export = get_object_or_404(rows, pk=export_id)
    _find_list(request, export.name, exports.read_query(export.query))
    text = "".join(export.parts.order_by("number").values_list("lines", flat=True))
    # A case may have been restricted since the file was written.
    if any(number in text for number in list_hidden_references(request.user)):
        messages.error(request, "A case in this file was restricted since. Export the list again.")
        return redirect("desk:exports")
    return _answer_csv(text, export.label, export.requested_at)


def _render_exports(request: StaffRequest, *, status: int = 200) -> HttpResponse:
    rows = ListExport.objects.filter(requested_by=request.user).order_by("-pk")[:EXPORTS_SHOWN]
    context = {"exports": rows, "is_moving": any(one.is_moving for one in rows)}
    template = "desk/_exports.html" if request.htmx else "desk/exports.html"
    return render(request, template, context, status=status)


def _find_list(
    request: StaffRequest, name: str, query: exports.Query | None = None
) -> tuple[exports.ExportedList, exports.Query]:
    """Return a list whose page the person may open, and its filter."""
    exported = exports.LISTS.get(name)
    if exported is None:
        raise Http404("There is no such list.")
    if not request.may_open(exported.route):
        raise PermissionDenied
    return exported, query if query is not None else request.GET.dict()


def _answer_csv(text: str, label: str, at: datetime) -> HttpResponse:
    file_name = f"{slugify(label) or 'list'}-{timezone.localdate(at).isoformat()}.csv"
    return HttpResponse(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def _find_export_url(row: Person | Organization) -> str:
    name = "person" if isinstance(row, Person) else "organization"
    return f"{reverse('desk:export_list', args=[name])}?{name}_id={row.pk}"


def _read_access_filter(
    request: StaffRequest, *, days: int | None = None
) -> tuple[AccessLogForm, AccessFilter]:
    """The form of the filters, and what was chosen.

    :param days: how many days are shown if none are chosen; all if ``None``.
    """
    today = timezone.localdate()
    form = AccessLogForm(request.GET, today=today, reader=request.user, auto_id="of_%s")
    form.is_valid()
    chosen = form.filters()
    if days is not None and chosen.first_day is None and chosen.last_day is None:
        chosen = replace(chosen, first_day=today - timedelta(days=days))
    return form, chosen


def _status_of(form: AccessLogForm) -> int:
    return 200 if form.is_valid() else Refused.status


def _access_log_context(
    request: StaffRequest, form: AccessLogForm, chosen: AccessFilter, rows: QuerySet[AccessLogEntry]
) -> dict[str, Any]:
    visits, older = list_visits(
        rows, request.user, before=read_whole_number(request.GET.get("before", ""))
    )
    return {
        "today": timezone.localdate(),
        "form": form,
        "chosen": chosen,
        "visits": visits,
        "older": older,
        "is_first": "before" not in request.GET,
    }


@require_safe
def show_explanation(request: StaffRequest, number: str) -> HttpResponse:
    """Explain why a case is where it is: tasks, deadlines, letters, jobs, related cases, events."""
    case = _open_case(request, number)
    context = {"case": case, "tab": "explain", "today": timezone.localdate()}
    return render(request, "desk/explain.html", context | explain_case(case, request.user))


@require_safe
def show_letters(request: StaffRequest, number: str) -> HttpResponse:
    """Show every letter of a case, with its state and recipients."""
    context = _case_context(request, _open_case(request, number))
    case = context["case"]
    # By its events too: the letter of a lead case decides the items of a consolidated case.
    by_event = case.events.exclude(letter=None).values("letter")
    letters = Letter.objects.filter(Q(reference=case.number) | Q(pk__in=by_event))
    context |= {
        "tab": "letters",
        # Case letters are listed with their recipients further up.
        "letters": letters.exclude(kind__in=CASE_LETTERS)
        .prefetch_related("services")
        .order_by("created_at", "pk"),
        "case_letters": case.case_letters.prefetch_related(
            Prefetch(
                "copies",
                CaseLetterCopy.objects.filter(taken_back_at=None).select_related(
                    "letter", "service"
                ),
            )
        ).order_by("-pk"),
        "why_not_draft": policies.why_not_draft_letter(request.user, case),
        "sent_marks": undoing.list_sent_marks(case=case, reader=request.user, at=timezone.now()),
    }
    return render(request, "desk/letters.html", context)


@require_safe
def show_search(request: StaffRequest) -> HttpResponse:
    """Search for cases, people, organizations, letters, treatments, reviewers, pages and actions.

    With an action, only cases are found, and each leads to the page of the action.
    """
    query = request.GET.get("q", "").strip()
    action = places.find_case_action(request.GET.get("action", ""))
    if action is not None and not request.may_open(action.url_name):
        raise PermissionDenied
    found, cases, groups = FoundCases(), list[Case](), list[Group]()
    if action is None:
        groups, found, cases = search_everything(
            query, request.user, request.may_open, number=_number_at_hand(request)
        )
    elif len(query) >= SHORTEST:
        found, cases = find_cases(query, request.user)
        groups = [group_cases(found, cases, action)] if cases else []
    # Only an exact number opens its case, because every opening is written to the access log.
    if len(cases) == 1 and not request.htmx and cases[0].number == query.upper():
        return redirect(action.url_name if action else "desk:case", cases[0].number)
    template = "desk/_jump_results.html" if request.htmx else "desk/jump.html"
    context = {
        "query": query,
        "action": action,
        "groups": groups,
        "cases": cases,
        "found": len(found.ids),
        "has_more": found.has_more,
    }
    return render(request, template, context)


def _number_at_hand(request: StaffRequest) -> str:
    """Return the number of the case from whose page the search was sent, or empty."""
    match = CASE_PAGE.match(urlsplit(request.headers.get("Referer", "")).path)
    return match[1] if match else ""


@require_safe
def show_person(request: StaffRequest, person_id: int) -> HttpResponse:
    """Show an injured worker or another person: cases, letters and calls."""
    return _show_party(request, get_object_or_404(Person, pk=person_id), {})


@require_safe
def show_organization(request: StaffRequest, organization_id: int) -> HttpResponse:
    """Show a claims administrator or another organization: cases, letters and calls."""
    row = get_object_or_404(Organization, pk=organization_id)
    may_keep = request.may_open("directory:organization")
    return _show_party(request, row, {"organization": row if may_keep else None})


def _show_party(
    request: StaffRequest, row: Person | Organization, more: dict[str, Any]
) -> HttpResponse:
    page = party_pages.find_party_page(row, request.user)
    if page is None:
        # Exactly as if it did not exist.
        raise Http404("This person or organization is on no case.")
    try:
        open_cases = party_pages.load_open_cases(page, after=request.GET.get("after", ""))
    except ValueError as error:
        raise Http404("This page of the list does not exist.") from error
    closed = party_pages.load_closed_cases(
        page, before=read_whole_number(request.GET.get("before", ""))
    )
    context = {
        "page": page,
        "party": page.newest,
        "open_cases": open_cases,
        "closed_cases": closed,
        "letters": party_pages.load_letters(page, [*open_cases.cases, *closed.cases]),
        "calls": party_pages.load_calls(page),
        "today": timezone.localdate(),
        "export_url": _find_export_url(row),
        "is_first": not {"after", "before"} & request.GET.keys(),
        **more,
    }
    return render(request, "desk/party.html", context)


@require_safe
def show_notices(request: StaffRequest) -> HttpResponse:
    """Show the reader's own notices. Reading one is a button, because a visit saves nothing."""
    page = load_notices(request.user, before=read_whole_number(request.GET.get("before", "")))
    context = {
        "lines": page.lines,
        "older": page.older,
        "unread": any(line.notice.read_at is None for line in page.lines),
        "mail_is_configured": settings.MAIL_IS_CONFIGURED,
    }
    return render(request, "desk/notices.html", context)


@require_POST
def read_notices(request: StaffRequest) -> HttpResponse:
    """Mark all notices of the reader as read."""
    notices.mark_all_read(by=request.user, at=timezone.now())
    return redirect("desk:notices")


@require_POST
def open_notice(request: StaffRequest, notice_id: int) -> HttpResponse:
    """Mark a notice as read, and open the page that it leads to."""
    attempt = try_action(
        lambda: notices.mark_read(notice_id=notice_id, by=request.user, at=timezone.now())
    )
    if attempt.refusal:
        return render_refusal(request, attempt.refusal, back=reverse("desk:notices"))
    return redirect(attempt.result.path or "desk:notices")


def _open_case(request: StaffRequest, number: str) -> Case:
    """Load the case that a page shows, with what the case page says of other tables in a line."""
    mine = claims.list_own_claims(user=request.user, at=timezone.now()).order_by()
    is_mine = Exists(mine.filter(case=OuterRef("pk")))
    return load_case(
        request, number, annotations=annotations_of_page() | {"is_assigned_to_me": is_mine}
    )


def _case_context(request: StaffRequest, case: Case) -> dict[str, Any]:
    """Return the context of the case page, shared by its preview and its list of letters."""
    rows, today = rows_of(case), timezone.localdate()
    sees_letters = request.user.may("letters.view_letter")
    waiting = list_proposed_changes(case)
    findings = organization_facts.list_conflict_findings(case) if rows.has_conflicts else []
    return {
        "case": case,
        "tab": "overview",
        "today": today,
        "items": rows.items,
        "item_changes": waiting,
        "items_waiting": {change.item_id for change in waiting},
        "why_not_change_items": policies.why_not_change_items(case),
        "moved_items": find_moved_items(rows.items, request.user),
        "may_split": not policies.why_not_split(request.user, case)
        and sum(one.ending == DisputedItem.Ending.PENDING for one in rows.items) > 1,
        "parties": rows.parties_on(today),
        "own_conflicts": [
            (one, name_actor(one.row.member.user, reader=request.user) if one.user_id else "")
            for one in findings
            if one.row.member and one.result != OwnConflictResult.Result.PASS
        ],
        "employee": rows.employee_on(today),
        "steps": list_steps(case),
        "next_step": find_next_step(case, request.user),
        "deadlines": rows.deadlines,
        "letters_line": summarize_letters(case) if sees_letters else "",
        "unsent_letters": describe_unsent_letters(case) if sees_letters else "",
        "links": list_links(case, request.user),
        "complaints": list_complaints(case, request.user),
        "entries": load_timeline(case, request.user, limit=8).entries,
        "is_published": case.origin == Origin.PUBLISHED,
        "application": case.application,
        "may_end_early": case.is_open and not policies.why_not_end_early(request.user, case),
    }
