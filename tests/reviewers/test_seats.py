"""More than one reviewer on a case: only with the approval on file, one seat at a time."""

from datetime import date, timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from cases.lifecycle import Status
from cases.models import Event
from reviewers import policies
from reviewers.models import ReviewerAssignment, SeatApproval
from reviewers.models.assignment import count_seats, list_free_seats
from reviewers.services import assignment as assignments
from reviewers.services import seats as seat_services
from tests.factories import MONDAY, person
from tests.reviewers.factories import (
    fit_reviewer,
    offered_case,
    rank_panel,
    ready_case,
    sign_attestation,
)

NOON = MONDAY + timedelta(hours=4)
LATER = MONDAY + timedelta(hours=6)

pytestmark = pytest.mark.django_db


def approve_seats(case, *, seat_count=2, by=None, at=NOON, **changes):
    fields = {
        "approved_by": "R. Alvarado, Medical Unit",
        "approved_on": date(2026, 3, 2),
        "reference": "DWC 26-0114",
        "reason": "Spine surgery with a cardiac condition",
    } | changes
    return seat_services.approve_reviewer_seats(
        case_id=case.pk, seat_count=seat_count, by=by or person(Role.COORDINATOR), at=at, **fields
    )


def assign_reviewer(case, reviewer=None, *, by=None, at=NOON, seen_version=None):
    by = by or person(Role.COORDINATOR)
    reviewer = reviewer or fit_reviewer()
    return assignments.assign_reviewer(
        case_id=case.pk,
        reviewer_id=reviewer.pk,
        candidate_list_id=rank_panel(case, by=by, at=at).pk,
        seen_version=seen_version,
        override_code="OTHER",
        override_reason="Asked for in the test",
        by=by,
        at=at,
    )


def reload_case(case):
    case.refresh_from_db()
    return case


@pytest.mark.capability("MA-4")
def test_a_second_reviewer_without_the_approval_is_refused():
    case, coordinator, second = ready_case(), person(Role.COORDINATOR), fit_reviewer()
    listed = rank_panel(case, by=coordinator)
    assign_reviewer(case)

    with pytest.raises(assignments.AlreadyTaken, match="already offered"):
        assignments.assign_reviewer(
            case_id=case.pk,
            reviewer_id=second.pk,
            candidate_list_id=listed.pk,
            seen_version=None,
            by=coordinator,
            at=NOON,
        )

    assert count_seats(case) == 1


@pytest.mark.capability("MA-4")
def test_each_seat_takes_one_reviewer_with_the_approval_on_file():
    case = ready_case()
    approve_seats(case)

    one = assign_reviewer(case)
    assert reload_case(case).stage == Status.RECORDS_COMPLETE
    assert list_free_seats(case) == [2]
    two = assign_reviewer(case)

    assert (one.seat, two.seat) == (1, 2)
    assert reload_case(case).stage == Status.REVIEWER_CHOSEN
    with pytest.raises(NotAllowed):
        assign_reviewer(case)
    event = case.events.get(kind=Event.Kind.SEATS_APPROVED)
    assert "approved 2 reviewers" in event.sentence
    assert event.facts["reference"] == "DWC 26-0114"


def test_no_one_has_two_seats_of_one_case():
    case, reviewer = ready_case(), fit_reviewer()
    approve_seats(case)
    assign_reviewer(case, reviewer)

    with pytest.raises(NotAllowed, match="already has this case"):
        assign_reviewer(case, reviewer)


def test_a_reviewer_who_has_accepted_can_work_while_the_other_seat_is_free():
    held = sign_attestation(offered_case())
    case = held.case
    approve_seats(case, at=LATER)

    assert reload_case(case).stage == Status.RECORDS_COMPLETE
    assert policies.can_open_file(held.reviewer.user, case)
    assign_reviewer(case, at=LATER)
    assert reload_case(case).stage == Status.IN_REVIEW
    assert policies.can_open_file(held.reviewer.user, case)


