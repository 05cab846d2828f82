"""One's own roles, a reviewer's password and a lost second factor take two people."""

import getpass
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts import services
from accounts.models import AccountRequest, SignInEvent, User
from accounts.refusals import NotAllowed
from accounts.roles import Role
from tests.factories import MONDAY, person

pytestmark = pytest.mark.django_db

SECRET = "a phrase that no one guesses"
PASSWORD = "correct horse battery staple"
REASON = "New phone; came with an ID card"


@pytest.fixture
def first():
    return person(Role.ADMINISTRATOR, name="Ada Admin", email="ada@example.org")


@pytest.fixture
def second():
    return person(Role.ADMINISTRATOR, name="Bob Admin", email="bob@example.org")


@pytest.fixture
def reviewer():
    return person(Role.REVIEWER, name="Xerxes Secret", email="xerxes@example.org")


def kinds_of(user):
    return list(user.account_events.order_by("pk").values_list("kind", flat=True))


def decide(by, *, confirm=True):
    asked = AccountRequest.objects.get(state="OPEN")
    services.decide_account_request(request_id=asked.pk, confirm=confirm, by=by, at=MONDAY)


def roles_of(user):
    return User.objects.get(pk=user.pk).roles


def grant_oneself(admin):
    services.grant_role(user_id=admin.pk, role=Role.QA, by=admin, at=MONDAY)


def set_password(admin, user, email=""):
    services.change_person(
        user_id=user.pk,
        email=email or user.email,
        name=user.name,
        password="" if email else SECRET,
        by=admin,
        at=MONDAY,
    )


@pytest.mark.every_database
def test_an_administrator_cannot_grant_themselves_a_role(first, second):
    grant_oneself(first)
    assert roles_of(first) == {Role.ADMINISTRATOR}
    assert kinds_of(first)[-1] == "REQUESTED"
    with pytest.raises(NotAllowed, match="second person"):
        decide(first)
    decide(second)
    assert roles_of(first) == {Role.ADMINISTRATOR, Role.QA}
    assert kinds_of(first)[-2:] == ["CONFIRMED", "ROLE_GRANTED"]


def test_the_medical_director_may_be_the_second_person(first, second):
    grant_oneself(first)
    decide(person(Role.DIRECTOR))
    assert Role.QA in roles_of(first)


def test_a_declined_role_is_not_granted(first, second):
    grant_oneself(first)
    decide(second, confirm=False)
    assert roles_of(first) == {Role.ADMINISTRATOR}
    assert kinds_of(first)[-1] == "DECLINED"


def test_a_request_is_decided_once_and_by_those_who_may(first, second):
    grant_oneself(first)
    with pytest.raises(NotAllowed, match="Only administrators"):
        decide(person(Role.COORDINATOR))
    asked = AccountRequest.objects.get()
    decide(second)
    with pytest.raises(NotAllowed, match="already"):
        services.decide_account_request(
            request_id=asked.pk, confirm=True, by=person(Role.DIRECTOR), at=MONDAY
        )


@pytest.mark.every_database
def test_the_database_refuses_a_request_decided_by_who_asked(first, second):
    grant_oneself(first)
    with pytest.raises(IntegrityError), transaction.atomic():
        AccountRequest.objects.update(decided_by=first)


def test_the_only_administrator_acts_alone_and_auditors_see_it(client, first, reviewer):
    grant_oneself(first)
    set_password(first, reviewer)
    assert Role.QA in roles_of(first)
    assert User.objects.get(pk=reviewer.pk).check_password(SECRET)
    assert "ALONE" in kinds_of(first)
    assert "ALONE" in kinds_of(reviewer)
    client.force_login(person(Role.AUDITOR))
    page = client.get(reverse("accounts:changes")).content.decode()
    assert page.count("Changed by the only administrator alone") == 2
    assert "Xerxes" not in page


def test_whoever_deactivates_the_second_administrator_is_not_alone_for_30_days(first, second):
    services.set_active(user_id=second.pk, active=False, by=first, at=MONDAY)
    assert "ALONE" in kinds_of(second)
    grant_oneself(first)
    assert Role.QA not in roles_of(first)
    services.set_active(user_id=second.pk, active=True, by=first, at=MONDAY)
    assert not User.objects.get(pk=second.pk).is_active
    later = MONDAY + timedelta(days=31)
    services.grant_role(user_id=first.pk, role=Role.QA, by=first, at=later)
    assert Role.QA in roles_of(first)


