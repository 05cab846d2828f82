"""My day shows what waits on me, and nothing that waits on another reviewer."""

import pytest
from django.urls import reverse

from accounts.roles import Role
from tests.factories import person, received_case
from tests.records.factories import in_review

pytestmark = pytest.mark.django_db

MY_DAY = reverse("desk:my_day")


def test_who_also_reviews_does_not_see_the_cases_of_other_reviewers(client):
    case = in_review().case
    client.force_login(person(Role.REVIEWER, Role.QA))

    answer = client.get(MY_DAY)

    assert answer.status_code == 200
    assert case.number not in answer.content.decode()


def test_who_reviews_and_keeps_guidelines_goes_to_their_own_list(client):
    client.force_login(person(Role.REVIEWER, Role.GUIDELINE_ADMIN))

    assert client.get(MY_DAY)["Location"] == reverse("determinations:my_reviews")


def test_a_coordinator_sees_what_waits_on_coordinators(client):
    case = received_case()
    client.force_login(person(Role.COORDINATOR))

    assert case.number in client.get(MY_DAY).content.decode()