def test_a_reviewer_who_declines_frees_only_their_own_seat():
    case = ready_case()
    approve_seats(case)
    one, two = sign_attestation(assign_reviewer(case)), assign_reviewer(case)
    assignments.decline_assignment(
        assignment_id=two.pk, reason="On call", by=two.reviewer.user, at=LATER
    )

    assert reload_case(case).stage == Status.RECORDS_COMPLETE
    assert list_free_seats(case) == [2]
    assert ReviewerAssignment.objects.get(pk=one.pk).is_live
    three = assign_reviewer(case, at=LATER)
    assert three.seat == 2
    assert reload_case(case).stage == Status.IN_REVIEW


def test_an_offer_from_a_page_opened_before_the_approval_is_stale():
    case = ready_case()
    coordinator = person(Role.COORDINATOR)
    reviewer = fit_reviewer()
    rank_panel(case, by=coordinator)
    seen = reload_case(case).version
    approve_seats(case)
    assign_reviewer(case)

    with pytest.raises(Stale):
        assign_reviewer(case, reviewer, by=coordinator, seen_version=seen)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"seat_count": 1}, "two to 5"),
        ({"seat_count": 6}, "two to 5"),
        ({"approved_by": " "}, "Enter who approved"),
        ({"reference": ""}, "reference of the written approval"),
        ({"reason": ""}, "why one reviewer is not enough"),
        ({"approved_on": date(2026, 3, 3)}, "in the future"),
        ({"by": "clerk"}, "Your role"),
    ],
)
def test_an_incomplete_approval_is_refused_with_what_to_do(changes, sentence):
    if changes.get("by"):
        changes = {"by": person(Role.INTAKE)}
    case = ready_case()

    with pytest.raises(NotAllowed, match=sentence):
        approve_seats(case, **changes)

    assert not SeatApproval.objects.exists()


def test_a_case_has_one_approval_at_a_time():
    case = ready_case()
    approve_seats(case)

    with pytest.raises(NotAllowed, match="already approved for this case"):
        approve_seats(case, seat_count=3)


def test_returning_to_one_reviewer_lets_the_case_continue_and_keeps_the_approval():
    held = sign_attestation(offered_case())
    case = held.case
    approval = approve_seats(case, at=LATER)
    seat_services.end_seat_approval(
        case_id=case.pk, reason="The second is not found", by=person(Role.COORDINATOR), at=LATER
    )

    assert reload_case(case).stage == Status.IN_REVIEW
    approval.refresh_from_db()
    assert approval.ended_because == "The second is not found"
    assert count_seats(case) == 1


def test_a_case_with_a_filled_second_seat_cannot_return_to_one_reviewer():
    case = ready_case()
    approve_seats(case)
    first, second = assign_reviewer(case), assign_reviewer(case)
    assignments.decline_assignment(
        assignment_id=first.pk, reason="On call", by=first.reviewer.user, at=LATER
    )

    with pytest.raises(NotAllowed, match="Another seat is assigned"):
        seat_services.end_seat_approval(
            case_id=case.pk, reason="Enough", by=person(Role.COORDINATOR), at=LATER
        )
    assert ReviewerAssignment.objects.get(pk=second.pk).is_live


def test_the_page_records_the_approval_and_shows_the_free_seats(client):
    case = ready_case()
    client.force_login(person(Role.COORDINATOR))
    page = client.post(
        f"/cases/{case.number}/assign/seats/",
        {"seat_count": "3", "approved_by": "", "approved_on": "03/02/2026", "reference": "X",
         "reason": "Complex"},
    )  # fmt: skip
    assert page.status_code == 422
    assert "Enter who approved it" in page.content.decode()
    assert "Complex" in page.content.decode()

    page = client.post(
        f"/cases/{case.number}/assign/seats/",
        {"seat_count": "3", "approved_by": "R. Alvarado", "approved_on": "03/02/2026",
         "reference": "DWC 26-0114", "reason": "Complex"},
        follow=True,
    )  # fmt: skip
    shown = page.content.decode()
    assert "3 reviewers decide this case" in shown
    assert "Still to assign: 3 reviewers." in shown

    page = client.post(f"/cases/{case.number}/assign/one-seat/", {"reason": ""})
    assert page.status_code == 422
    page = client.post(
        f"/cases/{case.number}/assign/one-seat/", {"reason": "A mistake"}, follow=True
    )
    assert "3 reviewers decide" not in page.content.decode()
