"""Each aggrieved party has its own time to petition, from the service of the letter on it."""

import html
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.models import CaseLetter, Party, PartyRole
from cases.services import endings, post_determination, priority, service_corrections
from cases.services.served_letters import AGGRIEVED_ROLES, start_petition_deadlines
from correspondence.services import case_letters
from deadlines import services as rules
from deadlines.days import local_day
from deadlines.models import DeadlineRule
from determinations.services import sending
from eligibility.services import screening
from letters import services as letter_services
from letters.kinds import LetterKind
from letters.models import DeliveryMethod, Service
from tests.cases.test_ending import ineligible_case
from tests.determinations.factories import make_approved_case, make_issued_case, make_submitted_case
from tests.factories import BY_EMAIL, MONDAY, noticed_case, parties, person
from tests.letters.factories import file_without_typesetting, publish_sample_wording
from tests.records.factories import case_with_records, make_offered_case, sign_attestation

pytestmark = pytest.mark.django_db

TODAY = local_day(MONDAY)
SENT_AT = MONDAY + timedelta(days=20)
SENT = local_day(SENT_AT)  # Sunday, March 22, 2026

NEVADA = "8 Sage Road\nReno NV 89501"


@pytest.fixture
def clerk(set_clock):
    set_clock(SENT_AT)
    return person(Role.MAILROOM)


def people(**changes):
    """The usual parties; changes of single fields by role."""
    return [replace(party, **changes.get(party.role, {})) for party in parties()]


def sent_determination(clerk, *, outcome="UPHELD", **changes):
    complete = case_with_records(parties=people(**changes))
    reviewed = make_submitted_case(sign_attestation(make_offered_case(complete)), outcome=outcome)
    case = make_issued_case(make_approved_case(reviewed))
    file_without_typesetting(at=MONDAY + timedelta(days=3))
    return sending.mark_determination_sent(case_id=case.pk, sent_on=SENT, by=clerk, at=SENT_AT)


def sent_ineligibility(clerk, **changes):
    publish_sample_wording()
    coordinator = person(Role.COORDINATOR)
    case = ineligible_case(coordinator, parties=people(**changes))
    draft = case.case_letters.get(kind=LetterKind.INELIGIBILITY, state=CaseLetter.State.DRAFT)
    case_letters.preview_letter(letter_id=draft.pk, by=coordinator, at=MONDAY)
    case_letters.approve_letter(letter_id=draft.pk, seen_version=None, by=coordinator, at=MONDAY)
    file_without_typesetting(at=MONDAY)
    case_letters.mark_letter_sent(letter_id=draft.pk, sent_on=TODAY, by=clerk, at=SENT_AT)
    case.refresh_from_db()
    return case


def petitions(case):
    """The last day of each recipient, by role; the sentence where there is none."""
    rows = case.deadlines.filter(deadline_kind="petition", replaced_at=None)
    return {
        case.parties.get(pk=row.service.recipient_id).role: row.due_on or row.unknown
        for row in rows.select_related("service")
    }


def service_on(case, role):
    return Service.objects.get(
        letter__reference=case.number,
        letter__kind="determination",
        recipient_id=case.parties.get(role=role).pk,
    )


def correct(case, service, clerk, **changes):
    values = {
        "on": SENT,
        "method": "MAIL",
        "address": service.served_address or service.address,
        "state": "CA",
        "why": "Postmark",
        "seen_version": service.version,
    } | changes
    return service_corrections.correct_service_of_letter(
        case_id=case.pk, service_id=service.pk, by=clerk, at=SENT_AT, **values
    )


def test_each_aggrieved_party_has_the_days_of_its_own_address(clerk):
    case = sent_determination(
        clerk,
        EMPLOYEE={"address": NEVADA},
        CLAIMS_ADMINISTRATOR=BY_EMAIL,
        EMPLOYER={"address": "12 Harbor Road\nVancouver", "state": "XX"},
        EMPLOYEE_ATTORNEY={"address": "12 Court Street"},
    )

    # March 22 + 30 is April 21; + 5 is Sunday, April 26; + 10 is May 1; + 20 is May 11.
    found = petitions(case)
    assert found.pop("EMPLOYEE") == date(2026, 5, 1)
    assert found.pop("CLAIMS_ADMINISTRATOR") == date(2026, 4, 27)
    unknown = found.pop("EMPLOYEE_ATTORNEY")
    assert "the address has no state or country" in unknown
    assert "Apr 27, 2026 if it is in California" in unknown
    assert "May 1, 2026 if it is in another state" in unknown
    # The employer is no recipient of the letter, and a physician may not petition.
    assert found == {}


