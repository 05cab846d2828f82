"""Language, interpreter and email of a party, and its consent to electronic service."""

import html
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.refusals import BadFact
from accounts.roles import Role
from cases.models import Case, Party
from cases.services import parties as services
from intake.services.known_parties import find_known_parties
from tests.cases.test_parties import make_details, make_form_data
from tests.factories import BY_EMAIL, MONDAY, parties, person, received_case
from tests.intake import test_intake_page as intake

pytestmark = pytest.mark.django_db
LATER = MONDAY + timedelta(days=3)
CONSENT = {
    "administrator_channel": "ELECTRONIC",
    "administrator_email": "claims@example.org",
    "administrator_eservice_on": "1/5/26",
    "administrator_eservice_basis": "Letter of 1/5/2026",
}


def with_email(**changes):
    """The usual parties, whose claims administrator gets email."""
    return [
        replace(one, **BY_EMAIL | changes) if one.role == "CLAIMS_ADMINISTRATOR" else one
        for one in parties()
    ]


@pytest.fixture
def clerk(client, set_clock):
    set_clock(MONDAY + timedelta(hours=3))
    user = person(Role.INTAKE, name="Rosa Okafor")
    client.force_login(user)
    return user


def test_intake_keeps_how_a_party_is_reached_and_who_recorded_its_consent(client, clerk):
    sent = intake.make_form_data(
        employee_language="Spanish",
        employee_needs_interpreter="yes",
        employee_email="mq@example.org",
        **CONSENT,
    )
    client.post("/intake/new/", sent)

    case = Case.objects.get()
    employee = case.parties.get(role="EMPLOYEE")
    assert (employee.language, employee.needs_interpreter) == ("Spanish", True)
    assert (employee.email, employee.eservice_on) == ("mq@example.org", None)
    administrator = case.parties.get(role="CLAIMS_ADMINISTRATOR")
    assert administrator.eservice_on == date(2026, 1, 5)
    assert administrator.eservice_recorded_by == clerk
    assert administrator.eservice_recorded_at == MONDAY + timedelta(hours=3)
    page = client.get(reverse("cases:parties", args=[case.number])).content.decode()
    words = " ".join(html.unescape(page).split())
    assert "Prefers Spanish. Needs an interpreter." in words
    assert "Consented to electronic service Jan 5, 2026: Letter of 1/5/2026." in words
    assert "Recorded by Rosa Okafor" in words


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"administrator_email": ""}, "email", "Enter the email address"),
        ({"administrator_eservice_on": ""}, "eservice_on", "consented to electronic service"),
        ({"administrator_eservice_on": "3/3/26"}, "eservice_on", "dated in the future"),
        ({"administrator_eservice_basis": ""}, "eservice_basis", "the paper or the call"),
        ({"administrator_email": "claims at example"}, "email", "valid email address"),
    ],
)
def test_intake_refuses_email_without_consent_beside_the_field(
    client, clerk, changes, field, sentence
):
    answer = intake.post_refused_form(client, **CONSENT | changes)

    assert sentence in intake.list_field_errors(answer)[f"administrator_{field}"]
    assert answer.context["form"].email_sections["administrator"]["is_open"]


def test_a_consent_is_recorded_later_and_outlives_other_changes(client, set_clock):
    set_clock(LATER)
    first, second = person(Role.COORDINATOR), person(Role.COORDINATOR)
    case = received_case()
    party = case.parties.get(role="EMPLOYEE_ATTORNEY")
    client.force_login(first)
    address = reverse("cases:change_party", args=[case.number, party.pk])
    refused = client.post(
        address, make_form_data(party, preferred_channel="ELECTRONIC", email="a@law.example")
    )
    assert refused.status_code == 422
    assert "consented to electronic service" in html.unescape(refused.content.decode())
    client.post(address, make_form_data(party, **BY_EMAIL | {"eservice_on": "1/5/2026"}))

    def current():
        (found,) = case.parties.current().filter(role="EMPLOYEE_ATTORNEY")
        return found

    recorded = current()
    assert (recorded.preferred_channel, recorded.eservice_recorded_by) == ("ELECTRONIC", first)
    event = case.events.latest("pk")
    assert ["Consent to electronic service", "not stated", "Mon, Jan 5, 2026"] in (
        event.facts["changes"]
    )

    def change(**changes):
        services.change_party_details(
            case_id=case.pk,
            party_id=current().pk,
            details=make_details(current(), **changes),
            since=None,
            why="Their call.",
            by=second,
            at=LATER + timedelta(hours=1),
        )

    change(phone="916 555 0100", language="Spanish")
    assert (current().eservice_recorded_by, current().eservice_recorded_at) == (first, LATER)
    change(eservice_basis="Email of 3/5/2026")
    assert current().eservice_recorded_by == second
    change(preferred_channel="MAIL", eservice_on=None, eservice_basis="")
    assert (current().eservice_recorded_by, current().eservice_recorded_at) == (None, None)


def test_known_parties_bring_their_email_and_consent(clerk):
    received_case(parties=with_email())

    (found,) = find_known_parties(field="administrator", typed="pacific")

    assert {name: found.fills[name] for name in CONSENT} == {
        **CONSENT,
        "administrator_eservice_on": "01/05/2026",
    }
    (attorney,) = find_known_parties(field="attorney", typed="castel")
    assert attorney.fills["attorney_eservice_on"] == ""


def test_nothing_stores_a_party_for_email_without_its_consent(clerk):
    with pytest.raises(BadFact, match="consented to electronic service"):
        received_case(parties=with_email(eservice_on=None, eservice_basis=""))
    party = received_case().parties.get(role="CLAIMS_ADMINISTRATOR")
    party.pk, party.preferred_channel = None, "ELECTRONIC"
    party.email = "claims@example.org"
    with pytest.raises(IntegrityError), transaction.atomic():
        party.save(force_insert=True)
    assert not Party.objects.filter(preferred_channel="ELECTRONIC").exists()
