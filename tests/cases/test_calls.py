"""Telephone calls about a case: logged by those who speak, open or closed, and never changed."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from accounts.refusals import BadFact, NotAllowed
from accounts.roles import PERMISSIONS, Role
from cases.models import Case, Commitment, Event, PartyRole, PhoneCall
from cases.services import calls, endings, restrictions
from cases.services.calls import CallFacts, PromisedDate
from deadlines.days import local_day
from tests.factories import MONDAY, parties, person, received_case

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def case(module_db):
    return received_case(parties=parties(CLAIMS_ADMINISTRATOR="Sierra Madre Claims"))


@pytest.fixture
def desk(client, set_clock):
    set_clock(MONDAY)
    client.force_login(person(Role.COORDINATOR))
    return client


def form_of(case, **changes):
    administrator = case.parties.get(role=PartyRole.CLAIMS_ADMINISTRATOR)
    return {
        "direction": "RECEIVED",
        "party": administrator.pk,
        "spoke_with": "Jo Marsh",
        "number": "916-555-0142",
        "called_on": "3/2/2026",
        "called_at": "08:40",
        "summary": "Asks when the notice will arrive.",
    } | changes


def facts_of(case, **changes):
    values = {
        "direction": "MADE",
        "party_id": case.parties.get(role=PartyRole.EMPLOYEE).pk,
        "spoke_with": "",
        "number": "",
        "called_at": MONDAY,
        "summary": "She now knows that the records arrived.",
    }
    return CallFacts(**values | changes)


def page_of(client, route, *args):
    return " ".join(client.get(reverse(route, args=args)).content.decode().split())


def test_a_call_is_on_the_log_the_timeline_and_the_page_of_the_party(desk, case):
    page = page_of(desk, "cases:log_call", case.number)
    assert 'value="09:00"' in page  # the present time

    answer = desk.post(reverse("cases:log_call", args=[case.number]), form_of(case))
    assert answer.url == reverse("cases:calls", args=[case.number])

    call = PhoneCall.objects.get()
    assert call.called_at == MONDAY - timedelta(minutes=20)
    organization = call.party.organization_id
    for shown in (
        page_of(desk, "cases:calls", case.number),
        page_of(desk, "desk:timeline", case.number),
        page_of(desk, "desk:organization", organization),
    ):
        assert "Sierra Madre Claims (Jo Marsh)" in shown
        assert "Asks when the notice will arrive." in shown
        assert "916-555-0142" in shown


def test_a_promise_on_a_call_becomes_a_commitment(desk, case):
    sent = form_of(case, promised="A copy of the notice", promised_for="3/6/2026")
    assert desk.post(reverse("cases:log_call", args=[case.number]), sent).status_code == 302

    commitment = Commitment.objects.get()
    assert PhoneCall.objects.get().commitment == commitment
    assert commitment.party.name == "Sierra Madre Claims"
    assert commitment.informed_on == local_day(MONDAY)
    assert "Telephone call" in commitment.letter_reference
    assert "A copy of the notice" in page_of(desk, "cases:deadlines", case.number)


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"party": "", "spoke_with": " "}, "spoke_with", "Enter the name, or choose a party."),
        ({"party": "999999"}, "party", "Select a valid choice"),
        ({"summary": ""}, "summary", "Enter what was said."),
        ({"called_on": "3/3/2026"}, "called_on", "This call is in the future."),
        ({"called_at": "later"}, "called_at", "Enter a time such as 14:05."),
        ({"direction": "SIDEWAYS"}, "direction", "Select a valid choice"),
        ({"promised": "A copy"}, "promised_for", "Enter the promised date."),
        ({"promised_for": "3/6/2026"}, "promised", "Enter what was promised."),
        (
            {"promised": "A copy", "promised_for": "3/6/2026", "party": ""},
            "party",
            "A date can be promised only to a party.",
        ),
    ],
)
def test_a_refused_call_keeps_what_was_typed_and_says_what_to_do(
    desk, case, change, field, sentence
):
    answer = desk.post(reverse("cases:log_call", args=[case.number]), form_of(case, **change))

    assert answer.status_code == 422
    assert sentence in str(answer.context["form"].errors[field])
    if "summary" not in change:
        assert "Asks when the notice will arrive." in answer.content.decode()
    assert not PhoneCall.objects.exists()
    assert not Commitment.objects.exists()


def test_a_call_about_a_closed_case_is_logged_but_nothing_is_promised(desk, case):
    coordinator = person(Role.COORDINATOR)
    endings.withdraw_case(case_id=case.pk, reason="By letter", by=coordinator, at=MONDAY)
    endings.close_case(case_id=case.pk, reason="Withdrawn", by=coordinator, at=MONDAY)
    assert not Case.objects.get(pk=case.pk).is_open

    assert "Promised for" not in page_of(desk, "cases:log_call", case.number)
    sent = form_of(case, promised="A copy", promised_for="3/6/2026")
    assert desk.post(reverse("cases:log_call", args=[case.number]), sent).status_code == 302
    assert PhoneCall.objects.get().commitment is None
    with pytest.raises(NotAllowed, match="closed"):
        calls.log_call(
            case_id=case.pk,
            facts=facts_of(case),
            promised=PromisedDate("A copy", local_day(MONDAY)),
            by=coordinator,
            at=MONDAY,
        )
    assert PhoneCall.objects.count() == 1


def test_a_clerk_logs_calls_and_promises_nothing(client, case, set_clock):
    set_clock(MONDAY)
    client.force_login(person(Role.INTAKE))
    assert "Promised for" not in page_of(client, "cases:log_call", case.number)
    assert client.post(
        reverse("cases:log_call", args=[case.number]), form_of(case)
    ).status_code == 302  # fmt: skip


@pytest.mark.parametrize("role", sorted(set(Role) - PERMISSIONS["cases.log_call"]))
def test_other_roles_log_none(case, role):
    with pytest.raises(NotAllowed, match="role"):
        calls.log_call(case_id=case.pk, facts=facts_of(case), by=person(role), at=MONDAY)


def test_one_corrects_only_ones_own_call_and_only_once(desk, client, case):
    clerk = person(Role.INTAKE)
    call = calls.log_call(case_id=case.pk, facts=facts_of(case), by=clerk, at=MONDAY)
    address = reverse("cases:correct_call", args=[case.number, call.pk])
    assert desk.post(address, form_of(case)).status_code == 422

    client.force_login(clerk)
    assert "She now knows that the records arrived." in client.get(address).content.decode()
    assert client.post(address, form_of(case)).status_code == 302
    with pytest.raises(NotAllowed, match="already corrected"):
        calls.correct_call(call_id=call.pk, facts=facts_of(case), by=clerk, at=MONDAY)

    assert PhoneCall.objects.get(corrects=call).summary == "Asks when the notice will arrive."
    sentences = Event.objects.filter(case=case, kind=Event.Kind.CALL).order_by("pk")
    assert [one.sentence.startswith("Correction. ") for one in sentences] == [False, True]
    worker = page_of(client, "desk:person", call.party.person_id)
    assert "She now knows that the records arrived." not in worker


def test_a_party_of_another_case_is_refused(case):
    other = received_case().parties.get(role=PartyRole.EMPLOYEE)
    with pytest.raises(BadFact, match="party of this case"):
        calls.log_call(
            case_id=case.pk,
            facts=facts_of(case, party_id=other.pk),
            by=person(Role.INTAKE),
            at=MONDAY,
        )


def test_a_call_about_a_restricted_case_is_for_cleared_people(case):
    supervisor, clerk = person(Role.SUPERVISOR), person(Role.INTAKE)
    restrictions.restrict_case(
        case_id=case.pk, ground="OTHER", reason="A relative", by=supervisor, at=MONDAY
    )
    with pytest.raises(NotAllowed, match="clearance"):
        calls.log_call(case_id=case.pk, facts=facts_of(case), by=clerk, at=MONDAY)


def test_a_call_of_a_restricted_case_is_not_on_the_page_of_the_party(client, case):
    supervisor = person(Role.SUPERVISOR)
    again = received_case(
        parties=parties(EMPLOYEE="Odalys Reyes", CLAIMS_ADMINISTRATOR="Sierra Madre Claims")
    )
    party = again.parties.get(role=PartyRole.CLAIMS_ADMINISTRATOR)
    calls.log_call(
        case_id=again.pk, facts=facts_of(again, party_id=party.pk), by=supervisor, at=MONDAY
    )
    client.force_login(person(Role.INTAKE))
    before = page_of(client, "desk:organization", party.organization_id)
    assert "records arrived" in before

    restrictions.restrict_case(
        case_id=again.pk, ground="OTHER", reason="A relative", by=supervisor, at=MONDAY
    )
    after = page_of(client, "desk:organization", party.organization_id)
    assert case.number in after
    assert again.number not in after
    assert "records arrived" not in after


@pytest.mark.every_database
def test_the_database_refuses_to_change_a_call(case):
    call = calls.log_call(case_id=case.pk, facts=facts_of(case), by=person(Role.INTAKE), at=MONDAY)
    with pytest.raises(DatabaseError), transaction.atomic():
        PhoneCall.objects.filter(pk=call.pk).update(summary="Nothing")


def test_two_promises_are_not_made_by_one_form_sent_twice(desk, case):
    page = desk.get(reverse("cases:log_call", args=[case.number]))
    key = page.content.decode().split('name="form_key" value="')[1].split('"')[0]
    sent = form_of(case, form_key=key)
    for _ in range(2):
        desk.post(reverse("cases:log_call", args=[case.number]), sent)
    assert PhoneCall.objects.count() == 1