def test_a_service_in_hand_adds_no_days(clerk):
    case = sent_determination(clerk)

    correct(case, service_on(case, "EMPLOYEE"), clerk, method="IN_HAND")

    assert petitions(case)["EMPLOYEE"] == date(2026, 4, 21)


def test_a_sent_ineligibility_notice_starts_the_time_and_closing_does_not_end_it(clerk):
    case = sent_ineligibility(clerk, EMPLOYEE={"address": NEVADA})
    # March 2 + 30 + 10 is Saturday, April 11.
    assert petitions(case)["EMPLOYEE"] == date(2026, 4, 13)

    endings.close_case(
        case_id=case.pk, reason="Nobody answered", by=person(Role.COORDINATOR), at=SENT_AT
    )

    assert petitions(case)["EMPLOYEE"] == date(2026, 4, 13)


def test_a_reversed_ineligibility_ends_the_time_to_petition_against_it(clerk):
    case = sent_ineligibility(clerk)
    assert petitions(case)

    screening.screen_case_again(
        case_id=case.pk, reason="The signature came", by=person(Role.COORDINATOR), at=SENT_AT
    )

    assert petitions(case) == {}


@pytest.mark.parametrize("role", sorted(AGGRIEVED_ROLES - {"EMPLOYEE", "CLAIMS_ADMINISTRATOR"}))
def test_both_sides_and_those_who_act_for_them_have_a_time_to_petition(clerk, role):
    case = sent_determination(clerk)
    like = case.parties.get(role="EMPLOYEE_ATTORNEY")
    party = Party.objects.create(
        case=case, role=role, name="Another One", organization=like.organization,
        person=like.person, list_version=like.list_version, recorded_at=SENT_AT,
    )  # fmt: skip
    letter = service_on(case, "EMPLOYEE").letter
    service = Service(
        letter=letter, recipient_id=party.pk, recipient_role="", recipient_name="Another One",
        method="MAIL", place="ca", planned_on=SENT,
    ).store(by=clerk, at=SENT_AT)  # fmt: skip
    service = letter_services.mark_served(service_id=service.pk, on=SENT, by=clerk, at=SENT_AT)

    started = start_petition_deadlines(case=case, services=[service], by=clerk, at=SENT_AT)

    assert [row.due_on for row in started] == [date(2026, 4, 27)]


@pytest.mark.parametrize(
    ("method", "days"),
    [("MAIL", 5), ("EXPRESS", 5), ("FAX", 5), ("ELECTRONIC", 5), ("PORTAL", 5), ("IN_HAND", 0)],
)
def test_every_method_but_service_in_hand_adds_the_days_of_the_address(clerk, method, days):
    case = sent_determination(clerk)

    # A Tuesday: day 30 is a Thursday, and day 35 a Tuesday.
    correct(case, service_on(case, "EMPLOYEE"), clerk, method=method, on=date(2026, 3, 17))

    assert petitions(case)["EMPLOYEE"] == date(2026, 3, 17) + timedelta(days=30 + days)


def test_a_notice_of_a_decision_that_was_reversed_is_not_sent(clerk):
    publish_sample_wording()
    coordinator = person(Role.COORDINATOR)
    case = ineligible_case(coordinator)
    draft = case.case_letters.get(kind=LetterKind.INELIGIBILITY)
    case_letters.preview_letter(letter_id=draft.pk, by=coordinator, at=MONDAY)
    case_letters.approve_letter(letter_id=draft.pk, seen_version=None, by=coordinator, at=MONDAY)
    file_without_typesetting(at=MONDAY)
    reopened_at = MONDAY + timedelta(days=3)
    screening.screen_case_again(
        case_id=case.pk, reason="The signature came", by=coordinator, at=reopened_at
    )

    with pytest.raises(NotAllowed, match="no longer in force"):
        case_letters.mark_letter_sent(
            letter_id=draft.pk, sent_on=local_day(reopened_at), by=clerk, at=SENT_AT
        )
    # It had left before; but nobody can petition against the reversed decision.
    case_letters.mark_letter_sent(letter_id=draft.pk, sent_on=TODAY, by=clerk, at=SENT_AT)
    assert petitions(case) == {}


