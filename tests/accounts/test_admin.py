"""People in the admin site: through services, by administrators alone, names of reviewers kept."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse
from django.utils.html import escape

from accounts.models import AccessLogEntry, AccountEvent, SignInEvent, User
from accounts.roles import ROLE_NOTES, Role
from accounts.services import write_access_entry
from tests.factories import MONDAY, person

pytestmark = pytest.mark.django_db
LIST, ADD = "admin:accounts_user_changelist", "admin:accounts_user_add"
SECRET = "a phrase that no one guesses"


@pytest.fixture
def admin(client):
    someone = person(Role.ADMINISTRATOR, name="Ada Admin")
    client.force_login(someone)
    return someone


def form(**changes):
    fields = {
        "email": "new@example.org",
        "name": "Nora New",
        "is_active": "on",
        "roles": ["INTAKE", "QA"],
        "new_password": SECRET,
    }
    return {key: value for key, value in (fields | changes).items() if value is not None}


def change(client, user, **changes):
    page = reverse("admin:accounts_user_change", args=[user.pk])
    form_data = form(email=user.email, name=user.name, new_password="", **changes)
    return client.post(page, form_data)


@pytest.mark.parametrize("role", Role)
def test_only_administrators_manage_people(client, role):
    client.force_login(person(role))

    expected = 200 if role == Role.ADMINISTRATOR else 403
    for page in (LIST, ADD, "admin:accounts_accountevent_changelist"):
        assert client.get(reverse(page)).status_code == expected, page


def test_a_person_is_added_with_roles_and_events(client, admin):
    answer = client.post(reverse(ADD), form())

    assert answer.status_code == 302, answer.context["errors"]
    made = User.objects.get(email="new@example.org")
    assert made.roles == {Role.INTAKE, Role.QA}
    assert made.check_password(SECRET)
    assert set(made.account_events.values_list("kind", "by")) == {
        ("CREATED", admin.pk),
        ("ROLE_GRANTED", admin.pk),
    }


def test_the_list_shows_second_factor_and_last_sign_in(client, admin):
    ready, new = person(Role.QA, name="Quinn Ready"), person(Role.QA, name="Nell New")
    ready.authenticator_set.create(type=Authenticator.Type.TOTP, data={})
    new.authenticator_set.create(type=Authenticator.Type.RECOVERY_CODES, data={})
    for kind, hour in ((SignInEvent.Kind.SIGNED_IN, 1), (SignInEvent.Kind.SIGNED_OUT, 5)):
        at = MONDAY + timedelta(hours=hour)
        ready.sign_in_events.create(kind=kind, happened_at=at, account=ready.email)

    page = client.get(reverse(LIST))

    shown = {one.name: one for one in page.context["cl"].result_list}
    assert shown["Quinn Ready"].factor_added
    assert shown["Quinn Ready"].signed_in_at == MONDAY + timedelta(hours=1)
    assert not shown["Nell New"].factor_added  # recovery codes alone are no second factor
    assert "never" in page.content.decode()


def test_every_role_is_described_where_it_is_granted(client, admin):
    page = client.get(reverse(ADD)).content.decode()

    assert set(ROLE_NOTES) == set(Role)
    assert all(escape(note) in page for note in ROLE_NOTES.values())


def test_roles_are_granted_and_taken_with_events(client, admin):
    someone = person(Role.INTAKE)
    answer = change(client, someone, roles=["COORDINATOR"])

    assert answer.status_code == 302, answer.context["errors"]
    assert User.objects.get(pk=someone.pk).roles == {Role.COORDINATOR}
    kinds = someone.account_events.filter(by=admin).values_list("kind", "detail")
    assert set(kinds) == {("ROLE_GRANTED", "Coordinator"), ("ROLE_REVOKED", "Intake")}


def test_the_right_to_sign_in_is_withdrawn_with_an_event(client, admin):
    someone = person(Role.INTAKE)
    change(client, someone, roles=["INTAKE"], is_active=None)

    someone.refresh_from_db()
    assert not someone.is_active
    assert someone.account_events.filter(kind="DEACTIVATED", by=admin).count() == 1
    assert someone.check_password("correct horse battery staple")  # an empty one changes nothing


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"email": "ADA@example.org"}, "already belongs to a user"),
        ({"email": "nobody"}, "valid email"),
        ({"new_password": "short"}, "too short"),
        ({"new_password": None}, "required"),
        ({"roles": ["KING"]}, "not one of the available choices"),
        ({"name": ""}, "required"),
    ],
)
def test_a_refused_form_shows_the_reason_and_adds_no_one(client, admin, changes, says):
    person(email="ada@example.org")
    before = User.objects.count(), AccountEvent.objects.count()
    answer = client.post(reverse(ADD), form(**changes))

    assert says in answer.content.decode()
    assert (User.objects.count(), AccountEvent.objects.count()) == before


@pytest.mark.parametrize(
    "changes", [{"roles": []}, {"roles": ["ADMINISTRATOR"], "is_active": None}]
)
def test_the_last_administrator_cannot_step_down_here(client, admin, changes):
    answer = change(client, admin, **changes)

    assert "This is the last administrator" in answer.content.decode()
    admin = User.objects.get(pk=admin.pk)
    assert admin.is_active
    assert admin.roles == {Role.ADMINISTRATOR}


def test_nothing_of_people_can_be_deleted_and_records_only_read(client, admin):
    someone = person(Role.INTAKE)
    event = someone.account_events.first()
    assert client.get(reverse("admin:accounts_user_delete", args=[someone.pk])).status_code == 403
    for page in ("change", "delete"):
        where = reverse(f"admin:accounts_accountevent_{page}", args=[event.pk])
        assert client.post(where, {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:accounts_accountevent_add")).status_code == 403


def test_the_pages_of_people_open(client, admin):
    for page in (LIST, ADD, "admin:accounts_accountevent_changelist", "admin:index"):
        assert client.get(reverse(page)).status_code == 200
    where = reverse("admin:accounts_user_change", args=[admin.pk])
    assert client.get(where).status_code == 200
    assert client.get(reverse("admin:accounts_user_history", args=[admin.pk])).status_code == 200
    assert client.get(reverse(LIST), {"q": "Ada"}).status_code == 200


def test_groups_cannot_be_edited_behind_the_events(client, admin):
    assert client.get("/admin/auth/group/").status_code == 404


@pytest.mark.parametrize("role", Role)
def test_the_access_log_is_for_the_auditor(client, role):
    client.force_login(person(role))

    answer = client.get(reverse("admin:accounts_accesslogentry_changelist"))
    assert answer.status_code == (200 if role == Role.AUDITOR else 403)


def test_the_auditor_sees_who_opened_a_case_but_not_who_reviews_it(client):
    reviewer = person(Role.REVIEWER, name="Xerxes Secret", email="xerxes@example.org")
    clerk = person(Role.INTAKE, name="Carla Clerk")
    for someone in (reviewer, clerk):
        write_access_entry(by=someone, subject="case", reference="IMR-1", granted=True, at=MONDAY)
    client.force_login(person(Role.AUDITOR))
    listing = reverse("admin:accounts_accesslogentry_changelist")

    page = client.get(listing).content.decode()
    assert "Carla Clerk" in page
    assert "The reviewer" in page
    page = client.get(listing, {"q": "IMR-1"}).content.decode()
    assert "Xerxes" not in page
    assert "xerxes@" not in page
    entry = AccessLogEntry.objects.get(user=reviewer)
    assert (
        client.get(reverse("admin:accounts_accesslogentry_change", args=[entry.pk])).status_code
        == 403
    )
    assert (
        client.get(reverse("admin:accounts_accesslogentry_history", args=[entry.pk])).status_code
        == 403
    )


@pytest.mark.parametrize("lookup", ["user__name__startswith", "user__email", "user", "user_id"])
def test_the_access_log_cannot_be_filtered_by_person(client, lookup):
    reviewer = person(Role.REVIEWER, name="Xerxes Secret")
    write_access_entry(by=reviewer, subject="case", reference="IMR-1", granted=True, at=MONDAY)
    client.force_login(person(Role.AUDITOR))

    answer = client.get(reverse("admin:accounts_accesslogentry_changelist"), {lookup: reviewer.pk})
    assert answer.status_code in {302, 400}


def test_a_search_by_name_does_not_reveal_the_reviewer(client):
    reviewer = person(Role.REVIEWER, name="Xerxes Secret")
    write_access_entry(by=reviewer, subject="case", reference="IMR-1", granted=True, at=MONDAY)
    client.force_login(person(Role.AUDITOR))

    answer = client.get(reverse("admin:accounts_accesslogentry_changelist"), {"q": "Xerxes"})
    assert answer.context["cl"].result_count == 0
