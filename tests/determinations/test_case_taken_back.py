"""A reviewer cannot read a case that was taken back, and loses nothing they typed."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.roles import Role
from determinations.services import writing
from reviewers.services import assignment as assignments
from tests.factories import person
from tests.records.factories import in_review

from . import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def before(client, set_clock):
    """A reviewer, signed in, whose case was taken back after a conflict came up."""
    set_clock(make.REVIEWED)
    assignment = in_review()
    by = make.reviewer_of(assignment)
    writing.open_review(assignment_id=assignment.pk, by=by, at=make.REVIEWED)
    client.force_login(by)
    return assignment


def take_back(assignment):
    assignments.remove_reviewer(
        assignment_id=assignment.pk,
        reason="A conflict came up",
        bar=True,
        by=person(Role.COORDINATOR),
        at=make.REVIEWED + timedelta(minutes=1),
    )


@pytest.mark.parametrize(("page", "method"), [("review_preview", "post"), ("checks", "get")])
def test_the_preview_and_the_checks_are_closed(client, before, page, method):
    url = reverse(f"determinations:{page}", args=[before.pk])
    assert getattr(client, method)(url).status_code in {200, 422}
    take_back(before)

    assert getattr(client, method)(url).status_code == 404


def test_a_refused_save_shows_what_was_typed_and_none_of_the_records(client, before):
    title = before.case.documents.first().title
    url = reverse("determinations:draft", args=[before.pk, "summary"])
    workspace = client.get(reverse("determinations:workspace", args=[before.pk]))
    assert title in workspace.content.decode()
    take_back(before)

    answer = client.post(url, {"summary": "What I had typed", "revision": "0"})

    assert answer.status_code == 422
    assert "What I had typed" in answer.content.decode()
    assert title not in answer.content.decode()


@pytest.mark.capability("RV-8")
def test_text_typed_since_the_last_version_is_kept_unchanged(before):
    make.save_draft_part(
        before, "summary", {"summary": "Typed, not yet a version."}, at=make.REVIEWED
    )
    kept = list(before.drafts.values())

    take_back(before)

    assert list(before.drafts.values()) == kept
    assert [draft["content"] for draft in kept] == [{"summary": "Typed, not yet a version."}]
