"""Offer, attest, decline, take back: each by the right person, once, and on today's parties."""

from datetime import timedelta

import pytest

from accounts.models import User
from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from cases.lifecycle import Status
from cases.models import Event, Party
from cases.services.parties import PartyOnForm, store_party
from reviewers import policies
from reviewers.models import Attestation, ConflictResult, Reviewer, ReviewerBar
from reviewers.services import assignment as assignments
from reviewers.services import credentialing
from tests.factories import MONDAY, person
from tests.reviewers.factories import (
    VERIFIED,
    accepted_case,
    answer_no_to_all,
    fit_reviewer,
    offered_case,
    rank_panel,
    ready_case,
    sign_attestation,
    with_evidence,
)

NOON = MONDAY + timedelta(hours=4)
LATER = MONDAY + timedelta(hours=6)

pytestmark = pytest.mark.django_db


def own_user(assignment):
    return User.objects.get(pk=assignment.reviewer.user_id)


def add_employer_party(case, name, at=LATER):
    """Someone joins the case: the party list gets its next version."""
    case.refresh_from_db()
    case.party_list_version += 1
    case.store(by=None, at=at, fields=["party_list_version"])
    return store_party(case=case, party=PartyOnForm(role="EMPLOYER", name=name), by=None, at=at)


def test_offering_a_case_stores_the_choice_the_checks_and_an_event_without_a_name():
    coordinator, reviewer = person(Role.COORDINATOR), fit_reviewer()
    case = ready_case()
    listed = rank_panel(case, by=coordinator)

    made = assignments.assign_reviewer(
        case_id=case.pk,
        reviewer_id=reviewer.pk,
        candidate_list_id=listed.pk,
        seen_version=case.version,
        by=coordinator,
        at=NOON,
    )

    case.refresh_from_db()
    assert case.status == Status.REVIEWER_CHOSEN
    assert (made.state, made.reviewer, made.offered_by) == ("OFFERED", reviewer, coordinator)
    assert made.candidate_list == listed
    assert made.match_reasons[0]["specialty"] == "Physical Medicine & Rehabilitation"
    tested = ConflictResult.objects.filter(case=case, reviewer=reviewer)
    assert tested.count() == Party.objects.filter(case=case).count()
    assert set(tested.values_list("result", flat=True)) == {"PASS"}
    event = case.events.get(kind=Event.Kind.REVIEWER_OFFERED)
    assert event.sentence == "Offered to the reviewer."
    text = f"{event.sentence}{event.why}{event.facts}"
    assert reviewer.last_name not in text
    assert reviewer.code not in text


def test_the_second_coordinator_sees_who_was_first():
    first = person(Role.COORDINATOR, name="Ines Prior")
    case, one, other = ready_case(), fit_reviewer(), fit_reviewer()
    listed = rank_panel(case, by=first)
    give = {
        "case_id": case.pk,
        "candidate_list_id": listed.pk,
        "seen_version": case.version,
        "at": NOON,
    }
    assignments.assign_reviewer(reviewer_id=one.pk, by=first, **give)

    with pytest.raises(assignments.AlreadyTaken, match="Ines Prior has already offered case"):
        assignments.assign_reviewer(reviewer_id=other.pk, by=person(Role.COORDINATOR), **give)

    assert case.assignments.count() == 1


def test_an_outdated_page_is_refused():
    coordinator, reviewer, case = person(Role.COORDINATOR), fit_reviewer(), ready_case()
    listed = rank_panel(case, by=coordinator)
    seen = case.version
    case.store(by=None, at=NOON, fields=[])

    with pytest.raises(Stale):
        assignments.assign_reviewer(
            case_id=case.pk,
            reviewer_id=reviewer.pk,
            candidate_list_id=listed.pk,
            seen_version=seen,
            by=coordinator,
            at=NOON,
        )


