"""AD-3: a person saves a filter under a name, shares it with the office, and retires it."""

from datetime import date, timedelta

import pytest

from accounts.roles import PERMISSIONS, Role
from cases.models import SavedView
from cases.policies import NotAllowed
from cases.services import saved_views
from tests.factories import MONDAY, person

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 2)


@pytest.fixture
def ada():
    return person(Role.COORDINATOR, name="Ada Clerk")


def save(by, *, name="Overdue and free", query="due=over&taken=nobody&sort=slack", **more):
    return saved_views.save_view(
        name=name, queue="eligibility", query=query, today=TODAY, by=by, at=MONDAY, **more
    )


def test_ad3_a_person_saves_names_and_shares_a_filter(ada):
    ben = person(Role.INTAKE)
    view = save(ada)
    assert list(saved_views.views_for(user=ada)) == [view]
    assert not saved_views.views_for(user=ben)

    saved_views.rename_view(view_id=view.pk, name="  Mine  to do ", by=ada, at=MONDAY)
    saved_views.share_view(view_id=view.pk, shared=True, by=ada, at=MONDAY)

    (seen,) = saved_views.views_for(user=ben)
    assert (seen.name, seen.owner, seen.query) == ("Mine to do", ada, view.query)
    assert [one.history_change_reason for one in view.history.order_by("version")] == [
        "Saved", "Renamed", "Shared",
    ]  # fmt: skip


def test_what_is_no_filter_is_not_saved(ada):
    view = save(ada, query="after=2026-03-02,1&priority=VIP&due=over&due_by=3/9/26&x=1")

    assert view.query == "due=over&due_by=2026-03-09"


def test_a_retired_view_is_gone_from_the_lists_kept_on_file_and_its_name_is_free(ada):
    view = save(ada)
    saved_views.retire_view(view_id=view.pk, by=ada, at=MONDAY + timedelta(hours=1))

    assert not saved_views.views_for(user=ada)
    assert SavedView.objects.get(pk=view.pk).retired_at
    assert save(ada).name == view.name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": " "}, "Give the view a name."),
        ({"name": "x" * 61}, "Shorten the name"),
        ({"name": "Overdue and free"}, "You have a view named “Overdue and free” already."),
    ],
)
def test_a_view_without_a_fit_name_is_refused(ada, change, said):
    save(ada)
    with pytest.raises(NotAllowed, match=said):
        save(ada, **change)


def test_nobody_changes_another_person_s_view(ada):
    view = save(ada, shared=True)
    ben = person(Role.COORDINATOR)

    for act, more in (
        (saved_views.rename_view, {"name": "Mine"}),
        (saved_views.share_view, {"shared": False}),
        (saved_views.retire_view, {}),
    ):
        with pytest.raises(NotAllowed, match="Only the person who saved a view"):
            act(view_id=view.pk, by=ben, at=MONDAY, **more)


@pytest.mark.parametrize("role", sorted(set(Role) - PERMISSIONS["cases.share_view"]))
def test_who_may_not_share_is_told(role):
    someone = person(role)
    view = save(someone)

    with pytest.raises(NotAllowed, match="Your role does not share views."):
        saved_views.share_view(view_id=view.pk, shared=True, by=someone, at=MONDAY)
    with pytest.raises(NotAllowed, match="Your role does not share views."):
        save(someone, name="Another", shared=True)


def test_more_views_than_help_are_refused(ada, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 2)
    save(ada, name="1"), save(ada, name="2")

    with pytest.raises(NotAllowed, match="You have 2 saved views. Retire one first."):
        save(ada, name="3")
