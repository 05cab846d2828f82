"""Submitting a review without JavaScript also saves the text typed since the last save."""

import pytest
from django.urls import reverse

from determinations.models import Review
from tests.determinations.factories import reviewer_of, write_review
from tests.records.factories import in_review

pytestmark = pytest.mark.django_db


def test_typed_text_that_was_not_saved_is_submitted(client):
    assignment = in_review()
    write_review(assignment)
    client.force_login(reviewer_of(assignment))
    draft = assignment.drafts.get(part="summary")
    typed = "The last words, typed a moment before submitting."

    answer = client.post(
        reverse("determinations:submit", args=[assignment.pk]),
        {"part": "summary", "revision": draft.revision, "summary": typed},
    )

    assert answer.status_code == 302
    review = Review.objects.get(assignment=assignment)
    assert (review.state, review.summary) == (Review.State.SUBMITTED, typed)


def test_an_outdated_page_is_refused_and_nothing_is_submitted(client):
    assignment = in_review()
    write_review(assignment)
    client.force_login(reviewer_of(assignment))

    answer = client.post(
        reverse("determinations:submit", args=[assignment.pk]),
        {"part": "summary", "revision": 0, "summary": "From an older page."},
    )

    assert answer.status_code == 409
    assert "From an older page." in answer.content.decode()
    assert Review.objects.get(assignment=assignment).state == Review.State.WRITING