def test_a_list_made_before_a_party_joined_is_refused():
    coordinator, reviewer, case = person(Role.COORDINATOR), fit_reviewer(), ready_case()
    listed = rank_panel(case, by=coordinator)
    add_employer_party(case, "Second Employer", at=NOON)

    with pytest.raises(assignments.Outdated, match="parties of the case have changed"):
        assignments.assign_reviewer(
            case_id=case.pk,
            reviewer_id=reviewer.pk,
            candidate_list_id=listed.pk,
            seen_version=None,
            by=coordinator,
            at=NOON,
        )


def test_a_license_that_expired_since_the_list_was_made_stops_the_offer():
    coordinator, case = person(Role.COORDINATOR), ready_case()
    reviewer = fit_reviewer(license={"valid_to": MONDAY.date()})
    listed = rank_panel(case, by=coordinator)

    with pytest.raises(NotAllowed, match="No active, unrestricted license on Mar 3, 2026"):
        assignments.assign_reviewer(
            case_id=case.pk,
            reviewer_id=reviewer.pk,
            candidate_list_id=listed.pk,
            seen_version=None,
            by=coordinator,
            at=NOON + timedelta(days=1),
        )


@pytest.mark.capability("MC-9")
def test_a_reviewer_outside_the_first_three_needs_a_coded_reason_that_the_history_shows():
    coordinator, case = person(Role.COORDINATOR), ready_case()
    for _ in range(4):
        fit_reviewer()
    listed = rank_panel(case, by=coordinator)
    fourth = Reviewer.objects.get(pk=listed.candidates[3].reviewer_id)
    give = {
        "case_id": case.pk,
        "reviewer_id": fourth.pk,
        "candidate_list_id": listed.pk,
        "seen_version": None,
        "by": coordinator,
        "at": NOON,
    }

    with pytest.raises(NotAllowed, match="Choose why this reviewer"):
        assignments.assign_reviewer(**give)
    with pytest.raises(NotAllowed, match="Choose why this reviewer"):
        assignments.assign_reviewer(override_reason="Read the earlier films", **give)
    with pytest.raises(NotAllowed, match="Enter the other reason"):
        assignments.assign_reviewer(override_code="OTHER", **give)
    made = assignments.assign_reviewer(
        override_code="KNOWS_CASE", override_reason="Read the earlier films", **give
    )

    assert (made.override_code, made.override_reason) == ("KNOWS_CASE", "Read the earlier films")
    offered = case.events.get(kind="REVIEWER_OFFERED").sentence
    assert "not one of the first three: knows the case or its records" in offered
    assert "films" not in str(list(case.events.values()))


@pytest.mark.capability("CO-6")
def test_only_a_coordinator_chooses_the_reviewer():
    case, reviewer = ready_case(), fit_reviewer()
    listed = rank_panel(case, by=person(Role.COORDINATOR))

    for role in set(Role) - {Role.COORDINATOR}:
        with pytest.raises(NotAllowed, match="Your role"):
            assignments.assign_reviewer(
                case_id=case.pk,
                reviewer_id=reviewer.pk,
                candidate_list_id=listed.pk,
                seen_version=None,
                by=person(role),
                at=NOON,
            )

    assert not case.assignments.exists()


@pytest.mark.capability("CO-1")
def test_a_signed_attestation_for_this_case_opens_the_file_and_starts_the_review():
    made = offered_case()
    user = own_user(made)
    assert not policies.can_open_file(user, made.case)

    sign_attestation(made)

    made.refresh_from_db()
    made.case.refresh_from_db()
    assert (made.state, made.case.status) == ("ACCEPTED", Status.IN_REVIEW)
    assert policies.why_not_open_file(user, made.case) == ""
    event = made.case.events.get(kind=Event.Kind.REVIEWER_ATTESTED)
    assert event.by_reviewer_seat == 1


@pytest.mark.parametrize("question", ["employer", "employee", "surname", "prior"])
def test_any_yes_ends_the_offer_bars_the_reviewer_and_keeps_the_answers(question):
    made = offered_case()
    user = own_user(made)

    after = sign_attestation(made, **{question: "yes"})

    made.case.refresh_from_db()
    assert (after.state, made.case.status) == ("DECLINED", Status.RECORDS_COMPLETE)
    signed = Attestation.objects.get(assignment=made)
    assert signed.answers[question] == "yes"
    assert signed.voided_at is not None
    assert ReviewerBar.objects.filter(case=made.case, reviewer=made.reviewer).exists()
    assert not policies.can_open_file(user, made.case)
    listed = rank_panel(made.case, by=person(Role.COORDINATOR), at=LATER)
    reasons = listed.find_candidate(made.reviewer_id).reasons
    assert [reason["sentence"] for reason in reasons] == [
        "Barred from this case: A conflict was stated."
    ]


