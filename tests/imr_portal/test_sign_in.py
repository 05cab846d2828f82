"""Signing in: slow for those who guess, the same answer for the known and the unknown."""

import pytest
from django.urls import reverse

from accounts.roles import Role
from tests.factories import person

PASSWORD = "correct horse battery staple"
LOGIN = reverse("account_login")


def try_sign_in(client, email, password, **headers):
    return client.post(LOGIN, {"login": email, "password": password}, headers=headers)


@pytest.fixture
def user(db):
    return person(Role.COORDINATOR)


def test_the_right_password_opens_the_portal(client, user):
    assert try_sign_in(client, user.email, PASSWORD).status_code == 302
    assert client.get(reverse("desk:queue", args=["intake"])).status_code == 200


def test_the_session_gets_a_new_key_at_sign_in(client, user):
    client.get(LOGIN)
    client.session["planted"] = "1"
    before = client.session.session_key

    try_sign_in(client, user.email, PASSWORD)

    assert client.session.session_key != before


def test_after_five_wrong_passwords_the_right_one_has_to_wait(client, user):
    for _ in range(5):
        assert try_sign_in(client, user.email, "wrong").status_code == 200

    assert try_sign_in(client, user.email, PASSWORD).status_code != 302
    assert "_auth_user_id" not in client.session


def test_an_address_that_a_client_claims_for_itself_is_not_believed(client, user):
    answers = [
        try_sign_in(client, f"nobody{n}@example.org", "wrong", **{"X-Forwarded-For": f"10.0.0.{n}"})
        for n in range(32)
    ]

    assert "Too many" in answers[-1].content.decode()


def test_clients_behind_the_proxy_are_identified_by_the_address_it_appended(client, user, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for n in range(12):
        guess = {"X-Forwarded-For": f"1.2.3.{n}, 10.0.0.1"}  # the first part is the client's word
        try_sign_in(client, f"nobody{n}@example.org", "wrong", **guess)

    other = try_sign_in(client, user.email, PASSWORD, **{"X-Forwarded-For": "10.0.0.2"})

    assert other.status_code == 302


def test_the_known_and_the_unknown_get_the_same_answer(client, user):
    def words(answer):
        return answer.context["form"].errors.as_json()

    known = try_sign_in(client, user.email, "wrong")
    unknown = try_sign_in(client, "nobody@example.org", "wrong")

    assert words(known) == words(unknown)
    assert known.status_code == unknown.status_code == 200


def test_an_inactive_user_cannot_sign_in(client, user):
    user.is_active = False
    user.save(update_fields=["is_active"])

    try_sign_in(client, user.email, PASSWORD)

    assert "_auth_user_id" not in client.session
