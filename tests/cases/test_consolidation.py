"""Cases decided together: who may be, what the links say, and that no item is moved or lost."""

from datetime import date, timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases import consolidated_items
from cases.lifecycle import Status
from cases.models import Case, CaseLink, Deadline, Event
from cases.services import consolidation, endings, item_changes
from correspondence import composition
from correspondence.services import notices
from deadlines.days import local_day
from determinations.models import DecidedItem
from determinations.services import sending
from intake.services.receiving import ItemOnForm, URDecisionOnForm
from letters.models import Letter
from queues.services.undo import undo_act
from records.services import documents
from tests.determinations.factories import make_approved_case, make_issued_case, make_submitted_case
from tests.factories import MONDAY, eligible_case, parties, person, state_citations
from tests.letters.factories import (
    file_all_letters,
    file_without_typesetting,
    publish_sample_wording,
)
from tests.records.factories import add_record, sign_attestation
from tests.reviewers import factories as panel

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(hours=2)


def make_second_case(**changes):
    """Another eligible case of the same employee, physician and injury: another decision."""
    fields = {
        "claim_number": "06-2213-00417",
        "ur_decision": URDecisionOnForm(
            decided_on=date(2026, 2, 16), served_on=date(2026, 2, 16), service_method="mail_ca",
            requested_on=date(2026, 2, 10), reference="UR-2",
        ),
        "items": [ItemOnForm(title="Gabapentin 300 mg #90")],
    } | changes  # fmt: skip
    return eligible_case(**fields)


def make_case_pair(**changes):
    lead = eligible_case(claim_number="06-2213-00417")
    return lead, make_second_case(**changes)


def consolidate(case, lead, *, by=None, at=LATER, reason="Same injury, one review"):
    return consolidation.consolidate_case(
        case_id=case.pk, lead_id=lead.pk, reason=reason, by=by or person(Role.COORDINATOR), at=at
    )


def reload_case(case):
    return Case.objects.get(pk=case.pk)


@pytest.mark.capability("IN-8")
def test_a_consolidation_links_both_cases_gives_the_reason_and_moves_no_item():
    lead, case = make_case_pair()
    before = {item.pk: item.case_id for item in (*lead.items.all(), *case.items.all())}
    consolidate(case, lead)

    assert reload_case(case).stage == Status.CONSOLIDATED
    link = CaseLink.objects.get(kind="CONSOLIDATED")
    assert (link.case, link.other, link.reason) == (case, lead, "Same injury, one review")
    assert consolidated_items.find_lead_case(case) == lead
    assert consolidated_items.list_consolidated_cases(lead) == [case]
    after = {item.pk: item.case_id for item in (*lead.items.all(), *case.items.all())}
    assert after == before
    for one, other in ((case, lead), (lead, case)):
        event = one.events.get(kind=Event.Kind.CONSOLIDATED)
        assert other.number in event.sentence
        assert event.why == "Same injury, one review"
    assert not Deadline.objects.filter(case=case, met_at=None, replaced_at=None).exists()


@pytest.mark.capability("IN-8")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"date_of_injury": date(2023, 1, 1)}, "only if employee"),
        ({"parties": parties(EMPLOYEE="Pedro Other")}, "only if employee"),
        ({"parties": parties(REQUESTING_PHYSICIAN="Ruth Else")}, "only if employee"),
        ({"parties": parties(CLAIMS_ADMINISTRATOR="Other Claims")}, "different claims admin"),
    ],
    ids=["injury", "employee", "physician", "administrator"],
)
def test_only_cases_with_the_same_employee_physician_and_injury_are_consolidated(changes, sentence):
    lead, case = make_case_pair(**changes)
    with pytest.raises(NotAllowed, match=sentence):
        consolidate(case, lead)
    assert reload_case(case).stage == Status.ELIGIBLE


def test_a_chain_a_cycle_an_unrelated_case_and_an_empty_reason_are_refused():
    lead, case = make_case_pair()
    with pytest.raises(NotAllowed, match="with itself"):
        consolidate(case, case)
    with pytest.raises(NotAllowed, match="Enter why"):
        consolidate(case, lead, reason=" ")
    with pytest.raises(NotAllowed, match="Your role"):
        consolidate(case, lead, by=person(Role.INTAKE))
    consolidate(case, lead)
    third = make_second_case(
        ur_decision=URDecisionOnForm(decided_on=date(2026, 2, 17), reference="UR-3"),
    )
    with pytest.raises(NotAllowed, match="Other cases are consolidated into"):
        consolidate(reload_case(lead), third)
    with pytest.raises(NotAllowed, match="Only eligible cases"):
        consolidate(third, reload_case(case))


