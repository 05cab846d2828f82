"""Every request passes the same requirement.

Signed in, second factor, audience; and nothing is kept.
"""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.roles import Role
from imr_portal import audiences
from tests.factories import MONDAY, person
from tests.test_urls import routes

HTMX = {"HX-Request": "true"}
QUEUES = reverse("desk:queue", args=["intake"])


@pytest.fixture
def signed_in(client, db):
    """Sign a person of some roles in and give back the client."""

    def sign_in(*roles):
        client.force_login(person(*roles))
        return client

    return sign_in


def addresses():
    """One address for every route of ours; arguments that exist nowhere."""
    stand_ins = {"int": "1", "slug": "x", "uuid": "1" * 8 + "-1111-1111-1111-" + "1" * 12}
    for name, pattern in routes():
        if audiences.audience_of(name) is audiences.PUBLIC:
            continue
        if any(name.startswith(beginning) for beginning, _ in audiences.PREFIXES):
            continue
        words = {
            key: stand_ins.get(type(converter).__name__.removesuffix("Converter").lower(), "x")
            for key, converter in pattern.pattern.converters.items()
        }
        yield name, reverse(name, kwargs=words)


ADDRESSES = dict(addresses())


@pytest.mark.django_db
@pytest.mark.parametrize("route", ADDRESSES)
def test_no_one_reads_a_page_without_signing_in(client, route):
    for answer in (client.get(ADDRESSES[route]), client.post(ADDRESSES[route])):
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.django_db
@pytest.mark.parametrize("route", ADDRESSES)
def test_a_role_without_the_permission_is_refused_with_the_same_page(signed_in, route):
    audience = audiences.audience_of(route)
    outsiders = [role for role in Role if not _opens_to(audience, role)]
    if not outsiders:
        return  # everyone who has signed in may open it
    client = signed_in(outsiders[0])

    refused = [client.get(ADDRESSES[route]), client.post(ADDRESSES[route])]

    assert {answer.status_code for answer in refused} == {403}
    assert {_words(answer) for answer in refused} == {_refusal(client)}


def _words(answer):
    """A page without the tokens that are new on every page."""
    return re.sub(rb'(name="csrfmiddlewaretoken" value=")[^"]+', rb"\1", answer.content)


def _opens_to(audience, role):
    class Holder:
        is_staff = role in {Role.ADMINISTRATOR, Role.GUIDELINE_ADMIN, Role.CREDENTIALING,
                            Role.DIRECTOR, Role.AUDITOR}  # fmt: skip

        def may(self, permission):
            return role in audiences.PERMISSIONS[permission]

    return audiences.is_admitted(audience, Holder())


def _refusal(client):
    """What the page of refusal says to this person."""
    hidden = next(
        address
        for name, address in ADDRESSES.items()
        if not audiences.is_admitted(
            audiences.audience_of(name), client.get(reverse("version")).wsgi_request.user
        )
    )
    return _words(client.get(hidden))


def test_a_fragment_after_the_session_ended_says_so_and_swaps_nothing(client, db):
    answer = client.get(QUEUES, headers=HTMX)

    assert answer.status_code == 401
    assert answer["HX-Trigger"] == "session-ended"
    assert "Sign in again" in answer.content.decode()


def test_after_signing_in_one_returns_to_the_form_and_not_to_its_post_address(client, db):
    answer = client.post(
        "/cases/CM14-0000001/note/", headers={"Referer": "http://testserver/cases/CM14-0000001/"}
    )
    assert answer["Location"].endswith("?next=/cases/CM14-0000001/")

    elsewhere = client.post(
        "/cases/CM14-0000001/note/", headers={"Referer": "https://evil.example/"}
    )
    assert elsewhere["Location"].endswith("?next=/")


def test_an_unknown_route_is_not_served_even_to_a_user_with_every_role(signed_in, monkeypatch):
    client = signed_in(*Role)
    assert client.get(QUEUES).status_code == 200
    monkeypatch.delitem(audiences.AUDIENCES, "desk:queue")

    assert client.get(QUEUES).status_code == 404


# --- second factor -------------------------------------------------------------------------------


def test_without_a_second_factor_only_its_setting_up_is_open(signed_in, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client = signed_in(Role.COORDINATOR)

    assert client.get(QUEUES)["Location"] == reverse("mfa_index")
    fragment = client.get(QUEUES, headers=HTMX)
    assert (fragment.status_code, fragment["HX-Redirect"]) == (401, reverse("mfa_index"))
    assert client.get(reverse("mfa_index")).status_code == 200


def test_with_a_second_factor_the_portal_opens(signed_in, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client = signed_in(Role.COORDINATOR)
    user = client.get(reverse("version")).wsgi_request.user
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})

    assert client.get(QUEUES).status_code == 200


