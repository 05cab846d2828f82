"""A reviewer who declined a case no longer sees its parties and treatments."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import User
from reviewers.services import assignment as assignments
from tests.factories import MONDAY

from .factories import offered_case

pytestmark = pytest.mark.django_db


def test_a_declined_case_shows_no_parties_and_treatments(client, set_clock):
    later = MONDAY + timedelta(days=2)
    set_clock(later)
    held = offered_case()
    reviewer = User.objects.get(reviewer__assignments=held)
    client.force_login(reviewer)
    page = reverse("reviewers:attest", args=[held.pk])
    secrets = [held.case.parties.get(role="EMPLOYEE").name, held.case.items.get().title]
    before = client.get(page).content.decode()
    assert all(words in before for words in secrets)

    assignments.decline_assignment(
        assignment_id=held.pk, reason="On holiday", by=reviewer, at=later
    )

    after = client.get(page)
    assert after.status_code == 200
    assert "no longer offered to you" in after.content.decode()
    assert not [words for words in secrets if words in after.content.decode()]
