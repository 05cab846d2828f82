"""The complete case file goes to the reviewer; a later record makes what was sent out of date."""

import hashlib
import json
from datetime import timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.models import Event
from deadlines.days import local_day
from records.models import Dispatch
from records.services import dispatch, reading
from tests.factories import MONDAY, person

from .factories import add_record, make_offered_case, new_party, sign_attestation

THEN = MONDAY + timedelta(days=1, hours=2)
LATER = MONDAY + timedelta(days=2)
DAY = local_day(LATER)

pytestmark = pytest.mark.django_db


def dispatch_file(assignment, *, by=None, at=THEN):
    by = by or assignment.reviewer.user
    return dispatch.dispatch_case_file(assignment_id=assignment.pk, by=by, at=at)


def ensure_dispatched(assignment, *, at=LATER):
    by = assignment.reviewer.user
    return dispatch.ensure_case_file_dispatched(assignment_id=assignment.pk, by=by, at=at)


def test_a_dispatch_lists_the_whole_file_by_hash_in_order(under_review):
    sent = dispatch_file(under_review)

    rows = [
        {"document": one.pk, "sha256": one.file.sha256, "first_page": 1, "pages": one.pages}
        for one in under_review.case.documents.order_by("number")
    ]
    assert sent.manifest == rows == dispatch.build_manifest(under_review.case)
    canonical = json.dumps(rows, sort_keys=True, separators=(",", ":")).encode()
    assert sent.manifest_sha256 == hashlib.sha256(canonical).hexdigest()


def test_the_timeline_names_the_seat_and_not_the_person(under_review):
    dispatch_file(under_review)
    event = under_review.case.events.get(kind=Event.Kind.RECORDS_DISPATCHED)
    assert event.by_reviewer_seat == 1
    assert event.sentence == ("Complete case file sent to the reviewer: 2 documents, 5 pages.")


def test_the_timeline_counts_one_document_and_one_page(one_page_under_review):
    dispatch_file(one_page_under_review)
    event = Event.objects.filter(kind=Event.Kind.RECORDS_DISPATCHED).latest("pk")
    assert event.sentence == "Complete case file sent to the reviewer: 1 document, 1 page."


def test_a_record_added_later_makes_the_dispatch_stale_until_it_is_sent_again(under_review):
    dispatch_file(under_review)
    assert dispatch.is_dispatch_current(under_review)

    add_record(under_review.case, at=LATER)
    assert not dispatch.is_dispatch_current(under_review)
    assert dispatch.dispatch_fact(under_review, DAY) is None

    ensure_dispatched(under_review)
    assert dispatch.is_dispatch_current(under_review)
    assert under_review.dispatches.count() == 2


def test_ensuring_a_current_dispatch_sends_nothing_again(under_review):
    first = ensure_dispatched(under_review)
    assert ensure_dispatched(under_review) == first
    assert Dispatch.objects.count() == 1


def test_the_fact_says_since_when_and_what(under_review):
    sent = dispatch_file(under_review)
    fact = dispatch.dispatch_fact(under_review, DAY)
    assert (fact.name, fact.value) == ("case_file_dispatched", sent.manifest_sha256)
    assert fact.valid_from == local_day(THEN)


def test_a_day_before_the_dispatch_has_no_such_fact(under_review):
    dispatch_file(under_review)
    assert dispatch.dispatch_fact(under_review, local_day(THEN) - timedelta(days=1)) is None


def test_nothing_is_sent_before_the_attestation(complete_file):
    assignment = make_offered_case(complete_file)
    with pytest.raises(NotAllowed):
        dispatch_file(assignment, by=person(Role.COORDINATOR))
    assert not Dispatch.objects.exists()


def test_a_new_party_closes_the_file_until_the_reviewer_attests_again(under_review):
    new_party(under_review.case, at=LATER)

    with pytest.raises(NotAllowed, match="has not attested to having no conflict"):
        dispatch_file(under_review, at=LATER)


@pytest.mark.parametrize("role", [Role.QA, Role.DIRECTOR, Role.INTAKE, Role.REVIEWER])
def test_someone_else_does_not_send_the_file(role, under_review):
    with pytest.raises(NotAllowed, match="Your role does not let you send"):
        dispatch_file(under_review, by=person(role))


def test_the_coordinator_may_send_it(under_review):
    assert dispatch_file(under_review, by=person(Role.COORDINATOR)).manifest


def test_the_records_count_as_reviewed_when_every_document_carries_a_mark(under_review):
    first, second = under_review.case.documents.order_by("number")
    user = under_review.reviewer.user
    assert dispatch.records_reviewed_fact(under_review, DAY) is None

    reading.open_page_text(document_id=first.pk, page=1, by=user, at=THEN)
    assert dispatch.records_reviewed_fact(under_review, DAY) is None

    reading.mark_document(
        assignment_id=under_review.pk,
        document_id=second.pk,
        mark="NOT_RELEVANT",
        by=user,
        at=THEN,
    )
    fact = dispatch.records_reviewed_fact(under_review, DAY)
    assert (fact.name, fact.value) == ("records_reviewed", "2 of 2 documents")


def test_a_record_added_later_is_not_reviewed(one_page_under_review):
    document = one_page_under_review.case.documents.get()
    reading.open_page_text(
        document_id=document.pk, page=1, by=one_page_under_review.reviewer.user, at=THEN
    )
    added = add_record(one_page_under_review.case, at=LATER)
    assert dispatch.records_reviewed_fact(one_page_under_review, DAY) is None
    assert reading.list_unopened_documents(one_page_under_review) == [added]


def test_attesting_again_opens_the_file_again(under_review):
    new_party(under_review.case, at=LATER)
    sign_attestation(under_review, at=LATER)

    assert dispatch_file(under_review, at=LATER).manifest
