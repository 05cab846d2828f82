"""Making people, giving and taking roles, closing accounts: by services, each with its event."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from accounts import services
from accounts.models import AccountEvent, User
from accounts.refusals import NotAllowed
from accounts.roles import Role
from tests.factories import MONDAY, person

pytestmark = pytest.mark.django_db
LATER = MONDAY + timedelta(hours=1)


def list_account_events(user):
    return list(user.account_events.order_by("pk").values_list("kind", "detail"))


def test_a_change_is_an_event_that_never_contains_the_password():
    admin, someone = person(Role.ADMINISTRATOR), person(name="Ann Old", email="old@example.org")
    services.change_person(
        user_id=someone.pk,
        email="new@example.org",
        name="Ann New",
        password="another long secret phrase",
        by=admin,
        at=LATER,
    )

    someone.refresh_from_db()
    assert (someone.name, someone.email) == ("Ann New", "new@example.org")
    assert someone.check_password("another long secret phrase")
    event = someone.account_events.get(kind="CHANGED")
    assert (event.by, event.happened_at) == (admin, LATER)
    assert event.detail == "name, before: Ann Old; email address, before: old@example.org; password"


def test_a_change_of_nothing_is_no_event():
    someone = person(Role.QA)
    before = list_account_events(someone)
    services.change_person(
        user_id=someone.pk, email=someone.email, name=someone.name, by=None, at=LATER
    )

    assert list_account_events(someone) == before


def test_two_people_cannot_share_an_address():
    someone, other = person(email="taken@example.org"), person()
    with pytest.raises(NotAllowed, match="already belongs to a user"):
        services.change_person(
            user_id=other.pk, email="TAKEN@example.org", name="X", by=None, at=LATER
        )
    with pytest.raises(NotAllowed, match="already belongs to a user"):
        services.create_user(
            email=someone.email, name="X", password=None, roles=[], by=None, at=LATER
        )


def test_the_last_administrator_stays_one():
    admin = person(Role.ADMINISTRATOR)
    for act in (
        lambda: services.revoke_role(user_id=admin.pk, role=Role.ADMINISTRATOR, by=admin, at=LATER),
        lambda: services.set_active(user_id=admin.pk, active=False, by=admin, at=LATER),
    ):
        with pytest.raises(NotAllowed, match="last administrator"):
            act()
    closed = person(Role.ADMINISTRATOR)
    services.set_active(user_id=closed.pk, active=False, by=admin, at=LATER)
    with pytest.raises(NotAllowed, match="last administrator"):
        services.revoke_role(user_id=admin.pk, role=Role.ADMINISTRATOR, by=admin, at=LATER)


def test_roles_come_and_go_with_an_event_each():
    admin, someone = person(Role.ADMINISTRATOR), person(Role.INTAKE)
    services.grant_role(user_id=someone.pk, role=Role.QA, by=admin, at=LATER)
    services.grant_role(user_id=someone.pk, role=Role.QA, by=admin, at=LATER)
    services.revoke_role(user_id=someone.pk, role=Role.INTAKE, by=admin, at=LATER)

    someone = User.objects.get(pk=someone.pk)
    assert someone.roles == {Role.QA}
    assert list_account_events(someone)[2:] == [
        ("ROLE_GRANTED", "Quality assurance"),
        ("ROLE_REVOKED", "Intake"),
    ]


def test_users_are_never_deleted():
    with pytest.raises(RuntimeError, match="never deleted"):
        person().delete()


def test_there_is_a_group_for_every_role():
    assert set(Group.objects.values_list("name", flat=True)) == set(Role.values)


def test_a_role_that_was_added_later_gets_its_group_with_the_first_person():
    Group.objects.filter(name=Role.MAILROOM).delete()

    assert person(Role.MAILROOM).roles == {Role.MAILROOM}


def test_the_first_administrator_comes_from_the_command_line(monkeypatch, capsys):
    monkeypatch.setenv("FIRST_PASSWORD", "a phrase that no one guesses")
    call_command(
        "create_first_administrator",
        "chief@example.org",
        "Chris Chief",
        password_from_env="FIRST_PASSWORD",
    )

    chief = User.objects.get(email="chief@example.org")
    assert chief.roles == {Role.ADMINISTRATOR}
    assert chief.check_password("a phrase that no one guesses")
    assert AccountEvent.objects.filter(user=chief, by=None).count() == 2
    assert (
        "Chris Chief is an administrator and can sign in as chief@example.org"
        in capsys.readouterr().out
    )


def test_the_password_can_be_typed_twice(monkeypatch):
    typed = iter(["a phrase that no one guesses", "a phrase that no one guesses"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    call_command("create_first_administrator", "chief@example.org", "Chris Chief")

    assert User.objects.get().check_password("a phrase that no one guesses")


@pytest.mark.parametrize(
    ("email", "password", "says"),
    [
        ("chief@example.org", "short", "too short"),
        ("chief", "a phrase that no one guesses", "valid email"),
        ("chief@example.org", "", "not set in the environment"),
    ],
)
def test_a_weak_beginning_is_refused(monkeypatch, email, password, says):
    monkeypatch.setenv("FIRST_PASSWORD", password)
    with pytest.raises(CommandError, match=says):
        call_command(
            "create_first_administrator", email, "Chris", password_from_env="FIRST_PASSWORD"
        )
    assert not User.objects.exists()


def test_there_is_only_one_first_administrator(monkeypatch):
    person(Role.ADMINISTRATOR)
    monkeypatch.setenv("FIRST_PASSWORD", "a phrase that no one guesses")
    with pytest.raises(CommandError, match="There is an administrator already"):
        call_command(
            "create_first_administrator",
            "chief@example.org",
            "Chris Chief",
            password_from_env="FIRST_PASSWORD",
        )


def test_two_typed_passwords_that_differ_are_refused(monkeypatch):
    typed = iter(["a phrase that no one guesses", "another"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    with pytest.raises(CommandError, match="differ"):
        call_command("create_first_administrator", "chief@example.org", "Chris Chief")