def test_whoever_removes_the_second_administrators_role_is_not_alone_either(first, second):
    services.revoke_role(user_id=second.pk, role=Role.ADMINISTRATOR, by=first, at=MONDAY)
    grant_oneself(first)
    assert Role.QA not in roles_of(first)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.DIRECTOR])
def test_no_administrator_makes_the_second_person_for_their_own_request(first, second, role):
    made = services.create_user(
        email="new@example.org", name="N", password=SECRET, roles=[role], by=first, at=MONDAY
    )
    assert roles_of(made) == set()
    assert not made.has_usable_password()
    for asked in AccountRequest.objects.filter(state="OPEN"):
        with pytest.raises(NotAllowed):
            services.decide_account_request(
                request_id=asked.pk, confirm=True, by=User.objects.get(pk=made.pk), at=MONDAY
            )
    for kind in ("SET_PASSWORD", "GRANT_ROLE"):
        asked = AccountRequest.objects.get(state="OPEN", kind=kind)
        services.decide_account_request(request_id=asked.pk, confirm=True, by=second, at=MONDAY)
    assert roles_of(made) == {role}
    assert User.objects.get(pk=made.pk).check_password(SECRET)


def test_the_first_administrator_makes_the_second_alone_and_auditors_see_it(first):
    made = services.create_user(
        email="new@example.org",
        name="N",
        password=SECRET,
        roles=[Role.ADMINISTRATOR],
        by=first,
        at=MONDAY,
    )
    assert roles_of(made) == {Role.ADMINISTRATOR}
    assert User.objects.get(pk=made.pk).check_password(SECRET)
    assert "ALONE" in kinds_of(made)


@pytest.mark.parametrize(
    ("act", "is_done"),
    [
        (
            lambda user, by: services.revoke_role(
                user_id=user.pk, role=Role.ADMINISTRATOR, by=by, at=MONDAY
            ),
            lambda user: not user.roles,
        ),
        (
            lambda user, by: services.set_active(user_id=user.pk, active=False, by=by, at=MONDAY),
            lambda user: not user.is_active,
        ),
    ],
)
def test_an_administrator_is_removed_by_two_people(first, second, act, is_done):
    third = person(Role.ADMINISTRATOR)
    act(third, first)
    assert not is_done(User.objects.get(pk=third.pk))
    with pytest.raises(NotAllowed, match="your own account"):
        decide(third)
    decide(second)
    assert is_done(User.objects.get(pk=third.pk))


def test_an_administrator_is_reactivated_by_two_people(first, second):
    services.set_active(user_id=second.pk, active=False, by=None, at=MONDAY)
    director = person(Role.DIRECTOR)
    services.set_active(user_id=second.pk, active=True, by=first, at=MONDAY)
    assert not User.objects.get(pk=second.pk).is_active
    decide(director)
    assert User.objects.get(pk=second.pk).is_active


def test_the_password_of_an_administrator_waits_for_a_third_person(first, second):
    set_password(first, second)
    assert User.objects.get(pk=second.pk).check_password(PASSWORD)
    decide(person(Role.DIRECTOR))
    assert User.objects.get(pk=second.pk).check_password(SECRET)


@pytest.mark.parametrize("changed", [False, True])
def test_the_role_of_a_reviewer_voids_a_password_that_someone_else_set(first, second, changed):
    made = services.create_user(
        email="new@example.org", name="N", password=SECRET, roles=[], by=first, at=MONDAY
    )
    if changed:
        # Whoever knows the first password can sign in and change it.
        services.record_sign_in_event(
            kind=SignInEvent.Kind.PASSWORD_CHANGED, by=made, address=None, device="", at=MONDAY
        )
    services.grant_role(user_id=made.pk, role=Role.REVIEWER, by=first, at=MONDAY)
    assert not User.objects.get(pk=made.pk).has_usable_password()
    assert "CHANGED" in kinds_of(made)


def test_a_password_that_the_person_chose_by_email_stays(first, second):
    user = person(Role.INTAKE)
    services.record_sign_in_event(
        kind=SignInEvent.Kind.PASSWORD_RESET, by=user, address=None, device="", at=MONDAY
    )
    services.grant_role(user_id=user.pk, role=Role.REVIEWER, by=first, at=MONDAY)
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)