def test_a_letter_served_after_its_rule_had_ended_is_recorded_for_the_office(clerk):
    complete = case_with_records()
    reviewed = make_submitted_case(sign_attestation(make_offered_case(complete)))
    case = make_issued_case(make_approved_case(reviewed))
    file_without_typesetting(at=MONDAY + timedelta(days=3))
    rule = DeadlineRule.objects.get(deadline_kind="petition", effective_to=None)
    rules.supersede_rule(
        rule_id=rule.pk, terms={"length": 20}, effective_from=SENT, why="Amended",
        seen_version=rule.version, by=person(Role.DIRECTOR), at=SENT_AT,
    )  # fmt: skip

    sending.mark_determination_sent(case_id=case.pk, sent_on=SENT, by=clerk, at=SENT_AT)

    # March 22 + 20 + 5 is April 16, by the rule of the day of service.
    assert petitions(case)["EMPLOYEE"] == date(2026, 4, 16)
    warnings = case.events.filter(sentence__contains="states other days for a petition")
    assert {event.facts["stated"]["petition_days"] for event in warnings} == {"30"}
    # On the last day of the old rule the letter and the deadline agree.
    seen = warnings.count()
    correct(case, service_on(case, "EMPLOYEE"), clerk, on=SENT - timedelta(days=1))
    assert warnings.count() == seen
    assert petitions(case)["EMPLOYEE"] == date(2026, 4, 27)


def test_other_letters_start_no_time_to_petition():
    case = noticed_case()

    assert not case.deadlines.filter(deadline_kind="petition").exists()


def test_a_corrected_service_moves_the_date_of_that_recipient_only(clerk):
    case = sent_determination(clerk)
    before = petitions(case)

    moved = {"on": SENT - timedelta(days=1), "state": "NV", "address": NEVADA}
    correct(case, service_on(case, "EMPLOYEE"), clerk, **moved)

    after = petitions(case)
    assert after.pop("EMPLOYEE") == date(2026, 4, 30)
    assert before.pop("EMPLOYEE") == date(2026, 4, 27)
    assert after == before
    event = case.events.order_by("-pk").first()
    assert event.why == "Postmark"
    assert event.sentence.endswith(
        "corrected from mail, Sun, Mar 22, 2026, an address in California "
        "to mail, Sat, Mar 21, 2026, an address in another state."
    )


def test_a_corrected_service_on_the_administrator_moves_its_duty_to_authorize(clerk):
    case = sent_determination(clerk, outcome="OVERTURNED", CLAIMS_ADMINISTRATOR=BY_EMAIL)

    def due():
        row = case.deadlines.get(deadline_kind="authorize", replaced_at=None)
        return row.due_on or row.unknown

    assert due() == date(2026, 3, 27)
    service = service_on(case, "CLAIMS_ADMINISTRATOR")
    service = correct(case, service, clerk, method="ELECTRONIC", on=date(2026, 3, 20))
    assert due() == date(2026, 3, 27)  # Friday, March 20: five days on, and no holiday between
    service = correct(case, service, clerk, method="ELECTRONIC", on=date(2026, 3, 19))
    assert due() == date(2026, 3, 26)
    correct(case, service, clerk, method="MAIL", on=date(2026, 3, 19))
    assert "the day on which the determination was received" in due()


def test_a_corrected_notice_moves_the_deadline_for_the_records(clerk):
    case = noticed_case()
    before = case.deadlines.get(deadline_kind="records", replaced_at=None).due_on
    notice = case.notices.get(party__role=PartyRole.CLAIMS_ADMINISTRATOR)
    service = Service.objects.get(pk=notice.service_id)

    correct(case, service, clerk, on=TODAY + timedelta(days=2))

    case.refresh_from_db()
    rows = case.deadlines.filter(replaced_at=None)
    assert rows.get(deadline_kind="records").due_on == before + timedelta(days=2)
    assert case.due_on == before + timedelta(days=2)
    assert case.assigned_on == TODAY + timedelta(days=2)
    # The notice to the employee was not corrected.
    assert rows.get(deadline_kind="own_papers").given["noarfi"] == str(TODAY)
    # Our own duty was met when the last notice was sent.
    assert local_day(rows.get(deadline_kind="noarfi").met_at) == TODAY + timedelta(days=2)
    # A change of priority keeps the corrected day.
    change = {"case_id": case.pk, "why": "Drug", "by": person(Role.COORDINATOR), "at": SENT_AT}
    priority.change_priority(new="FORMULARY", **change)
    again = case.deadlines.get(deadline_kind="records", replaced_at=None)
    assert again.due_on == before + timedelta(days=2)


def test_a_notice_is_not_corrected_to_a_day_after_the_records_or_after_the_decision(clerk):
    complete = case_with_records()
    service = Service.objects.get(
        pk=complete.notices.get(party__role=PartyRole.CLAIMS_ADMINISTRATOR).service_id
    )
    with pytest.raises(NotAllowed, match="The records were complete on"):
        correct(complete, service, clerk, on=complete.records_complete_on + timedelta(days=1))
    decided = sent_determination(clerk)
    notice = decided.notices.get(party__role=PartyRole.CLAIMS_ADMINISTRATOR)
    with pytest.raises(NotAllowed, match="prints the date of assignment"):
        correct(decided, notice.service, clerk, on=SENT)


