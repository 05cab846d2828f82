"""Parties after intake: who joins, moves or leaves is dated, and what went out keeps its names."""

import html
from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import PERMISSIONS, Role
from cases.models import Event, Party, PartyRole
from cases.services import endings
from cases.services import parties as services
from cases.services.parties import PartyChanged, PartyDetails, PartyOnForm
from correspondence.services.notices import list_notice_recipients, make_notices
from determinations.services import issuing
from eligibility.services import screening
from letters.models import Service
from reviewers import policies as reviewer_policies
from tests.determinations.factories import make_approved_case, make_submitted_case
from tests.factories import (
    BY_EMAIL,
    MONDAY,
    SIX_YES,
    eligible_case,
    noticed_case,
    person,
    received_case,
)
from tests.letters.factories import publish_sample_wording
from tests.records.factories import in_review, sign_attestation

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(days=9)
TODAY = date(2026, 3, 11)
NEW_ADDRESS = "77 Quay Street\nOakland CA 94607"
CHANGERS = PERMISSIONS["cases.change_parties"]


@pytest.fixture
def coordinator(client, set_clock):
    set_clock(LATER)
    user = person(Role.COORDINATOR)
    client.force_login(user)
    return user


def list_current_parties(case, role, on=TODAY):
    return [one for one in services.current_parties(case, on=on) if one.role == role]


def get_attorney(case, on=TODAY):
    (found,) = list_current_parties(case, "EMPLOYEE_ATTORNEY", on)
    return found


def make_details(party, **changes):
    names = PartyDetails.__dataclass_fields__
    return PartyDetails(**{name: getattr(party, name) for name in names} | changes)


def change_party(case, party, by, *, since=None, why="Their letter of today.", at=LATER, **changes):
    return services.change_party_details(
        case_id=case.pk,
        party_id=party.pk,
        details=make_details(party, **changes),
        since=since,
        why=why,
        by=by,
        at=at,
    )


def end_party(case, party, by, *, last_day=TODAY, why="Substitution of attorney.", at=LATER):
    return services.end_party_role(
        case_id=case.pk, party_id=party.pk, last_day=last_day, why=why, by=by, at=at
    )


def add_party(
    case, by, role="DEFENSE_ATTORNEY", name="Noor Haddad", *, since=None, item_id=None, **more
):
    return services.add_party_to_case(
        case_id=case.pk,
        party=PartyOnForm(role=PartyRole(role), name=name, **more),
        since=since,
        item_id=item_id,
        why="Notice of appearance.",
        by=by,
        at=LATER,
    )


def last_event(case):
    return case.events.order_by("pk").last()


# --- dated history --------------------------------------------------------------------------------


@pytest.mark.capability("IN-10")
def test_a_new_address_is_dated_and_a_sent_letter_keeps_the_old_one(coordinator):
    case = noticed_case()
    old = get_attorney(case)

    new = change_party(case, old, coordinator, since=date(2026, 3, 9), address=NEW_ADDRESS)

    assert get_attorney(case).pk == new.pk
    assert get_attorney(case, date(2026, 3, 9)).address == NEW_ADDRESS
    assert get_attorney(case, date(2026, 3, 8)).address == old.address
    sent = case.notices.get(party__role="EMPLOYEE_ATTORNEY")
    assert (sent.party, sent.service.address) == (old, old.address)
    assert [one.address for one in services.former_parties(case, on=TODAY)] == [old.address]


@pytest.mark.capability("IN-10")
def test_the_timeline_shows_the_person_the_reason_and_both_addresses(coordinator):
    case = received_case()
    old = get_attorney(case)

    new = change_party(case, old, coordinator, since=TODAY, address=NEW_ADDRESS)

    event = last_event(case)
    assert (event.kind, event.by, event.why) == (
        Event.Kind.PARTY_CHANGED,
        coordinator,
        "Their letter of today.",
    )
    assert event.sentence == (
        "Injured worker’s attorney: Ruth Castellanos: address changed from Wed, Mar 11, 2026."
    )
    assert event.facts["changes"] == [["Address", old.address, NEW_ADDRESS]]
    assert (event.facts["was"], event.facts["party"]) == (old.pk, new.pk)


