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


def says(answer, words):
    assert words in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    "address", ["/cases/CM%00/", "/jump/?q=%00ab", "/queues/qa/?after=2026-01-01%00,1"]
)
def test_an_address_with_a_null_character_is_refused(clerk, address):
    answer = clerk.get(address)

    assert answer.status_code == 400
    says(answer, "could not be read")


def test_a_form_that_is_too_large_is_refused_with_a_sentence(clerk):
    answer = clerk.post(reverse("intake:intake"), {"diagnosis": "x" * 3_000_000})

    # The test client sends fields as multipart, which counts them against the same limit.
    assert answer.status_code == 400
    says(answer, "Shorten the texts")


def test_too_many_fields_are_refused_with_a_sentence(clerk):
    answer = clerk.post(reverse("intake:intake"), {f"field{n}": "x" for n in range(3_001)})

    assert answer.status_code == 400
    says(answer, "could not be read")


def test_a_form_opened_before_signing_in_is_refused_with_the_reason():
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person(Role.INTAKE))

    answer = browser.post(reverse("intake:intake"), {"diagnosis": "typed"})

    assert answer.status_code == 403
    says(answer, "You were signed out. Sign in to continue; your text is kept.")
