"""One page explains why a case is where it is, to those who support the office."""

import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AccessLogEntry
from accounts.roles import Role
from cases.services import notes
from jobs.models import JobRun
from maintenance.models import Finding
from tests.determinations.factories import REVIEWED, make_issued_case
from tests.factories import MONDAY, person, received_case

pytestmark = pytest.mark.django_db

MAY_EXPLAIN = {Role.DIRECTOR, Role.SUPERVISOR, Role.AUDITOR}


def explain(client, case, role):
    client.force_login(person(role))
    return client.get(reverse("desk:explain", args=[case.number]))


@pytest.fixture
def troubled():
    """A case on which a job failed and of which the nightly run has found something."""
    case = make_issued_case()
    JobRun.objects.create(
        name="cases.examine_own_organization", scheduled_for=MONDAY, reference=case.number,
        outcome="FAILED", created_at=MONDAY, started_at=MONDAY, ended_at=MONDAY,
        error="The disk is full.",
    )  # fmt: skip
    Finding.objects.create(
        code="letter_not_sent", table="letters_service", row="1", reference=case.number,
        sentence="A letter is ready.", found_at=MONDAY, seen_at=MONDAY,
    )  # fmt: skip
    return case


@pytest.mark.capability("AD-4")
@pytest.mark.parametrize("role", sorted(MAY_EXPLAIN))
def test_the_page_shows_every_part_to_those_who_support_the_office(client, troubled, role):
    answer = explain(client, troubled, role)
    page = answer.content.decode()
    assert answer.status_code == 200
    for title in (
        "Nightly run", "Tasks", "Deadlines", "Letters", "Jobs", "Related cases", "Events",
        "Versions of the case", "Who opened it",
    ):  # fmt: skip
        assert f"<h3>{title}</h3>" in page
    assert "The disk is full." in page
    assert "A letter is ready." in page
    assert "Determination issued" in page
    assert "Determination, regular" in page
    assert "Acts next: Mail room." in page
    assert AccessLogEntry.objects.filter(case_number=troubled.number, granted=True).exists()


def test_a_deadline_is_described_without_loose_commas(client, troubled):
    page = explain(client, troubled, Role.AUDITOR).content.decode()
    notes = re.findall(
        r'<span class="muted small">((?:Satisfied|Active|Replaced)[^<]*)</span>', page
    )
    assert "Satisfied, round 1" in notes
    assert all(
        re.fullmatch(r"\w+, round \d(, internal target \w+ \d+, \d+)?", one) for one in notes
    )


@pytest.mark.parametrize("role", sorted(set(Role) - MAY_EXPLAIN))
def test_others_do_not_open_it(client, role):
    assert explain(client, received_case(), role).status_code in {403, 404}


def test_a_long_history_costs_no_more_queries(client, troubled):
    explain(client, troubled, Role.AUDITOR)
    address = reverse("desk:explain", args=[troubled.number])

    def count():
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    before = count()
    for number in range(20):
        notes.add_note(
            case_id=troubled.pk, text=f"Note {number}", by=person(Role.INTAKE), at=REVIEWED
        )
    assert count() == before
