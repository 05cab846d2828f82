"""Signing in, and the pages of the sign-in library that are closed."""

import re

import pytest
from allauth.account.adapter import get_adapter
from allauth.mfa.adapter import get_adapter as mfa_adapter
from allauth.mfa.models import Authenticator
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from imr_portal.audiences import CLOSED_PAGES
from tests.factories import person

pytestmark = pytest.mark.django_db

RESET = reverse("account_reset_password")


@pytest.fixture
def no_mail_server(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # no one listens on discard


def test_a_forgotten_password_gets_the_same_answer_without_a_mail_server(client, no_mail_server):
    someone = person(Role.INTAKE)

    known = client.post(RESET, {"email": someone.email})
    unknown = client.post(RESET, {"email": "nobody@example.org"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert known.status_code == 302


def test_no_one_changes_their_own_email_address(client):
    someone = person(Role.INTAKE)
    client.force_login(someone)

    answer = client.post(
        reverse("account_email"), {"email": "other@example.org", "action_add": "1"}
    )

    assert answer.status_code == 404
    assert User.objects.get(pk=someone.pk).email == someone.email


@pytest.mark.parametrize("route", sorted(CLOSED_PAGES))
def test_closed_pages_are_not_found(client, route):
    client.force_login(person(Role.ADMINISTRATOR))
    args = ["a-key"] if route == "account_confirm_email" else []

    assert client.get(reverse(route, args=args)).status_code == 404


def test_rate_limits_count_by_the_client_address_from_the_proxy(rf, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    seen = get_adapter().get_client_ip(
        rf.get("/", HTTP_X_FORWARDED_FOR="6.6.6.6, 198.51.100.7", REMOTE_ADDR="10.0.0.2")
    )

    assert seen == "198.51.100.7"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("route", "args", "next_step"),
    [
        ("account_inactive", (), "Sign in with another account"),
        ("account_signup", (), "Sign in"),
        ("account_reset_password_from_key", ("1", "used-up"), "Request a new link"),
        ("account_reset_password_from_key_done", (), "Sign in"),
    ],
)
def test_a_page_of_the_sign_in_library_offers_the_next_step(client, route, args, next_step):
    page = client.get(reverse(route, args=args), follow=True).content.decode()

    assert f">{next_step}</a>" in page
    assert not re.search("Sign Up|Bad Token|Inactive|Password</h1>", page)


@pytest.mark.django_db
def test_the_fields_of_a_new_password_are_named_as_our_own_fields(client):
    client.force_login(person(Role.INTAKE))

    page = client.get(reverse("account_change_password")).content.decode()

    for label in ("Current password", "New password", "New password again"):
        assert label in page
    assert "New Password" not in page


@pytest.mark.django_db
def test_a_key_is_named_by_its_number():
    user = person(Role.INTAKE)
    kind = Authenticator.Type.WEBAUTHN
    adapter = mfa_adapter()

    assert adapter.generate_authenticator_name(user, kind) == "Key 1"
    Authenticator.objects.create(user=user, type=kind, data={})
    assert adapter.generate_authenticator_name(user, kind) == "Key 2"
