"""Sign-ins, failures, lock-outs and changes of credentials are on record, and who may read them."""

import re
import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from accounts.models import SignInEvent, User
from accounts.roles import Role
from accounts.services import record_sign_in_event
from accounts.sign_in_log import MOST_FAILURES
from tests.factories import person

pytestmark = pytest.mark.django_db

SIGN_IN = reverse("account_login")
PASSWORD = "correct horse battery staple"
OTHER = "another horse battery staple"
DEVICE = "Mozilla/5.0 (Test) Browser/1"
Kind = SignInEvent.Kind


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def clerk():
    user = person(Role.INTAKE, name="Ben Akande", email="ben@example.org")
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client, email, password, address="198.51.100.7"):
    return client.post(
        SIGN_IN,
        {"login": email, "password": password},
        REMOTE_ADDR=address,
        HTTP_USER_AGENT=DEVICE,
    )


def kinds():
    return list(SignInEvent.objects.order_by("pk").values_list("kind", flat=True))


@pytest.mark.every_database
def test_a_sign_in_is_recorded_with_account_address_and_device(client, clerk):
    assert sign_in(client, clerk.email, PASSWORD).status_code == 302
    event = SignInEvent.objects.get()
    assert (event.kind, event.user, event.account) == (Kind.SIGNED_IN, clerk, clerk.email)
    assert (event.address, event.device) == ("198.51.100.7", DEVICE)


