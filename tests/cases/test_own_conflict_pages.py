"""Pages of this organization's members and conflicts, and their notice on the case page."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.roles import Role
from cases.models import MemberAffiliation, OrganizationMember, OwnConflictResult
from tests.cases.test_own_conflicts import (
    EMPLOYER,
    record_member,
    record_member_affiliation,
    record_staff_member,
)
from tests.factories import MONDAY, person, received_case
from tests.reviewers.factories import ready_case

pytestmark = pytest.mark.django_db

OWN_ORGANIZATION, CONFLICTS = reverse("cases:own_organization"), reverse("cases:own_conflicts")


@pytest.fixture
def keeper(client, set_clock):
    set_clock(MONDAY + timedelta(hours=4))
    user = person(Role.CREDENTIALING)
    client.force_login(user)
    return user


@pytest.fixture
def director(client, set_clock):
    set_clock(MONDAY + timedelta(hours=4))
    user = person(Role.DIRECTOR)
    client.force_login(user)
    return user


def add_member(client, kind, **fields):
    fields = {"source": "Register of companies"} | fields
    return client.post(reverse("cases:add_organization_member", args=[kind]), fields)


def find_form_errors(answer, name):
    """The errors of the form on the page that has any, beside one field."""
    forms = [form for _, _, _, form in answer.context["sections"]]
    return next(form.errors.get(name) for form in forms if form.errors)


@pytest.mark.capability("CO-9")
def test_an_owner_is_recorded_and_shown_with_the_dates_of_ownership(client, keeper):
    answer = add_member(
        client,
        "OWNER",
        name="Far Holdings",
        is_company="on",
        share_percent="12.5",
        valid_from="1/2/20",
    )

    row = OrganizationMember.objects.get()
    assert answer.url == reverse("cases:organization_member", args=[row.pk])
    assert (row.recorded_by, row.valid_from) == (keeper, date(2020, 1, 2))
    assert row.organization.names.get().printed == "Far Holdings"
    page = client.get(OWN_ORGANIZATION).content.decode()
    assert "Far Holdings" in page
    assert "12.50%" in page
    then = client.get(OWN_ORGANIZATION, {"on": "1/1/2020"}).content.decode()
    assert "Far Holdings" not in then
    assert "As of" in then


@pytest.mark.capability("CO-9")
@pytest.mark.parametrize(
    ("kind", "fields", "field", "sentence"),
    [
        ("OWNER", {"name": ""}, "name", "Enter the name."),
        ("OWNER", {"name": "A", "share_percent": "much"}, "share_percent", "Enter a number"),
        ("OWNER", {"name": "A", "share_percent": "101"}, "share_percent", "at most 100 percent"),
        ("OWNER", {"name": "A", "share_percent": "0"}, "share_percent", "must be above 0"),
        ("OWNER", {"name": "A", "share_percent": "12345"}, "share_percent", "a number up to 100"),
        ("OWNER", {"name": "A", "valid_from": "soon"}, "valid_from", ""),
        (
            "OFFICER",
            {"name": "A", "title": "Chair", "valid_from": "2/1/26", "valid_to": "1/1/26"},
            "valid_to",
            "The last day is before the first day",
        ),
        ("OFFICER", {"name": "A"}, "title", "Enter the office"),
        ("OFFICER", {"name": "x" * 301, "title": "Chair"}, "name", "Shorten it to 300"),
        ("STAFF", {}, "user", "Choose the staff member."),
        ("STAFF", {"user": "99999999"}, "user", ""),
        ("ITSELF", {"name": "A", "source": ""}, "source", "Enter the source."),
    ],
)
def test_an_impossible_value_is_refused_beside_its_field(
    client, keeper, kind, fields, field, sentence
):
    answer = add_member(client, kind, **fields)

    assert answer.status_code == 422
    assert sentence in " ".join(find_form_errors(answer, field))
    assert not OrganizationMember.objects.exists()


@pytest.mark.capability("CO-9")
def test_an_unknown_kind_of_member_is_not_found(client, keeper):
    assert add_member(client, "FRIEND", name="A").status_code == 404


@pytest.mark.capability("CO-9")
def test_staff_without_a_record_are_listed_and_reviewers_are_not_offered(client, keeper):
    clerk, expert = person(Role.INTAKE), person(Role.REVIEWER)

    page = client.get(OWN_ORGANIZATION)

    assert clerk.name in page.context["missing"]
    assert expert.name not in page.content.decode()
    add_member(client, "STAFF", user=str(clerk.pk))
    assert OrganizationMember.objects.get().user == clerk
    assert clerk.name not in client.get(OWN_ORGANIZATION).context["missing"]


@pytest.mark.capability("CO-9")
def test_an_affiliation_is_added_corrected_and_withdrawn_on_the_members_page(client, keeper):
    row = record_member()
    page = reverse("cases:organization_member", args=[row.pk])
    fields = {"relation": "FAMILY", "kin": "SPOUSE", "source": "Statement"}

    refused = client.post(reverse("cases:add_own_conflict", args=[row.pk]), fields)
    assert refused.status_code == 422
    assert refused.context["conflict_form"].errors["organization_name"]

    client.post(
        reverse("cases:add_own_conflict", args=[row.pk]),
        fields | {"organization_name": EMPLOYER, "person_name": "Kim Known"},
    )
    first = MemberAffiliation.objects.get()
    assert f"Kim Known, {EMPLOYER}" in client.get(page).content.decode()

    correct = reverse("cases:correct_organization_fact", args=[row.pk, "affiliation", first.pk])
    refused = client.post(correct, {"valid_to": "never", "source": "Statement"})
    assert refused.status_code == 422
    assert client.post(correct, {"valid_to": "1/31/26", "source": "Decree"}).url == page
    second = MemberAffiliation.objects.get(corrects=first)
    assert (second.valid_to, second.source) == (date(2026, 1, 31), "Decree")
    assert client.post(correct, {"source": "Again"}).status_code == 422

    withdraw = reverse("cases:withdraw_organization_fact", args=[row.pk, "affiliation", second.pk])
    assert client.post(withdraw, {"reason": ""}).status_code == 422
    assert client.post(withdraw, {"reason": "Another Kim"}).url == page
    assert "Kim Known" not in client.get(page).content.decode()


@pytest.mark.capability("CO-9")
def test_a_corrected_member_shows_the_earlier_values(client, keeper):
    row = record_member("OWNER", "Elin Marsh")
    record_member_affiliation(row, "Far Freezers")
    client.post(
        reverse("cases:correct_organization_fact", args=[row.pk, "member", row.pk]),
        {"share_percent": "33", "source": "Deed"},
    )

    page = client.get(reverse("cases:organization_member", args=[row.pk])).content.decode()
    assert "<dd>33%</dd>" in page
    assert "Earlier versions" in page
    assert "Far Freezers" in page
    later = OrganizationMember.objects.get(corrects=row)
    assert "1 affiliation" in client.get(OWN_ORGANIZATION).content.decode()
    client.post(
        reverse("cases:withdraw_organization_fact", args=[row.pk, "member", later.pk]),
        {"reason": "A mistake"},
    )
    assert "Elin Marsh" not in client.get(OWN_ORGANIZATION).content.decode()
    assert (
        "Withdrawn"
        in client.get(reverse("cases:organization_member", args=[row.pk])).content.decode()
    )


@pytest.mark.capability("CO-9")
def test_a_fact_of_another_member_cannot_be_changed_from_this_page(client, keeper):
    one, other = record_member(), record_member("OFFICER", "Another One")
    foreign = record_member_affiliation(other)
    for kind, pk in (("affiliation", foreign.pk), ("member", other.pk), ("letter", one.pk)):
        url = reverse("cases:withdraw_organization_fact", args=[one.pk, kind, pk])
        assert client.post(url, {"reason": "x"}).status_code == 404


@pytest.mark.capability("CO-4")
def test_the_director_sees_a_possible_conflict_on_my_day_and_resolves_it(client, director):
    record_member("OFFICER", "Ruth Castellanos")
    case = received_case()
    doubt = case.own_conflict_results.get()
    assert "1 possible own conflict to resolve" in client.get("/").content.decode()
    page = client.get(CONFLICTS).content.decode()
    assert case.number in page
    resolve = reverse("cases:resolve_own_conflict", args=[doubt.pk])

    refused = client.post(resolve, {f"{doubt.pk}-result": "PASS", f"{doubt.pk}-note": ""})
    assert refused.status_code == 422
    assert "Enter how you know." in refused.content.decode()

    fields = {f"{doubt.pk}-result": "PASS", f"{doubt.pk}-note": "Born in 1990"}
    assert client.post(resolve, fields).url == CONFLICTS
    assert OwnConflictResult.objects.get(resolves=doubt).tested_by == director
    assert "possible affiliation of this organization" not in client.get("/").content.decode()
    again = client.post(resolve, fields)
    assert again.status_code == 422
    assert "already resolved this" in again.content.decode()


@pytest.mark.capability("CO-4")
def test_a_person_who_is_the_subject_of_a_conflict_cannot_resolve_it(client, director):
    record_member("OFFICER", "Ruth Castellanos", user_id=director.pk)
    received_case()

    assert "This concerns you, so someone else" in client.get(CONFLICTS).content.decode()


@pytest.mark.capability("CO-4")
def test_the_case_page_explains_a_conflict_and_names_only_the_member_of_staff(client, set_clock):
    set_clock(MONDAY + timedelta(hours=4))
    record_member_affiliation(record_member("OFFICER", "Elin Marsh"), EMPLOYER, "CONTRACT")
    tied = person(Role.COORDINATOR, name="Cora Coordinator")
    record_member_affiliation(
        record_staff_member(tied), EMPLOYER, "FAMILY", kin="SPOUSE", person_name="Kim Known"
    )
    case = received_case()
    client.force_login(person(Role.COORDINATOR))

    page = client.get(case.get_absolute_url()).content.decode()

    assert "An officer of this organization: a contract with the employer is on file." in page
    assert "Cora Coordinator does not act on this case." in page
    for private in ("Elin Marsh", "Kim Known", "family", "spouse"):
        assert private.lower() not in page.lower(), private
    assert CONFLICTS not in page
    client.force_login(tied)
    assert "You cannot work on case" in client.get(case.get_absolute_url()).content.decode()


@pytest.mark.capability("CO-4")
def test_the_case_page_has_no_conflict_card_without_a_conflict(client, set_clock):
    set_clock(MONDAY + timedelta(hours=4))
    record_member()
    case = received_case()
    client.force_login(person(Role.DIRECTOR))

    page = client.get(case.get_absolute_url()).content.decode()

    assert "Affiliations of this organization" not in page


@pytest.mark.capability("CO-4")
def test_the_assignment_page_explains_why_no_reviewer_can_be_chosen(client, set_clock):
    set_clock(MONDAY + timedelta(hours=5))
    case = ready_case()
    client.force_login(person(Role.COORDINATOR))
    assert client.get(reverse("reviewers:assign", args=[case.number])).status_code == 200
    record_member_affiliation(
        record_member(at=MONDAY + timedelta(hours=4)), EMPLOYER, at=MONDAY + timedelta(hours=4)
    )

    page = client.post(reverse("reviewers:rank", args=[case.number]), follow=True)

    assert page.status_code == 200
    assert "The Administrative Director must assign it" in page.content.decode()
