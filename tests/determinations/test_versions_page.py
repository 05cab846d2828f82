"""The versions of a determination: who wrote what, when, and which words changed."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.roles import PERMISSIONS, Role
from accounts.services import revoke_role
from determinations.services import writing
from tests.factories import person
from tests.records.factories import in_review

from .factories import REVIEWED, make_submitted_case, reviewer_of, save_draft_part

pytestmark = pytest.mark.django_db

READERS = PERMISSIONS["determinations.view_determination"]
SEE_NAMES = PERMISSIONS["reviewers.view_identity"]


@pytest.fixture(scope="module")
def case(module_db):
    """A summary of three versions, then a whole review on top."""
    assignment = in_review()
    by = reviewer_of(assignment)
    writing.open_review(assignment_id=assignment.pk, by=by, at=REVIEWED - timedelta(hours=1))
    for minute, text in enumerate(("Relief for nine days.", "Relief for nine weeks.")):
        at = REVIEWED - timedelta(minutes=10 - minute)
        save_draft_part(assignment, "summary", {"summary": text}, at=at)
        writing.save_version(
            assignment_id=assignment.pk, part="summary", by=by, at=at, why="Left the part"
        )
    return make_submitted_case(assignment)


def page(client, case, role):
    client.force_login(person(role))
    answer = client.get(reverse("determinations:versions", args=[case.number]))
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_changes_stand_side_by_side_with_the_words_marked(client, case):
    shown = page(client, case, Role.QA)

    at = shown.index("Version 3")
    version = shown[at : shown.index("Version 2", at)]
    assert "Relief for nine days." in version
    assert re.search(r"<del[^>]*>days", version)
    assert re.search(r"<ins[^>]*>weeks", version)


def test_every_version_shows_who_when_and_why(client, case):
    name = reviewer_of(case.assignments.get()).name
    shown = " ".join(page(client, case, Role.QA).split())

    assert re.search(rf"Version 3 .*Mar 4, 2026, 8:51 AM PT, {name}: Left the part", shown)
    assert "Submission 1" in shown
    assert "Injection" not in shown or "Item 1" in shown


def test_versions_are_numbered_without_gaps_and_newest_first(client, case):
    shown = page(client, case, Role.QA)
    for part in shown.split("<section class=")[1:]:
        numbers = [int(one) for one in re.findall(r"Version (\d+)", part)]
        assert numbers == list(range(len(numbers), 0, -1))


@pytest.mark.parametrize("role", sorted(READERS - SEE_NAMES))
def test_roles_that_may_not_know_the_reviewer_see_no_name(client, case, role):
    name = reviewer_of(case.assignments.get()).name
    shown = page(client, case, role)

    assert name not in shown
    assert "the reviewer" in shown.lower()


@pytest.mark.parametrize("role", sorted(READERS - SEE_NAMES))
def test_the_name_stays_hidden_after_the_reviewer_has_left(client, case, role):
    reviewer = reviewer_of(case.assignments.get())
    revoke_role(user_id=reviewer.pk, role=Role.REVIEWER, by=None, at=REVIEWED)

    assert reviewer.name not in page(client, case, role)


@pytest.mark.parametrize("role", sorted(READERS & SEE_NAMES))
def test_roles_that_may_know_the_reviewer_see_the_name(client, case, role):
    assert reviewer_of(case.assignments.get()).name in page(client, case, role)


@pytest.mark.parametrize("role", sorted(set(Role) - READERS))
def test_no_one_else_opens_it(client, case, role):
    client.force_login(person(role))
    answer = client.get(reverse("determinations:versions", args=[case.number]))
    assert answer.status_code == 403