def test_a_receipt_that_a_person_recorded_stays_when_the_service_is_corrected(clerk):
    case = sent_determination(clerk, outcome="OVERTURNED", CLAIMS_ADMINISTRATOR=BY_EMAIL)
    received = date(2026, 3, 24)
    post_determination.record_determination_receipt(
        case_id=case.pk, received_on=received, by=person(Role.COORDINATOR),
        at=SENT_AT + timedelta(days=3),
    )  # fmt: skip

    service = service_on(case, "CLAIMS_ADMINISTRATOR")
    correct(case, service, clerk, method="MAIL", address="PO Box 40122\nSacramento CA 95841")

    row = case.deadlines.get(deadline_kind="authorize", replaced_at=None)
    assert row.given["received"] == str(received)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"method": ""}, "Choose how the letter was served"),
        ({"on": SENT + timedelta(days=1)}, "future"),
        ({"method": "FAX", "why": ""}, "reason"),
        ({"method": "FAX", "address": " "}, "where the letter was sent"),
        ({"state": "NV"}, "The address names California"),
        ({}, "Nothing was changed"),
    ],
)
def test_a_service_without_its_facts_is_refused_and_moves_nothing(clerk, changes, sentence):
    case = sent_determination(clerk)
    before = petitions(case)

    with pytest.raises(NotAllowed, match=sentence):
        correct(case, service_on(case, "EMPLOYEE"), clerk, **changes)
    assert petitions(case) == before


def test_only_those_who_send_letters_correct_their_service(clerk):
    case = sent_determination(clerk)

    with pytest.raises(NotAllowed, match="Only the mail room"):
        correct(case, service_on(case, "EMPLOYEE"), person(Role.INTAKE), method="FAX")


def test_the_service_of_another_case_is_not_found(clerk):
    case, other = sent_determination(clerk), noticed_case()

    with pytest.raises(Service.DoesNotExist):
        correct(other, service_on(case, "EMPLOYEE"), clerk, method="FAX")


# --- The page -------------------------------------------------------------------------------------


def url(case, service, name="service"):
    return reverse(f"cases:{name}", args=[case.number, service.pk])


def test_the_page_shows_the_date_and_its_calculation_and_keeps_what_was_typed(client, clerk):
    case = sent_determination(clerk, EMPLOYEE={"address": NEVADA})
    service = service_on(case, "EMPLOYEE")
    client.force_login(clerk)

    shown = html.unescape(client.get(url(case, service)).content.decode())
    for words in ("Petition to the WCAB", "10 days more", "8 CCR 10605(a)(2)", "Another state"):
        assert words in shown
    assert "file by" not in shown
    listed = html.unescape(client.get(reverse("desk:letters", args=[case.number])).content.decode())
    assert url(case, service) in listed

    typed = {"on": "99/99/26", "method": "FAX", "state": "us", "why": "kept words"}
    typed["address"] = "775-555-0111"
    typed |= {"version": service.version}
    refused = client.post(url(case, service, "correct_service"), typed)
    assert refused.status_code == 422
    assert "kept words" in refused.content.decode()

    done = client.post(url(case, service, "correct_service"), typed | {"on": "3/21/26"})
    assert done.status_code == 302
    service.refresh_from_db()
    assert (service.served_on, service.served_method) == (date(2026, 3, 21), DeliveryMethod.FAX)
    assert (service.served_address, service.place) == ("775-555-0111", "us")
    # The next correction keeps what was corrected before.
    form = client.get(url(case, service)).context["correct_form"]
    assert form.initial == {
        "on": date(2026, 3, 21), "method": "FAX", "address": "775-555-0111", "state": "NV",
    }  # fmt: skip

    back = {"kind": "RETURNED", "on": "3/22/26", "why": "Moved, left no address"}
    assert client.post(url(case, service, "service_outcome"), back).status_code == 302
    assert "Moved, left no address" in client.get(url(case, service)).content.decode()


def test_a_page_that_was_overtaken_is_409(client, clerk):
    case = sent_determination(clerk)
    service = service_on(case, "EMPLOYEE")
    client.force_login(clerk)

    typed = {"on": "3/21/26", "method": "FAX", "state": "CA", "why": "Postmark", "version": "0"}
    typed["address"] = "916-555-0100"
    assert client.post(url(case, service, "correct_service"), typed).status_code == 409