def test_a_correction_replaces_the_row_from_its_first_day(coordinator):
    case = received_case()
    old = get_attorney(case)

    new = change_party(case, old, coordinator, phone="916 555 0100")

    assert new.corrects == old
    assert get_attorney(case, date(2026, 1, 1)).pk == new.pk
    assert case.parties.known_at(LATER - timedelta(seconds=1)).filter(pk=old.pk).exists()
    assert not services.former_parties(case, on=TODAY)


@pytest.mark.capability("IN-10")
def test_a_former_representative_gets_no_more_letters(coordinator):
    case = eligible_case()
    representative = add_party(
        case, coordinator, "REPRESENTATIVE", "Ola Brandt", since=date(2026, 2, 20)
    )

    end_party(case, representative, coordinator, last_day=date(2026, 3, 10))

    assert [one.name for one in list_notice_recipients(case, on=date(2026, 3, 10))].count(
        "Ola Brandt"
    ) == 1
    assert "Ola Brandt" not in [one.name for one in list_notice_recipients(case, on=TODAY)]
    (gone,) = services.former_parties(case, on=TODAY)
    assert (gone.name, gone.valid_from, gone.valid_to) == (
        "Ola Brandt",
        date(2026, 2, 20),
        date(2026, 3, 10),
    )


@pytest.mark.capability("IN-10")
def test_a_designation_before_the_ur_decision_is_void_and_adds_no_party(coordinator):
    case = received_case()
    with pytest.raises(
        NotAllowed, match="is void: it was signed before the UR decision of Thu, Feb 12"
    ):
        add_party(case, coordinator, "REPRESENTATIVE", "Ola Brandt", since=date(2026, 2, 11))
    with pytest.raises(NotAllowed, match="signed the designation"):
        add_party(case, coordinator, "REPRESENTATIVE", "Ola Brandt")
    assert not list_current_parties(case, "REPRESENTATIVE")
    assert add_party(case, coordinator, "REPRESENTATIVE", "Ola Brandt", since=date(2026, 2, 12))


def test_a_new_claims_administrator_gets_the_notice(coordinator):
    publish_sample_wording()
    case = eligible_case()
    (old,) = list_current_parties(case, "CLAIMS_ADMINISTRATOR")
    with pytest.raises(NotAllowed, match="Pacific Comp Claims is the claims administrator"):
        add_party(case, coordinator, "CLAIMS_ADMINISTRATOR", "Sierra Claims")
    end_party(case, old, coordinator, last_day=date(2026, 3, 10))
    add_party(
        case, coordinator, "CLAIMS_ADMINISTRATOR", "Sierra Claims", since=TODAY, address="1 A St"
    )

    made = make_notices(case_id=case.pk, by=coordinator, at=LATER)

    names = [notice.service.recipient_name for notice in made]
    assert "Sierra Claims" in names
    assert "Pacific Comp Claims" not in names


def test_a_manufacturer_is_a_party_of_one_item_of_this_case_only(coordinator):
    case, other = received_case(), received_case()
    maker = add_party(
        case, coordinator, "MANUFACTURER", "Helix Devices", item_id=case.items.get().pk
    )
    assert maker.item == case.items.get()
    assert maker.organization is not None
    with pytest.raises(NotAllowed, match="an item of this case"):
        add_party(case, coordinator, "MANUFACTURER", "Other", item_id=other.items.get().pk)
    with pytest.raises(NotAllowed, match="an item of this case"):
        add_party(case, coordinator, "INSURER", "Other", item_id=case.items.get().pk)


def test_unsent_letters_to_the_party_are_named(client, coordinator):
    publish_sample_wording()
    case = eligible_case()
    make_notices(case_id=case.pk, by=coordinator, at=LATER)
    old = get_attorney(case)
    title = Service.objects.get(recipient_name=old.name).letter.title

    shown = client.get(reverse("cases:change_party", args=[case.number, old.pk]))
    change_party(case, old, coordinator, since=TODAY, address=NEW_ADDRESS)

    assert title in html.unescape(shown.content.decode())
    event = last_event(case)
    assert event.facts["unsent"] == [title]
    assert event.sentence.endswith("Written but not sent yet: 1 letter.")


# --- conflicts ------------------------------------------------------------------------------------