@pytest.mark.parametrize("is_deactivated", [False, True])
def test_what_someone_asked_for_ends_with_their_role(first, second, reviewer, is_deactivated):
    set_password(first, reviewer)
    if is_deactivated:
        services.set_active(user_id=first.pk, active=False, by=second, at=MONDAY)
    else:
        services.revoke_role(user_id=first.pk, role=Role.ADMINISTRATOR, by=second, at=MONDAY)
    asked = AccountRequest.objects.get()
    assert (asked.state, asked.password_hash) == ("DECLINED", "")
    assert kinds_of(reviewer)[-1] == "DECLINED"
    with pytest.raises(NotAllowed, match="already"):
        services.decide_account_request(request_id=asked.pk, confirm=True, by=second, at=MONDAY)


@pytest.mark.every_database
def test_a_reviewers_password_waits_for_a_second_person(first, second, reviewer):
    set_password(first, reviewer)
    assert User.objects.get(pk=reviewer.pk).check_password(PASSWORD)
    decide(second)
    assert User.objects.get(pk=reviewer.pk).check_password(SECRET)
    assert AccountRequest.objects.get().password_hash == ""
    assert SignInEvent.objects.filter(user=reviewer, kind="PASSWORD_SET").exists()


def test_the_address_to_which_a_new_password_goes_waits_too(first, second, reviewer):
    set_password(first, reviewer, email="mine@example.org")
    assert User.objects.get(pk=reviewer.pk).email == "xerxes@example.org"
    decide(second)
    assert User.objects.get(pk=reviewer.pk).email == "mine@example.org"


def test_a_new_reviewers_password_waits_too(client, first, second):
    client.force_login(first)
    answer = client.post(
        reverse("admin:accounts_user_add"),
        {
            "email": "new@example.org",
            "name": "Nora New",
            "is_active": "on",
            "roles": ["REVIEWER"],
            "new_password": SECRET,
        },
        follow=True,
    )
    made = User.objects.get(email="new@example.org")
    assert not made.has_usable_password()
    assert "Waits for a second administrator" in answer.content.decode()
    decide(second)
    assert User.objects.get(pk=made.pk).check_password(SECRET)


def test_a_change_that_only_waits_is_not_called_done(client, first, second, reviewer):
    client.force_login(first)
    stored = User.objects.get(pk=reviewer.pk)
    typed = {"email": stored.email, "name": stored.name, "is_active": "on", "roles": ["REVIEWER"]}
    address = reverse("admin:accounts_user_change", args=[reviewer.pk])

    waits = client.post(address, typed | {"new_password": SECRET}, follow=True).content.decode()
    assert "Waits for a second administrator" in waits
    assert "was changed successfully" not in waits

    done = client.post(address, typed | {"name": "Nora Newname"}, follow=True).content.decode()
    assert "was changed successfully" in done


def test_asking_again_replaces_the_request(first, second, reviewer):
    set_password(first, reviewer)
    set_password(first, reviewer)
    assert AccountRequest.objects.filter(state="OPEN").count() == 1
    assert AccountRequest.objects.exclude(state="OPEN").get().password_hash == ""


@pytest.fixture
def lost(first):
    user = person(Role.QA, email="lost@example.org")
    Authenticator.objects.create(user=user, type="totp", data={"secret": "x"})
    return user


def has_factor(user):
    return Authenticator.objects.filter(user=user).exists()


def test_a_lost_second_factor_is_reset_by_two_people_on_the_page(client, first, second, lost):
    client.force_login(first)
    client.post(
        reverse("accounts:ask_factor_reset"), {"email": "LOST@example.org", "reason": REASON}
    )
    asked = AccountRequest.objects.get()
    decide_it = reverse("accounts:decide_change", args=[asked.pk])
    assert client.post(decide_it, {"answer": "confirm"}).status_code == 422
    assert has_factor(lost)

    client.force_login(second)
    assert "Confirm</button>" in client.get(reverse("accounts:changes")).content.decode()
    client.post(decide_it, {"answer": "confirm"})
    assert not has_factor(lost)
    assert kinds_of(lost)[-3:] == ["REQUESTED", "CONFIRMED", "FACTOR_RESET"]
    assert SignInEvent.objects.filter(user=lost, kind="FACTOR_RESET").exists()


def test_nobody_asks_for_or_confirms_the_reset_of_their_own(first, second, lost):
    with pytest.raises(NotAllowed, match="Someone else"):
        services.ask_second_factor_reset(user_id=first.pk, reason=REASON, by=first, at=MONDAY)
    services.ask_second_factor_reset(user_id=second.pk, reason=REASON, by=first, at=MONDAY)
    # There is no third person: the first one reset it alone, and auditors see it.
    assert "ALONE" in kinds_of(second)


