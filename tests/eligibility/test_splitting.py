"""Items with a liability dispute are split into a deferred case; the others are not delayed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import (
    Case,
    CaseLink,
    DuplicateProposal,
    Event,
    ReceivedDocument,
)
from cases.models.restrictions import restricted_now
from cases.services import (
    consolidation,
    duplicates,
    endings,
    item_changes,
    notes,
    parties,
    restrictions,
)
from correspondence import composition
from correspondence.services import notices
from eligibility.services import information, screening, splitting
from eligibility.services.proposals import propose_eligibility
from intake.services import corrections, receiving
from intake.services.receiving import ItemOnForm
from letters.models import Letter
from tests.determinations.factories import (
    REVIEWED,
    make_approved_case,
    make_issued_case,
    make_submitted_case,
)
from tests.factories import (
    MONDAY,
    SIX_YES,
    application,
    eligible_case,
    noticed_case,
    person,
    received_case,
    scanned_file,
)
from tests.letters.factories import publish_sample_wording
from tests.records.factories import in_review

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(hours=6)
THREE = [ItemOnForm("Cervical injection"), ItemOnForm("Lumbar brace"), ItemOnForm("Norco #60")]
REASON = "The low back is not an accepted body part."


@pytest.fixture
def coordinator():
    return person(Role.COORDINATOR)


def split(case, *positions, by=None, at=LATER, reason=REASON):
    return splitting.split_case(
        case_id=case.pk,
        item_ids=[case.items.get(position=position).pk for position in positions],
        reason=reason,
        by=by or person(Role.COORDINATOR),
        at=at,
    )


def merge(case, *, by=None, at=LATER + timedelta(hours=1), reason="Wrong item"):
    return splitting.merge_split_case(
        case_id=case.pk, reason=reason, by=by or person(Role.COORDINATOR), at=at
    )


def decide(case, by, **answers):
    return screening.decide_eligibility(
        case_id=case.pk, answers=SIX_YES | answers, notes={}, seen_version=None, by=by, at=LATER
    )


def reload(case):
    return Case.objects.get(pk=case.pk)


def endings_of(case):
    return list(case.items.order_by("position").values_list("position", "ending"))


@pytest.mark.capability("EL-6", "IN-8")
def test_an_item_with_a_liability_dispute_waits_in_a_case_of_its_own_and_the_rest_goes_on(
    coordinator,
):
    case = received_case(items=THREE)

    new = reload(split(case, 2, by=coordinator))

    assert (new.stage, new.has_due_date) == (Status.DEFERRED, False)
    assert (new.received_at, new.ur_decision, new.application, new.claim_number) == (
        case.received_at, case.ur_decision, case.application, case.claim_number,
    )  # fmt: skip
    screened = new.deadlines.get(deadline_kind="screening")
    first = case.deadlines.get(deadline_kind="screening")
    assert (screened.due_on, screened.met_at) == (first.due_on, LATER)
    assert endings_of(case) == [(1, "PENDING"), (2, "MOVED"), (3, "PENDING")]
    assert endings_of(new) == [(2, "PENDING")]
    assert new.items.get().split_from == case.items.get(position=2)
    roles = sorted(case.parties.current().values_list("role", "name", "address"))
    assert sorted(new.parties.current().values_list("role", "name", "address")) == roles
    # The rest goes on, and is found eligible although the other case disputes the same decision.
    decide(case, coordinator)
    assert reload(case).stage == Status.ELIGIBLE

    information.resolve_liability(
        case_id=new.pk, notice_on=date(2026, 3, 2), method="mail_ca", how="Found compensable.",
        by=coordinator, at=LATER,
    )  # fmt: skip
    assert reload(new).stage == Status.SCREENING
    answers = propose_eligibility(reload(new), reader=coordinator).answers
    assert answers["LIABILITY_CLEAR"] == answers["NOT_DECIDED"] == "YES"
    decide(new, coordinator)
    assert reload(new).stage == Status.ELIGIBLE


# What a case has for itself; everything else is what its application says.
OF_THE_CASE = {
    "id",
    "version",
    "number",
    "status",
    "is_open",
    "next_role",
    "queue",
    "round",
    "assigned_on",
    "records_complete_on",
    "decided_on",
    "closed_at",
    "due_on",
    "due_deadline_kind",
    "list_day",
    "urgency",
    "held_until",
    "duplicate_of_id",
    "split_from_id",
    "party_list_version",
    "barred_staff",
}


def test_a_split_case_has_everything_that_its_application_says():
    case = received_case(items=THREE)
    given = {
        "injury_last_day": date(2025, 6, 30),
        "eams_number": "ADJ1", "wcis_number": "W-1", "age_stated": 57, "body_parts": ["neck"],
    }  # fmt: skip
    for name, value in given.items():
        setattr(case, name, value)
    case.store(by=None, at=MONDAY, fields=list(given))

    new = reload(split(case, 2))

    columns = {field.attname for field in Case._meta.concrete_fields} - OF_THE_CASE
    stored = reload(case)
    assert {name for name in columns if getattr(new, name) != getattr(stored, name)} == set()


@pytest.mark.capability("EL-6")
def test_liability_is_stated_for_each_item(coordinator):
    """The form says that liability is disputed; the claims administrator names one body part."""
    disputed = replace(application().ur_decision, liability_disputed=True)
    case = received_case(items=THREE, ur_decision=disputed)
    assert propose_eligibility(case, reader=coordinator).answers["LIABILITY_CLEAR"] == "NO"

    new = split(case, 3)

    assert propose_eligibility(reload(case), reader=coordinator).answers["LIABILITY_CLEAR"] == "YES"
    item = new.items.get()
    assert (item.liability_disputed, item.liability_reason) == (True, REASON)
    # Undone, the whole application is in dispute again, as its form says.
    merge(new)
    assert propose_eligibility(reload(case), reader=coordinator).answers["LIABILITY_CLEAR"] == "NO"


@pytest.mark.capability("IN-8")
def test_both_cases_name_each_other_and_say_why(client, set_clock, coordinator):
    set_clock(LATER)
    case = eligible_case(items=THREE)
    new = split(case, 1, 3, by=coordinator)

    link = CaseLink.objects.get(kind="SPLIT")
    assert (link.case, link.other, link.reason) == (new, case, REASON)
    sentences = list(
        Event.objects.filter(kind="SPLIT").order_by("pk").values_list("sentence", "why")
    )
    assert sentences == [
        (
            f"Items 1 and 3 split into {new.number}, which is deferred: liability is disputed.",
            REASON,
        ),
        (
            f"Split from {case.number}: items 1 and 3. The application was received "
            "Mon, Mar 2, 2026.",
            REASON,
        ),
    ]
    client.force_login(coordinator)
    for one, other in ((case, new), (new, case)):
        page = client.get(one.get_absolute_url()).content.decode()
        assert f"{reverse('desk:case', args=[other.number])}" in page.split("Also:")[1][:200]
        related = client.get(reverse("cases:related", args=[one.number])).content.decode()
        section = related.split("Cases of this application")[1].split("</section>")[0]
        assert "2. Lumbar brace" in section
        assert "3. Norco #60" in section
    page = client.get(case.get_absolute_url()).content.decode()
    assert "Moved to another case" in page


@pytest.mark.parametrize(
    ("prepare", "positions", "sentence"),
    [
        (lambda case: None, (1, 2, 3), "The last item cannot be split off"),
        (lambda case: None, (), "Choose the items of this case"),
        (
            lambda case: endings.terminate_items(
                case_id=case.pk, item_ids=[case.items.get(position=2).pk], reason="Agreed.",
                by=person(Role.COORDINATOR), at=LATER,
            ),
            (2,),
            "Item 2 has ended: authorized by the claims administrator",
        ),
        (
            lambda case: item_changes.propose_item_withdrawal(
                item_id=case.items.get(position=2).pk, seen_version=None, why="Asked.",
                by=person(Role.INTAKE), at=LATER,
            ),
            (2,),
            "Withdrawal of item 2 awaits a second person",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_split_off_is_said(prepare, positions, sentence):
    case = eligible_case(items=THREE)
    prepare(case)
    with pytest.raises(NotAllowed, match=sentence):
        split(case, *positions)
    assert not CaseLink.objects.filter(kind="SPLIT").exists()


def test_an_item_of_another_case_and_an_empty_reason_are_refused():
    case, other = eligible_case(items=THREE), received_case(items=THREE)
    with pytest.raises(NotAllowed, match="Choose the items of this case"):
        splitting.split_case(
            case_id=case.pk, item_ids=[other.items.get(position=1).pk], reason=REASON,
            by=person(Role.COORDINATOR), at=LATER,
        )  # fmt: skip
    with pytest.raises(NotAllowed, match="Enter why liability is disputed"):
        split(case, 1, reason=" ")


def test_a_signed_or_issued_review_keeps_its_items():
    approved = make_approved_case()
    with pytest.raises(NotAllowed, match="The review of case .* is signed"):
        split(approved, 1)
    issued = make_issued_case()
    with pytest.raises(NotAllowed, match="is issued: its items are decided"):
        split(issued, 1)


@pytest.mark.parametrize("role", [Role.INTAKE, Role.QA, Role.DIRECTOR, Role.MAILROOM])
def test_only_a_coordinator_or_a_supervisor_splits_and_merges(role):
    case = eligible_case(items=THREE)
    with pytest.raises(NotAllowed, match="Only a coordinator or a supervisor can split"):
        split(case, 1, by=person(role))
    new = split(case, 1, by=person(Role.SUPERVISOR))
    with pytest.raises(NotAllowed, match="Only a coordinator or a supervisor can merge"):
        merge(new, by=person(role))


@pytest.mark.capability("IN-8")
def test_the_notices_of_both_cases_say_which_items_are_in_which_case(coordinator):
    publish_sample_wording()
    case = eligible_case(items=THREE)
    new = split(case, 2)

    draft = new.case_letters.get(kind="deferral_notice")
    assert composition.find_missing_parts(draft, at=LATER) == []
    for party in composition.list_chosen_recipients(draft, at=LATER):
        letter = composition.compose_letter(draft, party, at=LATER).document
        points = {section.heading: section.points for section in letter.sections}
        assert points["Disputed treatment"] == ("Lumbar brace",)
        assert points["Other treatment of the same application"] == (
            f"{case.number}: Cervical injection; Norco #60",
        )
        assert points["Reason for the deferral"] == (REASON,)
    notices.make_notices(case_id=case.pk, by=coordinator, at=LATER)
    made = list(Letter.objects.filter(reference=case.number, kind="assignment_notice"))
    assert len(made) == 4
    for letter in made:
        assert letter.words["treatments"] == ["Cervical injection", "Norco #60"]
        assert letter.words["opening"][-1].endswith(
            f"{new.number}: Lumbar brace (deferred until the liability dispute is resolved)."
        )


def test_a_split_after_the_notices_drafts_a_corrected_list_of_treatment():
    case = noticed_case(items=THREE)
    new = split(case, 3)

    draft = case.case_letters.get(kind="corrected_notice")
    party = composition.list_chosen_recipients(draft, at=LATER)[0]
    letter = composition.compose_letter(draft, party, at=LATER).document
    points = {section.heading: section.points for section in letter.sections}
    assert points["Disputed treatment"] == ("Cervical injection", "Lumbar brace")
    assert points["Other treatment of the same application"] == (
        f"{new.number}: Norco #60 (deferred until the liability dispute is resolved)",
    )
    # A case without another one of its application says nothing about it.
    alone = noticed_case(items=THREE)
    assert all(
        "other_cases" not in one.words["facts"]
        for one in Letter.objects.filter(reference=alone.number, kind="assignment_notice")
    )


def open_cases_of(decision):
    return sorted(Case.objects.filter(ur_decision=decision, is_open=True).order_by("pk"), key=str)


@pytest.mark.capability("IN-8")
def test_a_wrong_split_is_undone_while_nothing_else_has_happened():
    case = noticed_case(items=THREE)
    new = split(case, 1, 3)

    assert merge(new) == case

    assert endings_of(case) == [(1, "PENDING"), (2, "PENDING"), (3, "PENDING")]
    assert endings_of(new) == [(1, "MOVED"), (3, "MOVED")]
    assert reload(new).stage == Status.CLOSED
    assert CaseLink.objects.get(kind="SPLIT").ended_at is not None
    kinds = [("deferral_notice", "DISCARDED"), ("corrected_notice", "DISCARDED")]
    rows = [*new.case_letters.all(), *case.case_letters.filter(kind="corrected_notice")]
    assert [(row.kind, row.state) for row in rows] == kinds
    assert [one.why for one in Event.objects.filter(kind="MERGED_BACK")] == ["Wrong item"] * 2
    # The same item can be split off again.
    assert split(case, 3).number != new.number


@pytest.mark.parametrize(
    ("happen", "sentence"),
    [
        (
            lambda case, new: notices.make_notices(
                case_id=case.pk, by=person(Role.COORDINATOR), at=LATER
            ),
            "something else has happened in case {case}: noarfi notices prepared",
        ),
        (
            lambda case, new: parties.add_party_to_case(
                case_id=new.pk, party=parties.PartyOnForm(role="INSURER", name="Golden Bear"),
                since=None, why="Named.", by=person(Role.COORDINATOR), at=LATER,
            ),
            "something else has happened in case {new}: party changed",
        ),
        (
            lambda case, new: information.resolve_liability(
                case_id=new.pk, notice_on=date(2026, 3, 2), method="fax", how="Accepted.",
                by=person(Role.COORDINATOR), at=LATER,
            ),
            "Case {new} is in the “Screening” stage",
        ),
    ],
)  # fmt: skip
def test_a_split_is_not_undone_after_something_else_has_happened(happen, sentence):
    publish_sample_wording()
    case = eligible_case(items=THREE)
    new = split(case, 2)
    # A note changes nothing that the merge would undo.
    notes.add_note(case_id=case.pk, text="Called.", by=person(Role.INTAKE), at=LATER)
    happen(case, new)
    with pytest.raises(NotAllowed, match=sentence.format(case=case.number, new=new.number)):
        merge(new)
    assert endings_of(case)[1] == (2, "MOVED")


def test_only_a_split_case_is_merged_back():
    case = eligible_case(items=THREE)
    with pytest.raises(NotAllowed, match="was not split from another case"):
        merge(case)


def test_a_restricted_case_keeps_its_restriction_in_both():
    case, director = eligible_case(items=THREE), person(Role.DIRECTOR)
    cleared, other = person(Role.COORDINATOR), person(Role.COORDINATOR)
    restrictions.restrict_case(
        case_id=case.pk, ground="PUBLIC", reason="Known.", cleared=[cleared.pk], by=director,
        at=LATER,
    )  # fmt: skip

    new = split(case, 2, by=cleared)

    assert set(restricted_now().values_list("case", flat=True)) == {case.pk, new.pk}
    assert Case.objects.visible_to(cleared).filter(pk=new.pk).exists()
    assert not Case.objects.visible_to(other).filter(pk=new.pk).exists()


def test_a_case_of_the_same_application_is_no_duplicate_and_a_second_application_is():
    case = eligible_case(items=THREE)
    new = split(case, 2)
    by = person(Role.SUPERVISOR)

    assert duplicates.search_duplicates_again(case_id=new.pk, by=by, at=LATER) == []
    assert not DuplicateProposal.objects.exists()
    # The first case ends; a second application about the decision still meets the open one.
    endings.withdraw_case(case_id=case.pk, reason="Asked.", by=person(Role.COORDINATOR), at=LATER)
    endings.close_case(case_id=case.pk, reason="Done.", by=person(Role.COORDINATOR), at=LATER)
    second = receiving.receive_application(
        application=application(claim_number=case.claim_number, items=THREE),
        by=person(Role.INTAKE),
        at=LATER,
    )
    assert (second.stage, second.duplicate_of) == (Status.DUPLICATE, new)


def test_a_correction_of_the_application_reaches_all_its_cases():
    clerk = person(Role.INTAKE)
    case = received_case(items=THREE, by=clerk)
    new = split(case, 2)

    def correct(one, **values):
        stored = reload(one)
        kept = {item.pk: ItemOnForm(title=item.title) for item in one.items.order_by("position")}
        return corrections.correct_application(
            case_id=one.pk, values=values, items=kept, why="Misread.",
            seen_version=stored.version, by=clerk, at=LATER,
        )  # fmt: skip

    correct(new, claim_number="06-2213-5", decided_on=date(2026, 2, 11))

    for one in (reload(case), reload(new)):
        assert (one.claim_number, one.claim_number_normal) == ("06-2213-5", "0622135")
        assert one.ur_decision.decided_on == date(2026, 2, 11)
    assert reload(case).ur_decision == reload(new).ur_decision == case.ur_decision
    assert case.events.filter(sentence__startswith=f"Corrected in {new.number}: claim").exists()
    corrections.correct_received_date(
        case_id=case.pk, received_at=MONDAY - timedelta(days=3), why="Stamp.",
        seen_version=reload(case).version, by=person(Role.SUPERVISOR), at=LATER,
    )  # fmt: skip
    assert {one.received_on for one in (reload(case), reload(new))} == {date(2026, 2, 27)}
    # Found eligible in one, the application no longer changes in the other.
    decide(case, person(Role.COORDINATOR))
    with pytest.raises(NotAllowed, match=f"Case {case.number} is in the “Eligible” stage"):
        correct(new, claim_number="06-2213-6")


def test_numbers_of_items_are_not_used_twice_in_one_application():
    clerk = person(Role.INTAKE)
    case = received_case(items=THREE, by=clerk)
    new = split(case, 2)
    corrections.correct_application(
        case_id=new.pk, values={}, items={new.items.get().pk: ItemOnForm("Lumbar brace")},
        added=[ItemOnForm("Walker")], why="Overlooked.", seen_version=reload(new).version,
        by=clerk, at=LATER,
    )  # fmt: skip
    assert endings_of(new) == [(2, "PENDING"), (4, "PENDING")]


def test_a_split_case_that_is_eligible_can_be_decided_with_the_case_it_came_from(coordinator):
    publish_sample_wording()
    case = eligible_case(items=THREE)
    new = split(case, 2)
    information.resolve_liability(
        case_id=new.pk, notice_on=date(2026, 3, 2), method="fax", how="Accepted.", by=coordinator,
        at=LATER,
    )  # fmt: skip
    decide(new, coordinator)
    consolidation.consolidate_case(
        case_id=new.pk, lead_id=case.pk, reason="One review", by=coordinator, at=LATER
    )
    with pytest.raises(NotAllowed, match="is consolidated into another case"):
        split(new, 2)

    notices.make_notices(case_id=case.pk, by=coordinator, at=LATER)

    made = Letter.objects.filter(reference=case.number, kind="assignment_notice")
    for letter in made:
        assert letter.words["treatments"] == ["Cervical injection", "Norco #60", "Lumbar brace"]
        assert not any(new.number in text for text in letter.words["opening"])


def test_splitting_and_merging_on_their_pages(client, set_clock, coordinator):
    set_clock(LATER)
    case = received_case(items=THREE)
    client.force_login(coordinator)
    url = reverse("eligibility:split", args=[case.number])
    page = client.get(reverse("eligibility:eligibility", args=[case.number])).content.decode()
    assert url in page
    form = client.get(url).content.decode()
    assert "3. Norco #60" in form
    key = form.split('name="form_key" value="')[1].split('"')[0]
    refused = client.post(url, {"form_key": key, "reason": REASON})
    assert refused.status_code == 422
    assert "Choose the items for which liability is disputed." in refused.content.decode()
    assert REASON in refused.content.decode()
    scan = scanned_file("objection.pdf")

    sent = {
        "form_key": key, "items": [case.items.get(position=3).pk], "reason": REASON,
        "upload": SimpleUploadedFile("objection.pdf", scan.read(), "application/pdf"),
        "channel": "FAX",
    }  # fmt: skip
    done = client.post(url, sent)

    new = Case.objects.get(split_from=case)
    assert (done.status_code, done.url) == (302, new.get_absolute_url())
    document = ReceivedDocument.objects.get(case=new)
    assert (document.kind, document.event.kind) == ("OBJECTION", "SPLIT")
    # The last item of the new case stays in it.
    last = client.get(reverse("eligibility:split", args=[new.number])).content.decode()
    assert "The last item cannot be split off" in last
    merge_url = reverse("eligibility:merge_back", args=[new.number])
    related = client.get(reverse("cases:related", args=[new.number])).content.decode()
    assert merge_url in related
    key = client.get(merge_url).content.decode().split('name="form_key" value="')[1].split('"')[0]
    done = client.post(merge_url, {"form_key": key, "reason": "Wrong item"})
    assert done.status_code == 302
    assert reload(new).stage == Status.CLOSED
    page = client.get(new.get_absolute_url()).content.decode()
    assert f'href="{case.get_absolute_url()}">{case.number}</a>' in page


def test_a_reviewer_decides_what_stays_when_an_item_is_split_off_during_the_review():
    assignment = in_review(items=THREE)
    case = assignment.case
    split(case, 2, at=REVIEWED)

    make_submitted_case(assignment)
    make_issued_case(make_approved_case(reload(case)))

    assert endings_of(case) == [(1, "DECIDED"), (2, "MOVED"), (3, "DECIDED")]