@pytest.mark.capability("MC-3")
def test_a_party_added_on_the_case_page_closes_the_reviewers_file(coordinator):
    assignment = in_review()
    case, reviewer = assignment.case, assignment.reviewer.user
    before = case.party_list_version
    assert reviewer_policies.can_open_file(reviewer, case)

    added = add_party(case, coordinator)

    case.refresh_from_db()
    assert (case.party_list_version, added.list_version) == (before + 1, before + 1)
    assert "Attest again" in reviewer_policies.why_not_open_file(reviewer, case)
    sign_attestation(assignment, at=LATER)
    case.refresh_from_db()
    assert reviewer_policies.can_open_file(reviewer, case)


@pytest.mark.capability("MC-3")
def test_a_new_name_or_contact_changes_the_party_list_and_an_address_does_not(coordinator):
    assignment = in_review()
    case, reviewer = assignment.case, assignment.reviewer.user
    before = case.party_list_version

    moved = change_party(case, get_attorney(case), coordinator, since=TODAY, address=NEW_ADDRESS)
    end_party(case, moved, coordinator)
    case.refresh_from_db()
    assert case.party_list_version == before
    assert reviewer_policies.can_open_file(reviewer, case)

    (administrator,) = list_current_parties(case, "CLAIMS_ADMINISTRATOR")
    change_party(case, administrator, coordinator, contact="Jo Lindqvist")
    case.refresh_from_db()
    assert case.party_list_version == before + 1
    assert not reviewer_policies.can_open_file(reviewer, case)


def list_missing_proofs(case):
    return issuing.describe_missing_proofs(case.assignments.get(), at=LATER)


def test_an_address_that_changes_after_approval_leaves_the_proofs_of_no_conflict(coordinator):
    case = make_approved_case(make_submitted_case())
    assert list_missing_proofs(case) == ""
    moved = change_party(case, get_attorney(case), coordinator, since=TODAY, address=NEW_ADDRESS)
    change_party(case, moved, coordinator, phone="916 555 0100")

    assert list_missing_proofs(case) == ""


def test_a_party_added_after_approval_stops_the_issue_until_the_reviewer_attests(coordinator):
    case = make_approved_case(make_submitted_case())
    add_party(case, coordinator)
    assert "attestation" in list_missing_proofs(case)
    sign_attestation(case.assignments.get(), at=LATER)
    assert list_missing_proofs(case) == ""


# --- refusals -------------------------------------------------------------------------------------


def test_a_party_changed_by_someone_else_cannot_be_changed_from_an_old_page(client, coordinator):
    case = received_case()
    old = get_attorney(case)
    change_party(case, old, coordinator, phone="916 555 0100")

    with pytest.raises(PartyChanged, match="Someone else changed this party"):
        change_party(case, old, coordinator, phone="916 555 0199")
    with pytest.raises(PartyChanged):
        end_party(case, old, coordinator)
    answer = client.post(
        reverse("cases:change_party", args=[case.number, old.pk]),
        make_form_data(old, phone="916 555 0199"),
    )
    assert answer.status_code == 409
    shown = html.unescape(answer.content.decode())
    assert 'value="916 555 0199"' in shown
    assert "916 555 0100" in shown
    assert get_attorney(case).phone == "916 555 0100"


def test_a_party_that_has_ended_cannot_be_changed(coordinator):
    case = received_case()
    ended = end_party(case, get_attorney(case), coordinator, last_day=date(2026, 3, 10))
    with pytest.raises(PartyChanged, match="ended on Tue, Mar 10, 2026"):
        change_party(case, ended, coordinator, phone="1")


@pytest.mark.parametrize(
    ("changes", "since", "why", "sentence"),
    [
        ({}, None, "Why.", "Nothing was changed"),
        ({"phone": "1"}, None, " ", "Enter the reason"),
        ({"name": " "}, None, "Why.", "Enter the name"),
        ({"preferred_channel": "FAX"}, None, "Why.", "Enter the fax number"),
        ({"preferred_channel": "ELECTRONIC"}, None, "Why.", "Enter the email address"),
        ({"preferred_channel": "PIGEON"}, None, "Why.", "Choose how letters are sent"),
        ({"phone": "1"}, date(2026, 3, 12), "Why.", "in the future"),
    ],
)
def test_an_impossible_change_is_refused_and_writes_nothing(
    coordinator, changes, since, why, sentence
):
    case = received_case()
    before = (Party.objects.count(), Event.objects.count())
    with pytest.raises(NotAllowed, match=sentence):
        change_party(case, get_attorney(case), coordinator, since=since, why=why, **changes)
    assert (Party.objects.count(), Event.objects.count()) == before


