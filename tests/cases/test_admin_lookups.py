"""Filters of the admin site do not reveal who a reviewer is."""

import pytest
from django.urls import reverse

from accounts.roles import Role
from tests.factories import person
from tests.records.factories import in_review

pytestmark = pytest.mark.django_db

EVENTS = reverse("admin:cases_event_changelist")


@pytest.mark.parametrize("asked", ["by", "by__exact", "by_id", "by__in", "by__isnull"])
def test_events_cannot_be_filtered_by_the_person_who_acted(client, asked):
    assignment = in_review()
    client.force_login(person(Role.AUDITOR))

    answer = client.get(EVENTS, {asked: assignment.reviewer.user_id})

    assert answer.status_code in {302, 400}
    assert assignment.case.number not in answer.content.decode()


def test_the_offered_filters_work(client):
    assignment = in_review()
    client.force_login(person(Role.AUDITOR))

    answer = client.get(EVENTS, {"kind__exact": "REVIEWER_ATTESTED"})

    assert assignment.case.number in answer.content.decode()
    assert client.get(EVENTS, {"happened_at__gte": "2026-01-01 00:00:00-08:00"}).status_code == 200


def test_cases_cannot_be_filtered_by_their_assignments(client):
    assignment = in_review()
    client.force_login(person(Role.AUDITOR))
    cases = reverse("admin:cases_case_changelist")

    for asked in ("assignments", "assignments__reviewer", "candidate_lists"):
        assert client.get(cases, {asked: assignment.pk}).status_code in {302, 400}, asked