def test_recovery_codes_alone_are_no_second_factor(signed_in, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client = signed_in(Role.COORDINATOR)
    user = client.get(reverse("version")).wsgi_request.user
    Authenticator.objects.create(user=user, type=Authenticator.Type.RECOVERY_CODES, data={})

    assert client.get(QUEUES)["Location"] == reverse("mfa_index")


# --- the session's limits ------------------------------------------------------------------------


def test_a_session_ends_when_no_one_has_used_it_for_an_hour(signed_in, settings):
    with time_machine.travel(MONDAY, tick=False) as deadline_kind:
        client = signed_in(Role.COORDINATOR)
        assert client.get(QUEUES).status_code == 200
        deadline_kind.shift(settings.SESSION_IDLE_SECONDS)
        assert client.get(QUEUES).status_code == 200

        deadline_kind.shift(settings.SESSION_IDLE_SECONDS + 1)

        assert client.get(QUEUES).status_code == 302


def test_a_session_in_use_ends_after_twelve_hours(signed_in, settings):
    with time_machine.travel(MONDAY, tick=False) as deadline_kind:
        client = signed_in(Role.COORDINATOR)
        for _ in range(24):
            assert client.get(QUEUES).status_code == 200
            deadline_kind.shift(timedelta(minutes=30))

        deadline_kind.shift(1)

        assert client.get(QUEUES).status_code == 302


def test_a_page_that_only_asks_for_news_does_not_keep_a_session_alive(
    signed_in, settings, monkeypatch
):
    monkeypatch.setattr("imr_portal.middleware.POLLED", {"desk:queue"})
    with time_machine.travel(MONDAY, tick=False) as deadline_kind:
        client = signed_in(Role.COORDINATOR)
        assert client.get(QUEUES).status_code == 200
        for _ in range(12):
            deadline_kind.shift(settings.SESSION_IDLE_SECONDS // 12)
            assert client.get(QUEUES).status_code == 200

        deadline_kind.shift(1)

        assert client.get(QUEUES).status_code == 302


def test_a_removed_role_takes_effect_at_the_next_request(signed_in):
    from accounts.services import revoke_role, set_active

    client = signed_in(Role.COORDINATOR)
    user = client.get(QUEUES).wsgi_request.user
    revoke_role(user_id=user.pk, role=Role.COORDINATOR, by=None, at=MONDAY)
    assert client.get(QUEUES).status_code == 403

    set_active(user_id=user.pk, active=False, by=None, at=MONDAY)
    assert client.get(QUEUES).status_code == 302


# --- nothing is kept by browsers -----------------------------------------------------------------


def test_no_answer_may_be_kept_by_a_browser(signed_in):
    client = signed_in(Role.COORDINATOR)

    for path in (QUEUES, "/nothing-here/", "/livez", reverse("determinations:issue", args=["x"])):
        answer = client.get(path)
        assert answer["Cache-Control"] == "no-store", path
        assert "HX-Request" in answer["Vary"], path
        assert answer["X-Content-Type-Options"] == "nosniff", path


def test_a_view_cannot_loosen_it(rf):
    from django.http import HttpResponse

    from imr_portal.middleware import NoStoreMiddleware

    def loose(request):
        return HttpResponse(headers={"Cache-Control": "public, max-age=600"})

    request = rf.get("/")
    request.resolver_match = None
    assert NoStoreMiddleware(loose)(request)["Cache-Control"] == "no-store"


def test_signing_out_clears_the_browser_storage(signed_in):
    client = signed_in(Role.COORDINATOR)

    answer = client.post(reverse("account_logout"))

    assert answer["Clear-Site-Data"] == '"cache", "storage"'


def test_no_page_carries_an_unsafe_policy(signed_in):
    policy = signed_in(Role.COORDINATOR).get(QUEUES)["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_form_from_elsewhere_is_refused(db):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person(Role.COORDINATOR))

    answer = client.post("/cases/CM14-0000001/note/", {"text": "They <called>"})

    # Another site may have sent it: the text can be copied and is not offered to be sent again.
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "They &lt;called&gt;" in page
    assert "/note/" not in page


def test_a_refused_sign_in_form_shows_no_password(db):
    sent = {"login": "a@example.org", "password": "correct horse battery staple"}
    answer = Client(enforce_csrf_checks=True).post(reverse("account_login"), sent)

    assert answer.status_code == 403
    assert "battery" not in answer.content.decode()


def test_sign_up_is_closed(client, db):
    from accounts.models import User

    page = client.get(reverse("account_signup"))
    sent = client.post(
        reverse("account_signup"),
        {
            "email": "new@example.org",
            "password1": "a long pass phrase",
            "password2": "a long pass phrase",
        },  # noqa: E501
    )

    assert page.status_code == 200
    assert "sign" in page.content.decode().lower()
    assert sent.status_code == 200
    assert not User.objects.filter(email="new@example.org").exists()


def test_the_urlconf_is_the_one_that_is_enforced():
    assert get_resolver().urlconf_name == "imr_portal.urls"
