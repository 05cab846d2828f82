"""Saved filters: a person names one, shares it with the office and retires it."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import PERMISSIONS, Role
from desk import queues
from queues.models import SavedView
from queues.services import saved_views
from tests.factories import MONDAY, person, received_case

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]

TODAY = date(2026, 3, 2)


@pytest.fixture
def ada():
    return person(Role.COORDINATOR, name="Ada Clerk")


def save_view(by, *, name="Overdue and free", query="due=over&taken=no one&sort=lead_time", **more):
    return saved_views.save_view(
        name=name, queue="eligibility", query=query, today=TODAY, by=by, at=MONDAY, **more
    )


@pytest.mark.capability("AD-3")
def test_a_person_saves_names_and_shares_a_filter(ada):
    ben = person(Role.INTAKE)
    view = save_view(ada)
    assert list(saved_views.list_saved_views(user=ada)) == [view]
    assert not saved_views.list_saved_views(user=ben)

    saved_views.rename_view(view_id=view.pk, name="  Mine  to do ", by=ada, at=MONDAY)
    saved_views.share_view(view_id=view.pk, shared=True, by=ada, at=MONDAY)

    (seen,) = saved_views.list_saved_views(user=ben)
    assert (seen.name, seen.owner, seen.query) == ("Mine to do", ada, view.query)
    assert [one.history_change_reason for one in view.history.order_by("version")] == [
        "Saved", "Renamed", "Shared",
    ]  # fmt: skip


def test_an_invalid_filter_is_not_saved(ada):
    view = save_view(ada, query="after=2026-03-02,1&priority=VIP&due=over&due_by=3/9/26&x=1")

    assert view.query == "due=over&due_by=2026-03-09"


def test_a_retired_view_leaves_the_lists_stays_on_file_and_frees_its_name(ada):
    view = save_view(ada)
    saved_views.retire_view(view_id=view.pk, by=ada, at=MONDAY + timedelta(hours=1))

    assert not saved_views.list_saved_views(user=ada)
    assert SavedView.objects.get(pk=view.pk).retired_at
    assert save_view(ada).name == view.name


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": " "}, "Give the view a name."),
        ({"name": "x" * 61}, "Shorten the name"),
        ({"name": "Overdue and free"}, "You have a view named “Overdue and free” already."),
    ],
)
def test_a_view_without_a_valid_name_is_refused(ada, change, sentence):
    save_view(ada)
    with pytest.raises(NotAllowed, match=sentence):
        save_view(ada, **change)


def test_no_one_changes_the_view_of_another_person(ada):
    view = save_view(ada, shared=True)
    ben = person(Role.COORDINATOR)

    for act, more in (
        (saved_views.rename_view, {"name": "Mine"}),
        (saved_views.share_view, {"shared": False}),
        (saved_views.retire_view, {}),
    ):
        with pytest.raises(NotAllowed, match="Only the person who saved a view"):
            act(view_id=view.pk, by=ben, at=MONDAY, **more)


@pytest.mark.parametrize("role", sorted(set(Role) - PERMISSIONS["queues.share_view"]))
def test_sharing_without_the_permission_is_refused(role):
    someone = person(role)
    view = save_view(someone)

    with pytest.raises(NotAllowed, match="Your role may not share views."):
        saved_views.share_view(view_id=view.pk, shared=True, by=someone, at=MONDAY)
    with pytest.raises(NotAllowed, match="Your role may not share views."):
        save_view(someone, name="Another", shared=True)


def test_too_many_views_are_refused(ada, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 2)
    save_view(ada, name="1"), save_view(ada, name="2")

    with pytest.raises(NotAllowed, match="You have 2 saved views. Remove one first."):
        save_view(ada, name="3")


# --- The pages ------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, ada, set_clock):
    set_clock(MONDAY + timedelta(hours=3))
    client.force_login(ada)
    return client


@pytest.mark.capability("AD-3")
def test_a_filtered_list_is_saved_from_its_page_and_shown_above_it_and_on_my_day(desk, ada):
    listed = desk.get("/queues/eligibility/?due=over&sort=lead_time").content.decode()
    save_at = "/queues/eligibility/save/?due=over&amp;sort=lead_time"
    assert save_at in listed

    answer = desk.post(
        save_at.replace("&amp;", "&"), {"name": "Overdue", "shared": "on"}, follow=True
    )

    assert answer.redirect_chain[-1][0] == "/queues/eligibility/?due=over&sort=lead_time"
    assert SavedView.objects.get().is_shared
    link = 'href="/queues/eligibility/?due=over&amp;sort=lead_time"'
    assert link in desk.get("/queues/eligibility/").content.decode()
    assert link in desk.get("/").content.decode()


def test_a_refused_name_keeps_what_was_typed(desk, ada):
    save_view(ada, name="Overdue")

    answer = desk.post("/queues/eligibility/save/?due=over", {"name": "Overdue"})

    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'value="Overdue"' in page
    assert "You have a view named “Overdue” already." in page
    assert desk.post("/queues/nonsense/save/", {"name": "x"}).status_code == 404


def test_views_are_renamed_shared_and_retired_on_their_page(desk, ada):
    view, other = save_view(ada), save_view(ada, name="Other")

    desk.post(reverse("queues:rename_view", args=[view.pk]), {"name": "Mine"})
    desk.post(reverse("queues:share_view", args=[view.pk]), {"shared": "yes"})
    refused = desk.post(reverse("queues:rename_view", args=[view.pk]), {"name": "Other"})
    desk.post(reverse("queues:retire_view", args=[other.pk]))

    view.refresh_from_db()
    assert (view.name, view.is_shared) == ("Mine", True)
    assert refused.status_code == 422
    assert "You have a view named “Other” already." in refused.content.decode()
    assert 'value="Other"' in refused.content.decode()
    page = desk.get(reverse("queues:saved_views")).content.decode()
    assert "Mine" in page
    assert "Other" not in page.replace("Other queues", "")


def test_the_view_of_another_person_can_be_used_but_not_changed(client, ada):
    view = save_view(ada, shared=True)
    client.force_login(person(Role.INTAKE))

    page = client.get(reverse("queues:saved_views")).content.decode()
    assert view.name in page
    assert "Rename" not in page
    answer = client.post(reverse("queues:retire_view", args=[view.pk]))
    assert answer.status_code == 422
    assert "Only the person who saved a view can change it." in answer.content.decode()


def test_the_count_of_a_view_is_limited_and_counted_each_time(desk, ada, monkeypatch):
    view = save_view(ada, name="All", query="priority=REGULAR")
    for _ in range(3):
        received_case()
    at = MONDAY + timedelta(hours=3)
    assert queues.count_saved_view(view, user=ada, today=TODAY, at=at) == 3

    received_case()
    assert queues.count_saved_view(view, user=ada, today=TODAY, at=at) == 4
    monkeypatch.setattr(queues, "VIEW_COUNTED", 2)
    assert queues.count_saved_view(view, user=ada, today=TODAY, at=at) == 3, (
        "one more than is counted"
    )