def test_every_question_needs_an_answer():
    made = offered_case()
    wording_id, given = answer_no_to_all()
    del given["maker"]

    with pytest.raises(NotAllowed, match="Answer every question"):
        assignments.sign_attestation(
            assignment_id=made.pk, answers=given, wording_id=wording_id, by=own_user(made), at=NOON
        )

    assert not Attestation.objects.exists()


def test_no_one_attests_for_another_person():
    made, stranger = offered_case(), fit_reviewer()
    wording_id, given = answer_no_to_all()

    for user in (User.objects.get(pk=stranger.user_id), person(Role.COORDINATOR)):
        with pytest.raises(NotAllowed, match="Only the reviewer"):
            assignments.sign_attestation(
                assignment_id=made.pk, answers=given, wording_id=wording_id, by=user, at=NOON
            )
        assert not policies.can_open_file(user, made.case)


def test_an_attestation_is_refused_when_a_party_was_added_after_the_page_was_opened():
    made = offered_case()
    seen = made.case.party_list_version
    add_employer_party(made.case, "Second Employer")
    wording_id, given = answer_no_to_all()

    with pytest.raises(assignments.Outdated, match="parties of the case changed"):
        assignments.sign_attestation(
            assignment_id=made.pk,
            answers=given,
            wording_id=wording_id,
            seen_parties=seen,
            by=own_user(made),
            at=LATER,
        )


def test_a_party_added_after_the_attestation_closes_the_file_until_it_is_signed_again():
    made = accepted_case()
    user = own_user(made)
    add_employer_party(made.case, "Second Employer")
    made.case.refresh_from_db()
    assert "Attest again" in policies.why_not_open_file(user, made.case)

    sign_attestation(made, at=LATER)

    made.case.refresh_from_db()
    assert policies.can_open_file(user, made.case)
    assert made.case.status == Status.IN_REVIEW
    old, new = Attestation.objects.filter(assignment=made).order_by("pk")
    assert (old.voided_at, new.voided_at) == (LATER, None)
    assert old.party_list_version < new.party_list_version


def test_an_affiliation_with_a_party_that_joined_later_stops_the_review():
    reviewer = fit_reviewer()
    credentialing.add_affiliation(
        **with_evidence(
            reviewer_id=reviewer.pk,
            relation="EMPLOYMENT",
            organization_name="Second Employer, Inc.",
            valid_from=None,
            by=None,
            at=MONDAY - timedelta(days=3),
            **VERIFIED,
        )
    )
    made = accepted_case(reviewer=reviewer)
    add_employer_party(made.case, "Second Employer")

    after = sign_attestation(made, at=LATER)

    made.case.refresh_from_db()
    assert (after.state, made.case.status) == ("DECLINED", Status.RECORDS_COMPLETE)
    assert ConflictResult.objects.filter(case=made.case, result="FAIL").exists()
    assert after.reviewer.bars.filter(case=made.case).exists()


def test_a_license_that_expired_since_the_offer_stops_the_acceptance_but_not_the_offer():
    made = offered_case(reviewer=fit_reviewer(license={"valid_to": MONDAY.date()}))

    with pytest.raises(NotAllowed, match="No active, unrestricted license"):
        sign_attestation(made, at=MONDAY + timedelta(days=1))

    made.refresh_from_db()
    assert made.state == "OFFERED"