def test_a_change_before_the_last_one_is_refused(coordinator):
    case = received_case()
    moved = change_party(
        case, get_attorney(case), coordinator, since=date(2026, 3, 9), address=NEW_ADDRESS
    )
    with pytest.raises(NotAllowed, match="Enter a later date"):
        change_party(case, moved, coordinator, since=date(2026, 3, 9), address="1 A St")
    with pytest.raises(NotAllowed, match="cannot end before"):
        end_party(case, moved, coordinator, last_day=date(2026, 3, 8))


def test_the_employee_cannot_leave_and_no_party_has_the_same_role_twice(coordinator):
    case = received_case()
    (employee,) = list_current_parties(case, "EMPLOYEE")
    with pytest.raises(NotAllowed, match="The employee’s role cannot end"):
        end_party(case, employee, coordinator)
    with pytest.raises(NotAllowed, match="already on the case"):
        add_party(case, coordinator, "EMPLOYEE_ATTORNEY", "RUTH  CASTELLANOS")
    with pytest.raises(NotAllowed, match="in the future"):
        end_party(case, get_attorney(case), coordinator, last_day=date(2026, 3, 12))


def test_a_closed_case_keeps_its_parties(coordinator):
    case = received_case()
    endings.withdraw_case(case_id=case.pk, reason="Taken back.", by=coordinator, at=LATER)
    endings.close_case(case_id=case.pk, reason="Taken back.", by=coordinator, at=LATER)
    with pytest.raises(NotAllowed, match="is closed"):
        add_party(case, coordinator)
    with pytest.raises(NotAllowed, match="is closed"):
        change_party(case, get_attorney(case), coordinator, phone="1")


@pytest.mark.parametrize("role", sorted(set(Role) - CHANGERS))
def test_other_roles_change_no_party(client, role):
    case, user = received_case(), person(role)
    with pytest.raises(NotAllowed, match="a coordinator or a supervisor"):
        add_party(case, user)
    with pytest.raises(NotAllowed, match="a coordinator or a supervisor"):
        change_party(case, get_attorney(case), user, phone="1")
    client.force_login(user)
    party = get_attorney(case)
    for name in ("change_party", "end_party"):
        address = reverse(f"cases:{name}", args=[case.number, party.pk])
        assert client.post(address, make_form_data(party, phone="1")).status_code in {403, 404}
    assert get_attorney(case).phone == party.phone


def test_whoever_entered_an_application_corrects_its_names_until_it_is_eligible(client, set_clock):
    clerk, other = person(Role.INTAKE), person(Role.INTAKE)
    case = received_case(by=clerk)
    (employee,) = list_current_parties(case, "EMPLOYEE")
    set_clock(LATER)
    client.force_login(clerk)
    address = reverse("cases:change_party", args=[case.number, employee.pk])
    answer = client.post(address, make_form_data(employee, name="Marisol Quintanilla"))
    assert answer.status_code == 302
    (corrected,) = list_current_parties(case, "EMPLOYEE")
    assert corrected.name == "Marisol Quintanilla"

    with pytest.raises(NotAllowed, match="the person who entered the application"):
        change_party(case, corrected, other, phone="1")
    coordinator = person(Role.COORDINATOR)
    screening.decide_eligibility(
        case_id=case.pk, answers=SIX_YES, notes={}, seen_version=None, by=coordinator, at=LATER
    )
    with pytest.raises(NotAllowed, match="Eligibility is decided"):
        change_party(case, corrected, clerk, phone="1")


# --- the page -------------------------------------------------------------------------------------


def make_form_data(party, **changes):
    return {
        "name": party.name,
        "contact": party.contact,
        "specialty": party.specialty,
        "address": party.address,
        "phone": party.phone,
        "fax": party.fax,
        "email": party.email,
        "preferred_channel": party.preferred_channel,
        "since": "",
        "why": "Their letter.",
    } | changes