@pytest.mark.capability("IN-8")
def test_separating_cases_keeps_the_link_readable_and_restarts_the_notice_deadline():
    lead, case = make_case_pair()
    consolidate(case, lead)
    at = LATER + timedelta(days=1)
    consolidation.separate_case(
        case_id=case.pk, reason="Other counsel", by=person(Role.COORDINATOR), at=at
    )

    assert reload_case(case).stage == Status.ELIGIBLE
    link = CaseLink.objects.get(kind="CONSOLIDATED")
    assert link.ended_at == at
    deadline_kind = Deadline.objects.get(case=case, deadline_kind="noarfi", replaced_at=None)
    assert deadline_kind.given["found_eligible"] == local_day(at).isoformat()
    assert consolidated_items.list_consolidated_cases(lead) == []
    with pytest.raises(NotAllowed, match="is not consolidated"):
        consolidation.separate_case(
            case_id=case.pk, reason="Again", by=person(Role.COORDINATOR), at=at
        )


def test_the_followers_are_separated_when_the_lead_case_is_withdrawn():
    lead, case = make_case_pair()
    consolidate(case, lead)
    endings.withdraw_case(
        case_id=lead.pk, reason="Letter of the employee", by=person(Role.COORDINATOR), at=LATER
    )

    assert reload_case(lead).stage == Status.WITHDRAWN
    assert reload_case(case).stage == Status.ELIGIBLE
    assert case.items.get().ending == "PENDING"
    assert reload_case(case).due_deadline_kind == "noarfi"


@pytest.mark.capability("IN-8")
def test_every_item_is_decided_in_the_lead_case_and_the_follower_closes_with_it():
    coordinator = person(Role.COORDINATOR)
    publish_sample_wording()
    lead, case = make_case_pair(coordinator=coordinator)
    for one in (lead, case):
        state_citations(one, by=coordinator, at=LATER)
    consolidate(case, lead, by=coordinator)
    notices.make_notices(case_id=lead.pk, by=coordinator, at=LATER)
    assert "Gabapentin 300 mg #90" in str(Letter.objects.order_by("-pk").first().words)
    with pytest.raises(NotAllowed, match="already name these treatments"):
        consolidation.separate_case(case_id=case.pk, reason="Late", by=coordinator, at=LATER)
    file_without_typesetting(at=LATER + timedelta(minutes=5))
    notices.mark_notices_sent(
        case_id=lead.pk, sent_on=local_day(MONDAY), by=coordinator, at=LATER + timedelta(hours=1)
    )
    add_record(reload_case(lead), by=coordinator)
    documents.mark_records_complete(
        case_id=lead.pk, received_on=local_day(MONDAY), basis="COMPLETE", seen_version=None,
        by=coordinator, at=MONDAY + timedelta(hours=6),
    )  # fmt: skip
    held = sign_attestation(
        panel.offered_case(case=reload_case(lead), at=MONDAY + timedelta(days=1)),
        at=MONDAY + timedelta(days=1, hours=1),
    )
    assert len(held.match_reasons) == 2
    done = make_issued_case(make_approved_case(make_submitted_case(held)))

    decided = DecidedItem.objects.filter(determination__case=lead)
    assert {row.item.case_id for row in decided} == {lead.pk, case.pk}
    assert case.items.get().ending == "DECIDED"
    words = str(done.determinations.get().letter.words)
    assert "Gabapentin 300 mg #90" in words
    file_all_letters(at=MONDAY + timedelta(days=3))
    sending.mark_determination_sent(
        case_id=lead.pk, sent_on=done.decided_on, by=person(Role.MAILROOM),
        at=MONDAY + timedelta(days=3),
    )  # fmt: skip
    assert reload_case(lead).stage == reload_case(case).stage == Status.CLOSED
    assert reload_case(case).decided_on == done.decided_on

    # Recorded in error: both wait for the letter again.
    undo_act(
        act_id=lead.undoable_acts.latest("pk").pk,
        by=person(Role.MAILROOM),
        at=MONDAY + timedelta(days=3, hours=1),
    )
    assert reload_case(lead).stage == Status.ISSUED
    assert reload_case(case).stage == Status.CONSOLIDATED
    assert reload_case(case).decided_on is None
    assert case.events.latest("pk").kind == "UNDONE"