def test_declining_returns_the_case_at_once_and_shows_the_reason_to_no_one():
    made = offered_case()

    assignments.decline_assignment(
        assignment_id=made.pk, reason="I have surgery all week", by=own_user(made), at=LATER
    )

    made.refresh_from_db()
    made.case.refresh_from_db()
    assert (made.state, made.case.status) == ("DECLINED", Status.RECORDS_COMPLETE)
    assert made.ended_because == "I have surgery all week"
    event = made.case.events.get(kind=Event.Kind.REVIEWER_DECLINED)
    assert (event.sentence, event.by_reviewer_seat) == (
        "The reviewer declined the case.",
        1,
    )
    assert "surgery" not in str(list(made.case.events.values()))
    with pytest.raises(NotAllowed, match="no longer offered"):
        sign_attestation(made, at=LATER)


def test_a_conflict_found_during_the_review_stops_it_and_bars_the_reviewer():
    made = accepted_case()
    user = own_user(made)

    assignments.decline_assignment(
        assignment_id=made.pk, reason="He is my cousin", conflict=True, by=user, at=LATER
    )

    made.case.refresh_from_db()
    assert made.case.status == Status.RECORDS_COMPLETE
    assert not policies.can_open_file(user, made.case)
    assert made.reviewer.bars.filter(case=made.case).exists()
    assert made.attestations.get().voided_at == LATER
    assert "cousin" not in str(list(made.case.events.values()))


def test_declining_needs_a_reason():
    made = offered_case()

    with pytest.raises(NotAllowed, match="Enter why"):
        assignments.decline_assignment(
            assignment_id=made.pk, reason="  ", by=own_user(made), at=LATER
        )


def test_a_declined_case_can_be_offered_to_others_and_last_to_the_same_reviewer():
    made = offered_case()
    assignments.decline_assignment(
        assignment_id=made.pk, reason="Too busy", by=own_user(made), at=LATER
    )
    another = fit_reviewer()

    listed = rank_panel(made.case, by=person(Role.COORDINATOR), at=LATER)

    places = {one.reviewer_id: one.rank for one in listed.candidates}
    assert places == {another.pk: 1, made.reviewer.pk: 2}


def test_unassigning_a_reviewer_closes_the_file_and_can_bar_the_reviewer():
    made = accepted_case()
    user = own_user(made)

    assignments.remove_reviewer(
        assignment_id=made.pk, reason="Away ill", bar=True, by=person(Role.COORDINATOR), at=LATER
    )

    made.refresh_from_db()
    made.case.refresh_from_db()
    assert (made.state, made.case.status) == ("REMOVED", Status.RECORDS_COMPLETE)
    assert not policies.can_open_file(user, made.case)
    assert ReviewerBar.objects.filter(case=made.case, reviewer=made.reviewer).exists()


def test_a_suspended_reviewer_cannot_open_the_file():
    made = accepted_case()
    user = own_user(made)

    credentialing.set_reviewer_status(
        reviewer_id=made.reviewer.pk,
        status="SUSPENDED",
        reason="Board action",
        by=person(Role.CREDENTIALING),
        at=LATER,
    )

    assert "not active" in policies.why_not_open_file(user, made.case)


def test_an_assignment_is_finished_once_and_then_its_file_is_closed():
    made = accepted_case()
    user = own_user(made)

    assignments.finish_assignment(assignment_id=made.pk, by=person(Role.DIRECTOR), at=LATER)

    made.refresh_from_db()
    assert (made.state, made.ended_at) == ("FINISHED", LATER)
    assert not policies.can_open_file(user, made.case)
    with pytest.raises(NotAllowed, match="cannot be finished"):
        assignments.finish_assignment(assignment_id=made.pk, by=None, at=LATER)


def test_a_reviewer_of_an_earlier_round_is_not_a_candidate_after_a_remand():
    made = accepted_case()
    assignments.finish_assignment(assignment_id=made.pk, by=None, at=LATER)
    case = made.case
    case.refresh_from_db()
    case.round = 2
    case.store(by=None, at=LATER, fields=["round"])
    case.move_to(Status.RECORDS_COMPLETE, by=None, at=LATER)

    listed = rank_panel(case, by=person(Role.COORDINATOR), at=LATER)

    candidate = listed.find_candidate(made.reviewer_id)
    assert candidate.rank is None
    assert "earlier round" in candidate.reasons[0]["sentence"]
