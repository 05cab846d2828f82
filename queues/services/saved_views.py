"""Saved views: a list with its filter and order, under a name, for oneself or for the office."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from accounts.versions import VersionedQuerySet
from cases.lifecycle import QUEUES
from queues import policies
from queues.filters import Filter
from queues.models import SavedView

MOST = 40  # of one person; a longer list is no help


def list_saved_views(*, user: User) -> VersionedQuerySet:
    """Return the views that a person sees: their own, and those that others share."""
    live = SavedView.objects.filter(retired_at__isnull=True)
    rows: VersionedQuerySet = live.filter(Q(owner=user) | Q(is_shared=True))
    return rows.select_related("owner").order_by("name", "pk")


@transaction.atomic
def save_view(
    *, name: str, queue: str, query: str, shared: bool = False, today: date, by: User, at: datetime
) -> SavedView:
    """Save a filter under a name.

    :param query: the query string of the list; unknown parts are left out.
    :raises NotAllowed: no such list, no name, a name in use, or too many views.
    """
    refuse_if("" if queue in QUEUES else "There is no such list.")
    if shared:
        refuse_if(policies.why_not_share_view(by))
    _lock_owner(by)
    own_views = SavedView.objects.filter(owner=by, retired_at__isnull=True)
    refuse_if(
        f"You have {MOST} saved views. Remove one first." if own_views.count() >= MOST else ""
    )
    view = SavedView(
        owner=by,
        name=_check_view_name(name, by=by),
        queue=queue,
        # Stored in its usual form, so that unknown parts are dropped once and not at each opening.
        query=Filter.read(query, queue=queue, today=today).query(),
        is_shared=shared,
    )
    return view.store(by=by, at=at, why="Saved")


@transaction.atomic
def rename_view(*, view_id: int, name: str, by: User, at: datetime) -> SavedView:
    """Rename a view.

    :raises NotAllowed: someone else's view, or a name in use.
    """
    _lock_owner(by)
    view = _lock_own_view(view_id, by=by)
    view.name = _check_view_name(name, by=by, view=view)
    return view.store(by=by, at=at, why="Renamed", fields=["name"])


@transaction.atomic
def share_view(*, view_id: int, shared: bool, by: User, at: datetime) -> SavedView:
    """Share a view with the office, or stop sharing it.

    :raises NotAllowed: someone else's view, or a role that does not share.
    """
    view = _lock_own_view(view_id, by=by)
    refuse_if(policies.why_not_share_view(by))
    view.is_shared = shared
    why = "Shared" if shared else "No longer shared"
    return view.store(by=by, at=at, why=why, fields=["is_shared"])


@transaction.atomic
def retire_view(*, view_id: int, by: User, at: datetime) -> SavedView:
    """Remove a view from the lists. The row is kept, and its name can be used again.

    :raises NotAllowed: someone else's view.
    """
    view = _lock_own_view(view_id, by=by)
    view.retired_at = at
    return view.store(by=by, at=at, why="Retired", fields=["retired_at"])


def _lock_owner(by: User) -> None:
    """Lock the owner, so that two views of one person cannot get the same name."""
    User.objects.select_for_update().get(pk=by.pk)


def _lock_own_view(view_id: int, *, by: User) -> SavedView:
    view = SavedView.objects.select_for_update().filter(pk=view_id, retired_at__isnull=True).first()
    if view is None or view.owner_id != by.pk:
        raise NotAllowed("Only the person who saved a view can change it.")
    return view


def _check_view_name(name: str, *, by: User, view: SavedView | None = None) -> str:
    name = " ".join(name.split())
    refuse_if("" if name else "Give the view a name.")
    refuse_if("Shorten the name to 60 characters." if len(name) > 60 else "")
    others = SavedView.objects.filter(owner=by, name=name, retired_at__isnull=True)
    if view is not None:
        others = others.exclude(pk=view.pk)
    refuse_if(f"You have a view named “{name}” already." if others.exists() else "")
    return name
