"""A reviewer's own list, theirs alone, with what each case asks; and how their work went."""

from datetime import date, timedelta

import pytest

from accounts.roles import Role
from cases.models import Case
from determinations.dashboard import list_review_cards
from determinations.record import load_reviewer_record
from determinations.services import quality, writing
from reviewers.services import assignment as assignments
from tests.determinations.factories import (
    REVIEWED,
    make_approved_case,
    make_issued_case,
    make_submitted_case,
    reviewer_of,
    write_review,
)
from tests.determinations.test_several_reviewers import panel_of
from tests.factories import person
from tests.records.factories import case_with_records, in_review, make_offered_case
from tests.reviewers.factories import fit_reviewer

pytestmark = pytest.mark.django_db

YEAR = {"first": date(2026, 1, 1), "last": date(2026, 12, 31)}


def page(client, user):
    client.force_login(user)
    return client.get("/reviews/").content.decode()


def test_a_card_shows_pages_items_reading_time_and_progress(client):
    held = in_review(pages=(200, 40))
    text = page(client, reviewer_of(held))
    assert "0 of 1 item decided" in text
    assert "240 pages of records" in text
    assert "2 documents not opened yet" in text

    write_review(held)
    writing.save_version(
        assignment_id=held.pk, part=f"item-{held.opinions.get().item_id}",
        by=reviewer_of(held), at=REVIEWED, why="Left",
    )  # fmt: skip
    text = page(client, reviewer_of(held))
    assert "1 of 1 item decided" in text
    assert "not opened yet" not in text


def test_an_offer_shows_the_estimated_reading_time(client):
    held = make_offered_case(case_with_records(pages=(200, 40)))
    text = page(client, held.reviewer.user)
    assert "1 item, 240 pages of records, about 2 hours of reading" in " ".join(text.split())


def test_no_one_sees_the_cases_of_another_reviewer(client):
    held = in_review()
    other = fit_reviewer()
    assert held.case.number in page(client, reviewer_of(held))
    assert held.case.number not in page(client, other.user)


def test_a_reviewer_who_has_submitted_sees_that_another_reviewer_is_awaited(client):
    one, two = panel_of(2)
    for assignment in (one, two):
        write_review(assignment)
    writing.submit_review(assignment_id=one.pk, by=reviewer_of(one), at=REVIEWED)

    text = page(client, reviewer_of(one))
    assert "Waiting for 1 other reviewer." in text
    assert "Open review" not in text
    client.force_login(reviewer_of(one))
    answer = client.get(f"/reviews/{one.pk}/", follow=True)
    assert "It waits for reviewer 2" in answer.content.decode()
    assert "Open review" in page(client, reviewer_of(two))


def test_the_list_costs_the_same_for_many_cases(django_assert_max_num_queries):
    reviewer = fit_reviewer(capacity=9)
    for _ in range(2):
        assignments_of(reviewer)
    with django_assert_max_num_queries(9):
        assert len(list_review_cards(reviewer.user)) == 2


def assignments_of(reviewer):
    from tests.reviewers.factories import offered_case, sign_attestation

    return sign_attestation(
        offered_case(case=case_with_records(), reviewer=reviewer, at=REVIEWED),
        at=REVIEWED + timedelta(minutes=1),
    )


@pytest.mark.capability("RP-6")
def test_the_record_counts_turnaround_returns_and_declined_cases(client):
    held = in_review()
    case = make_submitted_case(held)
    qa = person(Role.QA)
    quality.return_review(
        case_id=case.pk, comment="Name the level.", item_id=None, seen_version=None, by=qa,
        at=REVIEWED,
    )  # fmt: skip
    writing.submit_review(assignment_id=held.pk, by=reviewer_of(held), at=REVIEWED)
    make_issued_case(make_approved_case(Case.objects.get(pk=case.pk)))
    given_back = make_offered_case(case_with_records())
    assignments.decline_assignment(
        assignment_id=given_back.pk, reason="On call", by=given_back.reviewer.user, at=REVIEWED
    )

    qa = person(Role.QA)
    record = load_reviewer_record(held.reviewer, **YEAR, reader=qa)
    assert (record.finished, record.returned, record.late, record.declined) == (1, 1, 0, 0)
    assert record.median_days == 1
    assert [one.comment for one in record.findings] == ["Name the level."]
    assert load_reviewer_record(given_back.reviewer, **YEAR, reader=qa).declined == 1
    day = date(2026, 3, 4)  # of the issue and of the decline
    for reviewer, count in ((held.reviewer, "finished"), (given_back.reviewer, "declined")):
        on_that_day = load_reviewer_record(reviewer, first=day, last=day, reader=qa)
        before = load_reviewer_record(
            reviewer, first=date(2025, 1, 1), last=day - timedelta(days=1), reader=qa
        )
        after = load_reviewer_record(
            reviewer, first=day + timedelta(days=1), last=date(2026, 12, 31), reader=qa
        )
        counts = [getattr(record, count) for record in (before, on_that_day, after)]
        assert counts == [0, 1, 0], count

    client.force_login(qa)
    address = f"/reviewers/{held.reviewer.code}/record/"
    text = client.get(address, {"first": "01/01/2026", "last": "12/31/2026"}).content.decode()
    assert "Name the level." in text
    assert "Too few reviews to show percentages." in text
    refused = client.get(address, {"first": "12/31/2026", "last": "01/01/2026"})
    assert refused.status_code == 422
    assert "ends before it begins" in refused.content.decode()


def test_a_review_decided_after_its_day_counts_as_late():
    from cases.models import Deadline

    held = in_review()
    case = make_issued_case(make_approved_case(make_submitted_case(held)))
    row = Deadline.objects.get(case=case, deadline_kind="determination_regular", replaced_at=None)
    row.due_on = case.decided_on - timedelta(days=1)
    row.store(by=None, at=REVIEWED, fields=["due_on"])

    assert load_reviewer_record(held.reviewer, **YEAR, reader=person(Role.QA)).late == 1


@pytest.mark.parametrize("role", [Role.INTAKE, Role.REVIEWER, Role.AUDITOR, Role.CREDENTIALING])
def test_the_record_opens_only_for_roles_responsible_for_quality(client, role):
    reviewer = fit_reviewer()
    client.force_login(person(role))
    assert client.get(f"/reviewers/{reviewer.code}/record/").status_code in {403, 404}