def test_the_address_comes_from_the_trusted_proxy(client, clerk, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    client.post(
        SIGN_IN,
        {"login": clerk.email, "password": PASSWORD},
        REMOTE_ADDR="10.0.0.2",
        HTTP_X_FORWARDED_FOR="6.6.6.6, 198.51.100.9",
    )
    assert SignInEvent.objects.get().address == "198.51.100.9"


def test_a_wrong_password_and_an_unknown_account_are_recorded_and_answered_alike(client, clerk):
    known = sign_in(client, clerk.email, OTHER)
    unknown = sign_in(client, "nobody@example.org", OTHER)
    assert known.status_code == unknown.status_code
    assert [str(e) for e in known.context["form"].non_field_errors()] == [
        str(e) for e in unknown.context["form"].non_field_errors()
    ]
    failed, stranger = SignInEvent.objects.order_by("pk")
    assert (failed.kind, failed.user) == (Kind.FAILED, clerk)
    assert (stranger.kind, stranger.user) == (Kind.UNKNOWN_ACCOUNT, None)
    assert stranger.account == "nobody@example.org"


def test_a_deactivated_account_is_recorded(client, clerk):
    User.objects.filter(pk=clerk.pk).update(is_active=False)
    sign_in(client, clerk.email, PASSWORD)
    assert kinds() == [Kind.INACTIVE]


def test_a_lock_out_is_recorded_and_does_not_hold_at_another_address(client, clerk):
    for _ in range(5):
        sign_in(client, clerk.email, OTHER)
    refused = sign_in(client, clerk.email, PASSWORD)
    assert "_auth_user_id" not in client.session
    assert refused.status_code == 200
    assert kinds()[-1] == Kind.LOCKED_OUT
    sign_in(client, clerk.email, PASSWORD)
    assert kinds().count(Kind.LOCKED_OUT) == 1  # once a minute

    sign_in(client, clerk.email, PASSWORD, address="203.0.113.5")
    assert client.session["_auth_user_id"] == str(clerk.pk)


@pytest.mark.parametrize("email", ["ben@example.org", "nobody@example.org"])
def test_a_lock_out_says_when_to_try_again(client, clerk, email, monkeypatch):
    begun = timezone.now()
    for _ in range(6):
        page = sign_in(client, email, OTHER).content.decode()
    (said,) = re.findall(r"Too many attempts. Try again at (\d+:\d\d [AP]M) PT", page)
    until = timezone.localtime(begun + timedelta(minutes=5))
    possible = {f"{one:%I:%M %p}".lstrip("0") for one in (until, until + timedelta(minutes=1))}
    assert said in possible
    # At that moment the right password opens the account.
    later = time.time() + 6 * 60
    monkeypatch.setattr("allauth.core.internal.ratelimit.time.time", lambda: later)
    if email == clerk.email:
        assert sign_in(client, email, PASSWORD).status_code == 302


def test_a_lock_out_of_a_second_factor_says_when_to_try_again(client, clerk, settings):
    TOTP.activate(clerk, "JBSWY3DPEHPK3PXP")
    assert sign_in(client, clerk.email, PASSWORD).status_code == 302
    for _ in range(6):
        page = client.post(reverse("mfa_authenticate"), {"code": "000000"}).content.decode()
    assert re.search(r"Too many attempts. Try again at \d+:\d\d [AP]M PT", page)


def test_guessing_from_many_addresses_ends_and_the_owner_still_gets_in(client, clerk):
    def record(kind, address):
        record_sign_in_event(
            kind=kind,
            by=clerk,
            address=address,
            device="",
            at=timezone.now() - timedelta(minutes=9),
        )

    record(Kind.SIGNED_IN, "198.51.100.7")
    for n in range(MOST_FAILURES):
        record(Kind.FAILED, f"203.0.113.{n}")

    refused = sign_in(client, clerk.email, PASSWORD, address="203.0.113.200")
    assert kinds()[-1] == Kind.LOCKED_OUT
    until = timezone.localtime(timezone.now() + timedelta(minutes=51))
    possible = {f"{until - timedelta(minutes=n):%I:%M %p}".lstrip("0") for n in range(-1, 2)}
    assert any(f"Try again at {one} PT" in refused.content.decode() for one in possible)
    sign_in(client, clerk.email, PASSWORD, address="198.51.100.7")
    assert kinds()[-1] == Kind.SIGNED_IN


def test_many_people_behind_one_address_sign_in_within_a_minute(client, clerk):
    for _ in range(60):
        assert sign_in(client, clerk.email, PASSWORD).status_code == 302
        client.logout()


def test_too_many_requests_from_an_address_are_recorded(client, clerk, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip", "login_failed": "30/m/ip,5/300s/key"}
    sign_in(client, clerk.email, OTHER)
    refused = sign_in(client, clerk.email, OTHER)
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert "Wait a minute, then go back and" in refused.content.decode()
    assert kinds()[-1] == Kind.LOCKED_OUT


@pytest.mark.parametrize("way_out", ["account_logout", "admin:logout"])
def test_signing_out_is_recorded(client, way_out):
    client.force_login(person(Role.ADMINISTRATOR))
    client.post(reverse(way_out))
    assert kinds() == [Kind.SIGNED_OUT]
    assert "_auth_user_id" not in client.session


def test_the_end_of_a_session_is_recorded(client, clerk, settings):
    client.force_login(clerk)
    client.get("/")
    session = client.session
    session["seen_at"] -= settings.SESSION_IDLE_SECONDS + 10
    session.save()
    assert client.get("/").status_code == 302
    assert kinds() == [Kind.SESSION_ENDED]


def test_a_changed_password_is_recorded(client, clerk):
    client.force_login(clerk)
    client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER},
    )
    assert User.objects.get(pk=clerk.pk).check_password(OTHER)
    assert kinds() == [Kind.PASSWORD_CHANGED]


def test_a_reset_is_recorded_when_asked_for_and_when_done(client, clerk, mailoutbox):
    reset = reverse("account_reset_password")
    client.post(reset, {"email": "nobody@example.org"})
    client.post(reset, {"email": clerk.email})
    link = next(word for word in mailoutbox[-1].body.split() if "reset/key" in word)
    page = client.get(link, follow=True)
    client.post(page.request["PATH_INFO"], {"password1": OTHER, "password2": OTHER})
    assert User.objects.get(pk=clerk.pk).check_password(OTHER)
    assert kinds() == [Kind.RESET_REQUESTED, Kind.RESET_REQUESTED, Kind.PASSWORD_RESET]