def test_an_unknown_address_is_refused_with_a_sentence(client, first):
    client.force_login(first)
    answer = client.post(
        reverse("accounts:ask_factor_reset"), {"email": "no@example.org", "reason": REASON}
    )
    assert answer.status_code == 422
    assert "No account has this email address." in answer.content.decode()


@pytest.fixture
def passwords(monkeypatch):
    typed = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: typed.pop(0))
    return typed


def test_the_last_administrator_gets_in_again_with_two_people_at_the_server(first, passwords):
    director = person(Role.DIRECTOR, email="dora@example.org")
    Authenticator.objects.create(user=first, type="totp", data={"secret": "x"})
    passwords += [PASSWORD, PASSWORD]
    call_command(
        "reset_second_factor",
        first.email,
        asked_by=first.email,
        confirmed_by=director.email,
        reason=REASON,
    )
    assert not has_factor(first)
    assert kinds_of(first)[-3:] == ["REQUESTED", "CONFIRMED", "FACTOR_RESET"]


@pytest.mark.parametrize("error", [EOFError(), getpass.GetPassWarning("Password may be echoed.")])
@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("reset_second_factor", "Two people type theirs, so run the command where both"),
        ("create_first_administrator", "--password-from-env"),
    ],
)
def test_a_command_without_a_terminal_says_what_to_do(monkeypatch, command, says, error):
    asker, director = person(Role.QA), person(Role.DIRECTOR)
    arguments = {
        "reset_second_factor": [asker.email],
        "create_first_administrator": ["ada@example.org", "Ada Lindqvist"],
    }[command]
    options = {"asked_by": asker.email, "confirmed_by": director.email, "reason": REASON}

    def ask(prompt):
        raise error

    monkeypatch.setattr("getpass.getpass", ask)
    with pytest.raises(CommandError, match="There is no terminal") as refused:
        call_command(command, *arguments, **(options if command == "reset_second_factor" else {}))
    assert says in str(refused.value)


def test_the_command_refuses_one_person_and_a_wrong_password(first, passwords):
    Authenticator.objects.create(user=first, type="totp", data={"secret": "x"})
    director = person(Role.DIRECTOR, email="dora@example.org")
    for confirmed_by, typed, says in (
        (first, [PASSWORD, PASSWORD], "second person"),
        (director, [PASSWORD, SECRET], "not the password"),
        (person(Role.QA), [PASSWORD, PASSWORD], "Only administrators"),
    ):
        passwords[:] = typed
        with pytest.raises(CommandError, match=says):
            call_command(
                "reset_second_factor",
                first.email,
                asked_by=first.email,
                confirmed_by=confirmed_by.email,
                reason=REASON,
            )
        assert has_factor(first)


@pytest.mark.parametrize(
    ("role", "is_shown"), [(Role.AUDITOR, False), (Role.ADMINISTRATOR, True), (Role.DIRECTOR, True)]
)
def test_the_new_address_of_a_reviewer_is_shown_to_those_who_confirm_it(
    client, first, second, reviewer, role, is_shown
):
    set_password(first, reviewer, email="xerxes.secret@clinic.example.org")
    client.force_login(person(role))
    page = client.get(reverse("accounts:changes")).content.decode()
    assert "account" in page
    assert ("xerxes.secret@" in page) == is_shown


def test_a_reset_is_asked_for_with_a_reason_that_the_second_person_reads(
    client, first, second, lost
):
    client.force_login(first)
    ask = reverse("accounts:ask_factor_reset")
    answer = client.post(ask, {"email": lost.email, "reason": ""})
    assert answer.status_code == 422
    assert not AccountRequest.objects.exists()
    client.post(ask, {"email": lost.email, "reason": REASON})
    assert REASON in lost.account_events.get(kind="REQUESTED").detail
    client.force_login(second)
    assert AccountRequest.objects.get().reason == REASON
    assert f"{REASON}\n    </p>" in client.get(reverse("accounts:changes")).content.decode()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
def test_a_reset_without_a_reason_is_refused_by_the_service(first, second, lost, reason):
    with pytest.raises(NotAllowed, match=r"Enter why|Shorten"):
        services.ask_second_factor_reset(user_id=lost.pk, reason=reason, by=first, at=MONDAY)


def test_those_who_confirm_see_the_name_of_a_reviewer_and_auditors_do_not(
    client, first, second, reviewer
):
    set_password(first, reviewer)
    for reader, is_shown in ((second, True), (person(Role.AUDITOR), False)):
        client.force_login(reader)
        page = client.get(reverse("accounts:changes")).content.decode()
        assert ("for Xerxes Secret" in page) == is_shown
