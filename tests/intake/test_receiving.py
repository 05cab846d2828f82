"""Taking applications in: numbered, linked, reused, and one case each whatever happens at once."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import (
    Application,
    ApplicationPaper,
    Case,
    CaseLink,
    Event,
    Party,
    PartyRole,
    URDecision,
)
from cases.services import endings
from directory.models import OrganizationName, PersonName
from eligibility.services import screening
from files.services import store_bytes
from intake.services import receiving
from intake.services.receiving import ItemOnForm, ScanAlreadyEntered, URDecisionOnForm
from tests.factories import MONDAY, application, paper, parties, person, received_case

CLAIM = "06-2213-00000001"


@pytest.fixture
def clerk(db):
    return person(Role.INTAKE)


def receive_application(clerk, *, at=MONDAY, **changes):
    return receiving.receive_application(application=application(**changes), by=clerk, at=at)


def ur_decision(**changes):
    return replace(application().ur_decision, **changes)


def scanned_file(content=b"%PDF-1.4 a scan"):
    return store_bytes(content=content, media_type="application/pdf", at=MONDAY, pages=1)


# --- What is stored -------------------------------------------------------------------------------


def test_an_application_becomes_a_numbered_case_in_screening(clerk):
    case = receive_application(clerk, claim_number=" 06-2213 / a77 ")

    assert case.stage == Status.SCREENING
    assert (case.next_role, case.queue, case.is_open) == ("COORDINATOR", "eligibility", True)
    assert (case.claim_number, case.claim_number_normal) == ("06-2213 / a77", "062213A77")
    assert case.received_on == date(2026, 3, 2)
    assert case.application.entered_by == clerk
    assert [item.position for item in case.items.order_by("position")] == [1]
    (event,) = case.events.all()
    assert (event.kind, event.by, event.happened_at) == (Event.Kind.RECEIVED, clerk, MONDAY)
    assert event.sentence == "Application received Mon, Mar 2, 2026 with 1 disputed item."
    (deadline_kind,) = case.deadlines.all()
    assert deadline_kind.deadline_kind == "screening"
    assert case.due_on == deadline_kind.due_on


def test_numbers_name_the_year_of_registration_and_count_up(clerk):
    numbers = [receive_application(clerk).number for _ in range(3)]
    year_later = datetime(2027, 1, 4, 18, 0, tzinfo=UTC)
    later = receive_application(
        clerk, at=year_later, received_at=year_later - timedelta(days=7)
    ).number

    assert all(re.fullmatch(r"CM26-\d{7}", number) for number in numbers)
    serials = [int(number[5:]) for number in numbers]
    assert serials == list(range(serials[0], serials[0] + 3))
    assert re.fullmatch(r"CM27-\d{7}", later)


def test_the_year_of_a_number_is_the_one_in_los_angeles(clerk):
    eve = datetime(2027, 1, 1, 7, 30, tzinfo=UTC)  # 23:30 on New Year's Eve
    assert receive_application(clerk, at=eve, received_at=eve).number.startswith("CM26-")


def test_an_application_counts_for_the_local_day_on_which_it_arrives(clerk):
    late = datetime(2026, 3, 3, 7, 59, tzinfo=UTC)  # 23:59 on 2 March
    after = datetime(2026, 3, 3, 8, 1, tzinfo=UTC)  # 00:01 on 3 March
    at = MONDAY + timedelta(days=2)
    assert receive_application(clerk, at=at, received_at=late).received_on == date(2026, 3, 2)
    assert receive_application(clerk, at=at, received_at=after).received_on == date(2026, 3, 3)


def test_everything_that_the_form_gives_is_kept(clerk):
    case = receive_application(
        clerk,
        items=[
            ItemOnForm("Norco 10/325mg", quantity=Decimal("60"), unit="tablets", body_part="Back"),
            ItemOnForm("Lumbar brace", service_from=date(2026, 1, 5)),
        ],
        items_on_form=2,
        designated_on=date(2026, 2, 1),
        copy_certified=True,
        printed={"claim_number": " 06-2213 "},
    )

    one, two = case.items.order_by("position")
    assert (one.title, one.requested_quantity, one.unit) == ("Norco 10/325mg", 60, "tablets")
    assert two.service_from == date(2026, 1, 5)
    form = case.application
    assert (form.items_on_form, form.designated_on) == (2, date(2026, 2, 1))
    assert form.copy_certified is True
    assert form.printed == {"claim_number": " 06-2213 "}
    assert case.ur_decision.service_method == "mail_ca"


def test_facts_that_the_form_lacks_stay_unknown(clerk):
    case = receive_application(
        clerk,
        ur_decision=URDecisionOnForm(decided_on=date(2026, 2, 12)),
        ur_decision_attached=None,
        signed_by="",
        signed_on=None,
        date_of_injury=None,
        sex="",
    )

    assert case.ur_decision.served_on is None
    assert case.ur_decision.liability_disputed is None
    assert case.application.ur_decision_attached is None
    assert case.date_of_injury is None
    assert case.stage == Status.SCREENING  # nothing is refused at the door


# --- The same thing twice -------------------------------------------------------------------------


def test_saving_one_form_twice_gives_one_case(clerk):
    form = application()

    first = receiving.receive_application(application=form, by=clerk, at=MONDAY)
    second = receiving.receive_application(
        application=form, by=clerk, at=MONDAY + timedelta(seconds=1)
    )

    assert first == second
    assert Case.objects.count() == Application.objects.count() == 1
    assert first.events.count() == 1


def test_one_form_with_other_contents_is_refused_and_names_the_stored_case(clerk):
    form = application()
    case = receiving.receive_application(application=form, by=clerk, at=MONDAY)

    for other in (
        replace(form, parties=parties(EMPLOYEE="Marisol Quintana")),
        replace(form, ur_decision=ur_decision(decided_on=date(2026, 2, 10))),
        replace(form, items=[*form.items, ItemOnForm("Brace")]),
        replace(form, papers=[paper(scanned_file())]),
        replace(form, printed={"last_name": "Quintana"}),
    ):
        with pytest.raises(receiving.FormSavedOtherwise) as refused:
            receiving.receive_application(application=other, by=clerk, at=MONDAY)
        assert refused.value.case == case
        assert case.number in str(refused.value)
    assert Case.objects.count() == 1


def test_a_second_application_against_the_same_ur_decision_is_a_possible_duplicate(clerk):
    lead = receive_application(clerk, claim_number="06-2213-77")

    case = receive_application(clerk, claim_number="062213 77")

    assert case.stage == Status.DUPLICATE
    assert case.duplicate_of == lead
    assert case.ur_decision == lead.ur_decision
    link = CaseLink.objects.get()
    assert (link.kind, link.case, link.other) == (CaseLink.Kind.DUPLICATE, case, lead)
    for one, other in ((case, lead), (lead, case)):
        event = one.events.get(kind=Event.Kind.LINKED)
        assert other.number in event.sentence
        assert event.by == clerk
    assert lead.stage == Status.SCREENING


@pytest.mark.parametrize(
    "other",
    [
        {"decided_on": date(2026, 2, 11)},
        {"reference": "UR-2"},
    ],
    ids=["another date", "another reference"],
)
def test_another_date_or_reference_is_another_decision(clerk, other):
    receive_application(clerk, claim_number=CLAIM)

    case = receive_application(clerk, claim_number=CLAIM, ur_decision=ur_decision(**other))

    assert case.stage == Status.SCREENING
    assert URDecision.objects.count() == 2


def test_a_clerk_may_say_that_it_is_a_different_decision_with_a_reason(clerk):
    receive_application(clerk, claim_number=CLAIM)

    case = receive_application(
        clerk,
        claim_number=CLAIM,
        ur_decision=ur_decision(different_because="It denies the brace, the other one the drug."),
    )

    assert case.stage == Status.SCREENING
    assert case.duplicate_of is None
    assert case.ur_decision.running_number == 2
    assert case.ur_decision.different_because == "It denies the brace, the other one the drug."


def test_after_a_different_decision_the_next_application_joins_the_latest(clerk):
    receive_application(clerk, claim_number=CLAIM)
    second = receive_application(
        clerk, claim_number=CLAIM, ur_decision=ur_decision(different_because="Another item.")
    )

    assert receive_application(clerk, claim_number=CLAIM).duplicate_of == second


def test_a_decision_with_a_closed_case_can_be_disputed_again(clerk):
    first = receive_application(clerk, claim_number=CLAIM)
    coordinator = person(Role.COORDINATOR)
    endings.withdraw_case(case_id=first.pk, reason="A letter.", by=coordinator, at=MONDAY)
    endings.close_case(case_id=first.pk, reason="Done.", by=coordinator, at=MONDAY)

    again = receive_application(clerk, claim_number=CLAIM)

    assert again.stage == Status.SCREENING
    assert again.ur_decision == first.ur_decision


@pytest.mark.parametrize("number", ["none", " None ", "N/A", "unknown", "-"])
def test_two_forms_without_a_claim_number_are_never_taken_for_one(clerk, number):
    receive_application(clerk, claim_number=number)

    assert receive_application(clerk, claim_number=number).stage == Status.SCREENING


def test_the_same_file_is_entered_once_under_any_name(clerk):
    scan = scanned_file()
    case = receive_application(clerk, papers=[paper(scan, "APPLICATION", "scan1.pdf")])

    with pytest.raises(ScanAlreadyEntered, match=f"as case {case.number}") as refused:
        receive_application(clerk, papers=[paper(scan, "APPLICATION", "copy of scan1.pdf")])

    assert refused.value.case == case
    assert Case.objects.count() == 1


def test_one_ur_decision_may_come_with_many_applications(clerk):
    decision = scanned_file()
    for _ in range(2):
        receive_application(clerk, papers=[paper(decision, "UR_DECISION")])

    assert ApplicationPaper.objects.filter(kind="UR_DECISION").count() == 2


def test_a_document_uploaded_twice_with_one_form_is_kept_once(clerk):
    scan = scanned_file()

    case = receive_application(
        clerk, papers=[paper(scan, "APPLICATION"), paper(scan, "APPLICATION")]
    )

    assert case.application.papers.count() == 1


# --- Two clerks in the same second ----------------------------------------------------------------


def at_once(*acts):
    """Each act in a thread and connection of its own, let go together."""
    together = Barrier(len(acts))

    def run(act):
        try:
            together.wait(timeout=30)
            return act()
        except ScanAlreadyEntered as known:
            return known
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def make_receive_calls(forms):
    clerks = [person(Role.INTAKE) for _ in forms]
    return [
        lambda form=form, clerk=clerk: receiving.receive_application(
            application=form, by=clerk, at=MONDAY
        )
        for form, clerk in zip(forms, clerks, strict=True)
    ]


@pytest.mark.every_database
def test_one_form_saved_by_many_at_once_is_one_case(committed_db):
    form = application()

    found = at_once(*make_receive_calls([form] * 6))

    assert len({case.pk for case in found}) == 1
    assert Case.objects.count() == 1


@pytest.mark.every_database
def test_one_case_leads_when_many_clerks_save_the_same_ur_decision_at_once(committed_db):
    forms = [application(claim_number=CLAIM) for _ in range(6)]

    found = at_once(*make_receive_calls(forms))

    assert len({case.pk for case in found}) == len({case.number for case in found}) == 6
    lead = Case.objects.get(duplicate_of=None)
    assert lead.stage == Status.SCREENING
    assert set(Case.objects.exclude(pk=lead.pk).values_list("duplicate_of", "status")) == {
        (lead.pk, "DUPLICATE")
    }
    assert URDecision.objects.count() == 1


@pytest.mark.every_database
def test_one_application_saved_by_many_at_once_is_one_case(committed_db):
    scan = scanned_file()
    forms = [
        application(papers=[paper(scan, "APPLICATION", f"{n}.pdf")], key=uuid4()) for n in range(6)
    ]

    found = at_once(*make_receive_calls(forms))

    (case,) = [one for one in found if isinstance(one, Case)]
    assert {one.case for one in found if isinstance(one, ScanAlreadyEntered)} == {case}
    assert Case.objects.count() == 1


# --- Persons and organizations --------------------------------------------------------------------

NAMES = ["Siobhán O’Neill-D'Arcy", "María José García Márquez", "Łukasz Żółć", "J. P. St. John"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_kept_as_printed_and_found_folded(clerk, name):
    case = receive_application(clerk, parties=parties(EMPLOYEE=name))

    party = case.parties.get(role=PartyRole.EMPLOYEE)
    assert party.name == name
    stored = PersonName.objects.get(person=party.person)
    assert stored.printed == name
    assert stored.normal.isascii()
    assert stored.normal == stored.normal.lower()


def test_the_same_name_and_birthday_is_the_same_person(clerk):
    one = receive_application(clerk, parties=parties(EMPLOYEE="Ana Núñez-García"))
    other = receive_application(clerk, parties=parties(EMPLOYEE="ANA NUNEZ GARCIA"))

    persons = {case.parties.get(role=PartyRole.EMPLOYEE).person for case in (one, other)}
    assert len(persons) == 1
    assert other.parties.get(role=PartyRole.EMPLOYEE).name == "ANA NUNEZ GARCIA"


@pytest.mark.parametrize("birthday", [date(1968, 3, 15), None])
def test_a_name_with_another_birthday_or_none_is_another_person(clerk, birthday):
    texts = [
        replace(party, date_of_birth=birthday) if party.role == PartyRole.EMPLOYEE else party
        for party in parties()
    ]
    one, other = receive_application(clerk), receive_application(clerk, parties=texts)

    persons = {case.parties.get(role=PartyRole.EMPLOYEE).person for case in (one, other)}
    assert len(persons) == 2


def test_a_physician_is_known_by_name_but_never_as_an_attorney(clerk):
    first = receive_application(clerk)
    second = receive_application(clerk)
    third = receive_application(clerk, parties=parties(EMPLOYEE_ATTORNEY="Dana Oyelaran"))

    def of(case, role):
        return case.parties.get(role=role).person

    assert of(first, "REQUESTING_PHYSICIAN") == of(second, "REQUESTING_PHYSICIAN")
    assert of(third, "EMPLOYEE_ATTORNEY") != of(first, "REQUESTING_PHYSICIAN")


def test_an_organization_is_known_without_its_legal_form(clerk):
    one = receive_application(clerk, parties=parties(CLAIMS_ADMINISTRATOR="Pacific Comp Claims"))
    other = receive_application(
        clerk, parties=parties(CLAIMS_ADMINISTRATOR="The Pacific Comp Claims, Inc.")
    )

    kept = {case.parties.get(role="CLAIMS_ADMINISTRATOR").organization for case in (one, other)}
    assert len(kept) == 1
    assert other.parties.get(role="CLAIMS_ADMINISTRATOR").name == "The Pacific Comp Claims, Inc."


@pytest.mark.parametrize(
    ("one", "other"), [("李小龍", "王大明"), ("Владимир Иванов", "Иван Петров"), ("—", "???")]
)
def test_names_in_other_letters_or_signs_are_not_merged(clerk, one, other):
    for name in (one, other):
        receive_application(clerk, parties=parties(REQUESTING_PHYSICIAN=name, EMPLOYER=name))

    assert (
        Party.objects.filter(role="REQUESTING_PHYSICIAN").values("person").distinct().count() == 2
    )
    assert Party.objects.filter(role="EMPLOYER").values("organization").distinct().count() == 2


def test_no_party_is_ever_a_user(clerk):
    case = receive_application(clerk, parties=parties(REQUESTING_PHYSICIAN=clerk.name))

    assert case.parties.get(role="REQUESTING_PHYSICIAN").person is not None
    assert OrganizationName.objects.filter(printed=clerk.name).count() == 0


# --- Refusals -------------------------------------------------------------------------------------

FUTURE = date(2026, 3, 3)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"received_at": MONDAY + timedelta(minutes=1)}, "received date is in the future"),
        ({"date_of_injury": FUTURE}, "This date is in the future"),
        ({"signed_on": FUTURE}, "Check the signature"),
        ({"consent_on": FUTURE}, "This date is in the future"),
        ({"ur_decision": ur_decision(served_on=FUTURE)}, "Check the proof of service"),
        (
            {"ur_decision": ur_decision(served_on=date(2026, 2, 11))},
            "Served on Wed, Feb 11, 2026, before the UR decision of Thu, Feb 12, 2026",
        ),
        (
            {"signed_on": date(2026, 2, 11)},
            "Signed on Wed, Feb 11, 2026, before the UR decision of Thu, Feb 12, 2026",
        ),
        (
            {"received_at": MONDAY - timedelta(days=14), "signed_on": date(2026, 2, 20)},
            "Signed on Fri, Feb 20, 2026, after we received the application on Mon, Feb 16, 2026",
        ),
        ({"ur_decision": ur_decision(decided_on=FUTURE)}, "dated after the day we received it"),
        ({"items": []}, "at least one disputed treatment"),
    ],
)
def test_impossible_days_are_refused_and_nothing_is_stored(clerk, changes, sentence):
    with pytest.raises(NotAllowed, match=sentence):
        receive_application(clerk, **changes)

    assert not Case.objects.exists()
    assert not URDecision.objects.exists()


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.INTAKE, Role.SUPERVISOR}))
def test_only_intake_enters_applications(db, role):
    with pytest.raises(NotAllowed, match="cannot enter applications"):
        receive_application(person(role))


def test_a_form_that_fails_stores_nothing(clerk):
    class Broken(list):
        def __iter__(self):
            yield from parties()
            raise RuntimeError("the power fails")

    with pytest.raises(RuntimeError):
        receive_application(clerk, parties=Broken())

    assert not Case.objects.exists()
    assert not PersonName.objects.exists()


def test_reopening_a_duplicate_names_the_new_lead_case(clerk):
    coordinator = person(Role.COORDINATOR)
    lead, second, third = (received_case(claim_number=CLAIM, by=clerk) for _ in range(3))

    def again(case):
        return screening.screen_case_again(
            case_id=case.pk, reason="Look.", by=coordinator, at=MONDAY
        )

    with pytest.raises(NotAllowed, match=f"{lead.number} is open for the same UR decision"):
        again(second)
    endings.withdraw_case(case_id=lead.pk, reason="A letter.", by=coordinator, at=MONDAY)
    with pytest.raises(NotAllowed, match=lead.number):
        again(second)  # withdrawn is not closed yet
    endings.close_case(case_id=lead.pk, reason="Done.", by=coordinator, at=MONDAY)
    assert again(second).duplicate_of is None
    with pytest.raises(NotAllowed, match=f"{second.number} is open for the same UR decision"):
        again(third)