def code_for(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_second_factors_added_used_failed_and_removed_are_recorded(
    client, clerk, django_capture_on_commit_callbacks
):
    sign_in(client, clerk.email, PASSWORD)
    asked = client.get(reverse("mfa_activate_totp"), follow=True)
    if asked.redirect_chain:
        client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
        assert kinds()[-1] == Kind.CONFIRMED
        client.get(reverse("mfa_activate_totp"))
    secret = client.session["mfa.totp.secret"]
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("mfa_activate_totp"), {"code": code_for(secret)})
    assert Authenticator.objects.filter(user=clerk, type="totp").exists()
    assert kinds()[-2:] == [Kind.FACTOR_ADDED, Kind.CODES_MADE]

    client.logout()
    sign_in(client, clerk.email, PASSWORD)
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert kinds()[-1] == Kind.FACTOR_FAILED
    codes = RecoveryCodes(Authenticator.objects.get(user=clerk, type="recovery_codes"))
    client.post(reverse("mfa_authenticate"), {"code": codes.get_unused_codes()[0]})
    assert kinds()[-2:] == [Kind.CODE_USED, Kind.SIGNED_IN]
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("mfa_deactivate_totp"))
    assert Kind.FACTOR_REMOVED in kinds()


def test_a_person_sees_their_own_sign_ins_alone(client, clerk):
    other = person(Role.QA)
    for user, address in ((clerk, "198.51.100.7"), (other, "203.0.113.5")):
        record_sign_in_event(
            kind=Kind.SIGNED_IN, by=user, address=address, device=DEVICE, at=timezone.now()
        )
    client.force_login(clerk)
    page = client.get(reverse("accounts:my_sign_ins")).content.decode()
    assert "198.51.100.7" in page
    assert DEVICE in page
    assert "203.0.113.5" not in page


def test_the_auditor_filters_by_person_kind_and_day_and_reads_no_reviewers_name(client, clerk):
    reviewer = person(Role.REVIEWER, name="Xerxes Secret", email="xerxes@example.org")
    for user, kind in ((clerk, Kind.SIGNED_IN), (reviewer, Kind.FAILED), (None, Kind.LOCKED_OUT)):
        record_sign_in_event(
            kind=kind,
            by=user,
            account="" if user else "nobody@example.org",
            address="198.51.100.7",
            device=DEVICE,
            at=timezone.now(),
        )
    client.force_login(person(Role.AUDITOR))

    def page(**query):
        return client.get(reverse("accounts:sign_ins"), query).content.decode()

    assert "<b>Ben Akande</b>" in page()
    assert "<b>The reviewer</b>" in page()
    assert "<b>nobody@example.org</b>" in page()
    assert "Xerxes" not in page()
    assert "xerxes@" not in page()
    assert '<span class="tag over">Wrong password</span>' in page(kind="failures")
    assert "<b>Ben Akande</b>" not in page(kind="failures")
    assert "<b>The reviewer</b>" not in page(person=clerk.pk)
    assert "<b>The reviewer</b>" in page(person="reviewers")
    assert "<b>The reviewer</b>" not in page(person=reviewer.pk, kind="SIGNED_IN")
    assert "Nothing is recorded." in page(day="2020-01-01")


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("garbage", "This is not a day."),
        ("2026-13-45", "This is not a day."),
        ("9999-12-31", "12/31/9999 has not come yet."),
        ("0001-01-01", "is before any sign-in."),
    ],
)
def test_a_day_that_cannot_be_is_refused_beside_the_field(client, day, says):
    client.force_login(person(Role.AUDITOR))
    answer = client.get(reverse("accounts:sign_ins"), {"day": day})
    assert answer.status_code == 422
    _, _, beside = answer.content.decode().partition('id="of_day_error">')
    assert says in beside[:100]


def test_a_device_is_named_and_what_the_browser_sent_is_there_too(client, clerk):
    agent = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 <b>Safari</b>"
    client.post(SIGN_IN, {"login": clerk.email, "password": PASSWORD}, HTTP_USER_AGENT=agent)
    for url in (reverse("accounts:my_sign_ins"), reverse("accounts:sign_ins")):
        page = client.get(url).content.decode()
        assert "<summary>Chrome on Windows</summary>" in page
        assert "&lt;b&gt;Safari" in page
        client.force_login(person(Role.AUDITOR))


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.AUDITOR}))
def test_only_the_auditor_reads_the_sign_ins_of_others(client, role):
    client.force_login(person(role))
    assert client.get(reverse("accounts:sign_ins")).status_code == 403
