"""An unreadable request is refused with a sentence and the usual security headers."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.roles import Role
from tests.factories import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(client):
    client.force_login(person(Role.INTAKE))
    return client


def expect_refusal_page(answer, words):
    assert words in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    "address", ["/cases/CM%00/", "/jump/?q=%00ab", "/queues/qa/?after=2026-01-01%00,1"]
)
def test_an_address_with_a_null_character_is_refused(clerk, address):
    answer = clerk.get(address)

    assert answer.status_code == 400
    expect_refusal_page(answer, "could not be read")


def test_a_form_that_is_too_large_is_refused_with_a_sentence(clerk):
    answer = clerk.post(reverse("intake:intake"), {"diagnosis": "x" * 3_000_000})

    # The test client sends fields as multipart, which counts them against the same limit.
    assert answer.status_code == 400
    expect_refusal_page(answer, "Shorten the texts")


def test_too_many_fields_are_refused_with_a_sentence(clerk):
    answer = clerk.post(reverse("intake:intake"), {f"field{n}": "x" for n in range(3_001)})

    assert answer.status_code == 400
    expect_refusal_page(answer, "could not be read")


def test_a_form_opened_before_signing_in_is_refused_with_the_reason():
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person(Role.INTAKE))

    answer = browser.post(reverse("intake:intake"), {"diagnosis": "typed"})

    assert answer.status_code == 403
    expect_refusal_page(answer, "Not saved: your sign-in changed")


@pytest.mark.parametrize("is_signed_in", [True, False])
@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/no/such/page/", 404, "The address may be mistyped"),
        ("/cases/CM26-9999999/", 404, "The address may be mistyped"),
        ("/cases/CM%00/", 400, "could not be read"),
    ],
)
def test_the_demonstration_shows_its_own_pages_of_errors(
    client, settings, is_signed_in, address, status, words
):
    settings.DEBUG, settings.DEMO = True, True
    if is_signed_in:
        client.force_login(person(Role.INTAKE))
    elif "cases" in address and status == 404:
        return  # the sign-in page comes first
    answer = client.get(address)
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert "DEBUG" not in answer.content.decode()
    assert "urlconf" not in answer.content.decode().lower()