def test_the_page_shows_current_and_former_parties_and_those_of_an_earlier_day(client, coordinator):
    case = received_case()
    moved = change_party(
        case, get_attorney(case), coordinator, since=date(2026, 3, 9), address=NEW_ADDRESS
    )
    address = reverse("cases:parties", args=[case.number])

    now = html.unescape(client.get(address).content.decode())
    then = html.unescape(client.get(address, {"on": "3/8/2026"}).content.decode())

    assert now.index("77 Quay Street") < now.index("Former") < now.rindex("PO Box 40122")
    assert "77 Quay Street" not in then
    assert f"party-{moved.pk}" not in then
    odd = client.get(address, {"on": "the day before yesterday"})
    assert (odd.status_code, odd.context["on"]) == (200, None)


def test_a_form_that_is_refused_keeps_what_was_typed(client, coordinator):
    case = received_case()
    party = get_attorney(case)
    answer = client.post(
        reverse("cases:change_party", args=[case.number, party.pk]),
        make_form_data(party, preferred_channel="ELECTRONIC", contact="Jo Lindqvist"),
    )
    shown = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "Enter the email address" in shown
    assert 'value="Jo Lindqvist"' in shown
    assert get_attorney(case).contact == ""


def test_an_electronic_channel_with_its_address_is_kept_on_the_delivery(client, coordinator):
    publish_sample_wording()
    case = eligible_case()
    party = get_attorney(case)
    answer = client.post(
        reverse("cases:change_party", args=[case.number, party.pk]),
        make_form_data(
            party, **BY_EMAIL | {"email": "r.castellanos@law.example", "eservice_on": "1/5/2026"}
        ),
    )
    assert answer.status_code == 302
    make_notices(case_id=case.pk, by=coordinator, at=LATER)
    service = Service.objects.get(recipient_name=party.name)
    assert (service.method, service.address) == ("ELECTRONIC", "r.castellanos@law.example")


@pytest.mark.capability("defect 12")
def test_a_party_of_another_case_is_not_found(client, coordinator):
    case, other = received_case(), received_case()
    party = get_attorney(other)
    before = Party.objects.count()
    for name in ("change_party", "end_party"):
        address = reverse(f"cases:{name}", args=[case.number, party.pk])
        assert client.get(address).status_code == 404
        assert (
            client.post(address, make_form_data(party, phone="1", last_day="t")).status_code == 404
        )
    with pytest.raises(Party.DoesNotExist):
        change_party(case, party, coordinator, phone="1")
    assert Party.objects.count() == before


@pytest.mark.capability("defect 13")
def test_fields_that_are_not_on_the_form_change_nothing(client, coordinator):
    case, stranger = received_case(), person(Role.AUDITOR)
    party = get_attorney(case)
    client.post(
        reverse("cases:change_party", args=[case.number, party.pk]),
        make_form_data(party, phone="916 555 0100")
        | {
            "role": "EMPLOYEE",
            "person": 1,
            "list_version": 99,
            "recorded_by": stranger.pk,
            "by": stranger.pk,
            "withdrawn": "true",
        },
    )
    after = get_attorney(case)
    assert (after.role, after.person_id, after.list_version, after.withdrawn) == (
        "EMPLOYEE_ATTORNEY",
        party.person_id,
        party.list_version,
        False,
    )
    assert (after.recorded_by, last_event(case).by) == (coordinator, coordinator)


def test_a_party_is_added_on_the_page(client, coordinator):
    case = received_case()
    form = make_form_data(get_attorney(case)) | {
        "role": "MANUFACTURER",
        "name": "Helix Devices",
        "item": case.items.get().pk,
    }
    address = reverse("cases:add_party", args=[case.number])
    assert client.get(address).status_code == 200
    assert client.post(address, form).status_code == 302
    assert [one.name for one in list_current_parties(case, "MANUFACTURER")] == ["Helix Devices"]

    refused = client.post(address, form | {"role": "REPRESENTATIVE", "item": ""})
    assert refused.status_code == 422
    assert "signed the designation" in html.unescape(refused.content.decode())
    ended = client.post(
        reverse("cases:end_party", args=[case.number, get_attorney(case).pk]),
        {"last_day": "t", "why": "Substitution."},
    )
    assert ended.status_code == 302
