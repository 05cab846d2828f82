"""The next step of a case, at every stop on its way: who acts, and on which page."""

import html

import pytest

from accounts.models import User
from accounts.roles import Role
from cases.lifecycle import NEXT_ROLE, Status, is_open
from cases.models import Case
from cases.services import endings
from correspondence.services.notices import make_notices
from desk.next_step import find_next_step
from determinations.services import sending
from reviewers.models import ReviewerAssignment
from tests.cases.test_consolidation import consolidate, make_case_pair
from tests.determinations.factories import (
    REVIEWED,
    make_approved_case,
    make_issued_case,
    make_submitted_case,
)
from tests.eligibility.test_decisions import ask_information
from tests.eligibility.test_screening_service import decide_eligibility
from tests.factories import MONDAY, eligible_case, person, received_case
from tests.letters.factories import file_without_typesetting, publish_sample_wording
from tests.records.factories import case_with_records, make_offered_case, sign_attestation

pytestmark = pytest.mark.django_db

# Where a case rests on its reviewer alone, staff have no button; the reviewer finds it in a list.
WITH_THE_REVIEWER = {Status.REVIEWER_CHOSEN, Status.IN_REVIEW}
# RECEIVED lasts only within the service that takes an application in. No service asks for
# information for a review yet (docs/status.md), so no case ever comes to INFO_FOR_REVIEW.
NO_CASE_RESTS_HERE = {Status.RECEIVED, Status.INFO_FOR_REVIEW}


@pytest.fixture
def stop(client, set_clock):
    """Call it with a case and its state: the role that acts next finds a page that acts."""
    set_clock(REVIEWED)
    seen = set()

    def stop_at(case: Case, state: Status) -> None:
        case = Case.objects.get(pk=case.pk)
        assert case.stage == state
        seen.add(state)
        if not is_open(state):
            assert find_next_step(case, person(Role.COORDINATOR)).label == ""
            return
        if state in WITH_THE_REVIEWER:
            user = User.objects.get(pk=case.assignments.latest("pk").reviewer.user_id)
            assert NEXT_ROLE[state] == Role.REVIEWER
            client.force_login(user)
            assert case.number in client.get("/reviews/").content.decode()
            return
        user = person(Role(NEXT_ROLE[state]))
        step = find_next_step(case, user)
        assert step.label
        assert step.why_not == "", (state, step.why_not)
        client.force_login(user)
        answer = client.get(step.url)
        assert answer.status_code == 200, (state, step.url)
        assert '<form method="post"' in html.unescape(answer.content.decode()), (state, step.url)

    stop_at.seen = seen
    return stop_at


@pytest.mark.capability("defect 17")
def test_the_role_that_acts_next_can_act_on_every_case_that_services_leave(stop):
    coordinator = person(Role.COORDINATOR)
    publish_sample_wording()

    case = received_case()
    stop(case, Status.SCREENING)
    endings.withdraw_case(case_id=case.pk, reason="Their letter.", by=coordinator, at=MONDAY)
    stop(case, Status.WITHDRAWN)
    endings.close_case(case_id=case.pk, reason="Withdrawn.", by=coordinator, at=MONDAY)
    stop(case, Status.CLOSED)

    stop(received_case(claim_number=received_case().claim_number), Status.DUPLICATE)
    asked = received_case()
    ask_information(asked, coordinator, "EMPLOYEE", MONDAY.date())
    stop(asked, Status.INFO_REQUESTED)
    deferred = received_case()
    decide_eligibility(deferred, coordinator, LIABILITY_CLEAR="NO")
    stop(deferred, Status.DEFERRED)
    ineligible = received_case()
    decide_eligibility(ineligible, coordinator, SIGNED="NO")
    stop(ineligible, Status.INELIGIBLE)
    terminated = received_case()
    endings.terminate_items(
        case_id=terminated.pk,
        item_ids=[terminated.items.get().pk],
        reason="Authorized.",
        by=coordinator,
        at=MONDAY,
    )
    stop(terminated, Status.TERMINATED)
    lead, other = make_case_pair()
    consolidate(other, lead, by=coordinator)
    stop(other, Status.CONSOLIDATED)

    eligible = eligible_case(coordinator=coordinator)
    stop(eligible, Status.ELIGIBLE)
    make_notices(case_id=eligible.pk, by=coordinator, at=MONDAY)
    stop(eligible, Status.ELIGIBLE)

    stop(case_with_records(complete=False), Status.NOTICE_SENT)
    case = case_with_records()
    stop(case, Status.RECORDS_COMPLETE)
    assignment = make_offered_case(case)
    stop(case, Status.REVIEWER_CHOSEN)
    sign_attestation(assignment)
    stop(case, Status.IN_REVIEW)
    make_submitted_case(ReviewerAssignment.objects.get(pk=assignment.pk))
    stop(case, Status.QA)
    make_approved_case(Case.objects.get(pk=case.pk))
    stop(case, Status.APPROVED)
    make_issued_case(Case.objects.get(pk=case.pk))
    file_without_typesetting(at=REVIEWED)
    stop(case, Status.ISSUED)
    sending.mark_determination_sent(
        case_id=case.pk, sent_on=REVIEWED.date(), by=person(Role.MAILROOM), at=REVIEWED
    )
    stop(case, Status.CLOSED)

    assert stop.seen == set(Status) - NO_CASE_RESTS_HERE