def test_the_page_offers_the_cases_that_may_follow_and_keeps_what_was_typed(client):
    lead, case = make_case_pair()
    client.force_login(person(Role.COORDINATOR))

    page = client.get(f"/cases/{lead.number}/related/").content.decode()
    assert case.number in page
    refused = client.post(
        f"/cases/{case.number}/consolidate/", {"lead": "CM26-9999999", "reason": "One review"}
    )
    assert refused.status_code == 422
    assert "There is no case with this number" in refused.content.decode()
    assert "One review" in refused.content.decode()
    client.post(f"/cases/{case.number}/consolidate/", {"lead": lead.number, "reason": "One review"})
    assert reload_case(case).stage == Status.CONSOLIDATED
    assert lead.number in client.get(f"/cases/{case.number}/related/").content.decode()
    client.post(f"/cases/{case.number}/separate/", {"reason": "Other counsel"})
    assert reload_case(case).stage == Status.ELIGIBLE


@pytest.mark.capability("IN-7", "IN-8")
def test_a_changed_item_of_a_consolidated_case_corrects_the_list_of_its_lead():
    """The notices of the lead name the items of both cases, so their correction does too."""
    coordinator, second = person(Role.COORDINATOR), person(Role.COORDINATOR)
    publish_sample_wording()
    lead, case = make_case_pair(coordinator=coordinator)
    consolidate(case, lead, by=coordinator)
    at = LATER + timedelta(hours=1)
    notices.make_notices(case_id=lead.pk, by=coordinator, at=at)

    def accept(change):
        item_changes.accept_item_change(change_id=change.pk, by=second, at=at)

    def list_treatments():
        draft = lead.case_letters.get(kind="corrected_notice", state="DRAFT")
        party = composition.list_chosen_recipients(draft, at=at)[0]
        letter = composition.compose_letter(draft, party, at=at).document
        return next(one.points for one in letter.sections if one.heading == "Disputed treatment")

    own = lead.items.get().title
    seen = reload_case(lead).version
    accept(
        item_changes.propose_item_change(
            item_id=case.items.get().pk, facts=item_changes.ItemValues("Gabapentin 600 mg #90"),
            seen_version=None, why="The form says so.", by=coordinator, at=at,
        )
    )  # fmt: skip

    assert list_treatments() == (own, "Gabapentin 600 mg #90")
    assert not case.case_letters.filter(kind="corrected_notice").exists()
    assert reload_case(lead).version > seen
    # A change in the lead keeps the items of the other case on the list.
    accept(
        item_changes.propose_item_change(
            item_id=lead.items.get().pk, facts=item_changes.ItemValues("Injection at C4-5"),
            seen_version=None, why="The form says so.", by=coordinator, at=at,
        )
    )  # fmt: skip
    assert list_treatments() == ("Injection at C4-5", "Gabapentin 600 mg #90")
    # The last item of the other case is withdrawn: that case ends, and the list is shorter.
    accept(
        item_changes.propose_item_withdrawal(
            item_id=case.items.get().pk, seen_version=None, why="They ask.", by=coordinator, at=at
        )
    )
    assert list_treatments() == ("Injection at C4-5",)
    assert reload_case(case).stage == Status.WITHDRAWN


def test_items_of_a_consolidated_case_change_only_while_those_of_its_lead_may():
    coordinator = person(Role.COORDINATOR)
    lead, case = make_case_pair()
    consolidate(case, lead)
    lead = reload_case(lead)
    for stage in ("NOTICE_SENT", "RECORDS_COMPLETE", "REVIEWER_CHOSEN", "IN_REVIEW"):
        lead.move_to(Status(stage), by=None, at=LATER)
    with pytest.raises(NotAllowed, match="The reviewer was matched by category and body part"):
        item_changes.propose_item_change(
            item_id=case.items.get().pk,
            facts=item_changes.ItemValues("Gabapentin 300 mg #90", body_part="knee"),
            seen_version=None, why="Misread.", by=coordinator, at=LATER,
        )  # fmt: skip
    lead.move_to(Status.QA, by=None, at=LATER)
    with pytest.raises(NotAllowed, match=f"The review of case {lead.number} is signed"):
        item_changes.propose_item_withdrawal(
            item_id=case.items.get().pk, seen_version=None, why="x", by=coordinator, at=LATER
        )
