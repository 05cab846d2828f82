"""Pages of saved views: save a filtered list under a name, rename, share and remove views."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actions import run_action, try_action
from accounts.requests import StaffRequest, posted_data
from cases.lifecycle import QUEUES
from queues import policies
from queues.filters import Filter
from queues.forms.saved_views import ViewForm
from queues.services import saved_views as services


@require_http_methods(["GET", "HEAD", "POST"])
def save_view(request: StaffRequest, slug: str) -> HttpResponse:
    """Save the filtered list in the address under a name."""
    if slug not in QUEUES:
        raise Http404("There is no such list.")
    now = timezone.now()
    today = timezone.localdate(now)
    list_filter = Filter.read(request.GET, queue=slug, today=today)
    may_share = not policies.why_not_share_view(request.user)
    form = ViewForm(posted_data(request), may_share=may_share)
    attempt = run_action(
        request,
        form,
        lambda: services.save_view(
            name=form.cleaned_data["name"],
            queue=slug,
            query=list_filter.query(),
            shared=form.cleaned_data.get("shared", False),
            today=today,
            by=request.user,
            at=now,
        ),
        field="name",
        once=True,
    )
    if attempt.done:
        messages.success(request, f"“{attempt.result.name}” is saved. It is shown in My day.")
        return redirect(attempt.result)
    context = {"slug": slug, "title": QUEUES[slug][0], "list_filter": list_filter, "form": form}
    return render(request, "queues/save_view.html", context, status=attempt.status)


@require_GET
def show_saved_views(request: StaffRequest) -> HttpResponse:
    """Show the page of own saved views and those that others share."""
    return _render_views_page(request)


@require_POST
def rename_view(request: StaffRequest, view_id: int) -> HttpResponse:
    """Rename a view."""
    name = request.POST.get("name", "")
    return _change_view(request, view_id, services.rename_view, "The view is renamed.", name=name)


@require_POST
def share_view(request: StaffRequest, view_id: int) -> HttpResponse:
    """Share a view with the office, or stop sharing it."""
    shared = request.POST.get("shared") == "yes"
    done = "The view is shared with the office." if shared else "The view is no longer shared."
    return _change_view(request, view_id, services.share_view, done, shared=shared)


@require_POST
def retire_view(request: StaffRequest, view_id: int) -> HttpResponse:
    """Remove a view from the lists."""
    return _change_view(request, view_id, services.retire_view, "The view is removed.")


def _change_view(
    request: StaffRequest,
    view_id: int,
    service: Callable[..., Any],
    success_message: str,
    **typed: Any,
) -> HttpResponse:
    attempt = try_action(
        lambda: service(view_id=view_id, by=request.user, at=timezone.now(), **typed),
    )
    if attempt.refusal:
        refused = (view_id, str(attempt.refusal), typed.get("name", ""))
        return _render_views_page(request, refused, status=attempt.status)
    messages.success(request, success_message)
    return redirect("queues:saved_views")


def _render_views_page(
    request: StaffRequest, refused: tuple[int, str, str] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render the page of views; a refused change keeps what was typed, with the refusal."""
    today = timezone.localdate()
    view_id, sentence, typed_form = refused or (0, "", "")
    rows = [
        {
            "view": view,
            "queue": QUEUES[view.queue][0],
            "description": Filter.read(view.query, queue=view.queue, today=today).describe(),
            "name": typed_form if view.pk == view_id and typed_form else view.name,
            "error": sentence if view.pk == view_id else "",
        }
        for view in services.list_saved_views(user=request.user)
    ]
    context = {
        "mine": [row for row in rows if row["view"].owner_id == request.user.pk],
        "shared": [row for row in rows if row["view"].owner_id != request.user.pk],
        "refused": sentence,
        "may_share": not policies.why_not_share_view(request.user),
    }
    return render(request, "queues/saved_views.html", context, status=status)
