"""The search box: what each role finds, by groups, and what it never finds."""

import html
import re

import pytest
from django.urls import reverse

from accounts.roles import PERMISSIONS, Role
from cases.models import Case, Party, PartyRole
from cases.services import restrictions
from desk import places
from imr_portal.audiences import AUDIENCES
from intake.services.receiving import ItemOnForm
from tests.factories import MONDAY, eligible_case, parties, person, received_case
from tests.reviewers.factories import fit_reviewer

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(scope="module")
def case(module_db):
    """A case whose names, treatment and letter no other case has."""
    fit_reviewer(first_name="Zebulon", last_name="Quartermain")
    return eligible_case(
        parties=parties(
            EMPLOYEE="Siobhán Vandermolen",
            CLAIMS_ADMINISTRATOR="Sierra Madre Claims, Inc.",
            REQUESTING_PHYSICIAN="Ignatius Oyelaran-Bright",
            EMPLOYEE_ATTORNEY="Philippa Wetherby",
        ),
        items=[ItemOnForm(title="Gadolinium arthrogram of the left shoulder")],
    )


def find(client, query, role=Role.COORDINATOR, **more):
    client.force_login(person(role))
    return client.get(reverse("desk:jump"), {"q": query}, **more)


def hits_of(answer):
    """The hits by the headings of their groups."""
    return {group.heading: list(group.hits) for group in answer.context["groups"]}


@pytest.mark.parametrize(
    ("query", "heading", "kind"),
    [
        ("vandermolen", "Injured workers", "Injured worker"),
        ("Vandermolen, Siobhan", "Injured workers", "Injured worker"),
        ("oyelaran bright", "Other people", "Requesting physician"),
        ("Wetherby", "Other people", "Injured worker’s attorney"),
        ("sierra mad", "Organizations", "Claims administrator"),
        ("Madre Claims Inc", "Organizations", "Claims administrator"),
        ("arthrogram", "Treatments", "Treatment"),
        ("Left shoulder gadolinium", "Treatments", "Treatment"),
        ("acknowledgment vandermolen", "Letters", "Acknowledgment of the application"),
        ("Acknowledg", "Letters", "Acknowledgment of the application"),
        ("quartermain", "Reviewers", "Reviewer"),
        ("Eligibility", "Pages", "Page"),
        ("outstanding rec", "Pages", "Page"),
        ("close a case", "Actions", "Action"),
        ("expedited", "Actions", "Action"),
    ],
)
def test_each_sort_of_thing_is_found_under_its_heading(client, case, query, heading, kind):
    answer = find(client, query)

    assert kind in {hit.kind for hit in hits_of(answer)[heading]}
    page = html.unescape(answer.content.decode())
    assert re.search(rf"<h2[^>]*>{heading}</h2>", page)
    options = html.unescape(find(client, query, **HTMX).content.decode())
    assert f">{heading}" in options
    assert kind in options


def test_every_hit_of_a_search_opens_for_the_person_who_found_it(client, case):
    for role in Role:
        client.force_login(person(role))
        for query in ("vandermolen", "quartermain", "sierra", "wetherby", "a", "re", "case", "do",
                      "acknowledgment", case.number[:-1], "arthrogram", "change"):  # fmt: skip
            for hits in hits_of(client.get(reverse("desk:jump"), {"q": query})).values():
                for hit in hits:
                    assert client.get(hit.url).status_code in {200, 302}, (role, hit)


def test_an_action_is_found_by_exactly_the_roles_that_may_open_its_page(client, case):
    for action in places.CASE_ACTIONS:
        audience = AUDIENCES[action.url_name]
        for role in Role:
            found = hits_of(find(client, action.label, role)).get("Actions", [])
            may = any(
                role in PERMISSIONS[permission]
                for permission in ([audience] if isinstance(audience, str) else audience)
            )
            assert (action.label in {hit.label for hit in found}) is may, (role, action.label)


def test_the_page_of_every_action_opens_for_who_is_offered_it(client, case):
    for role in (Role.COORDINATOR, Role.SUPERVISOR, Role.DIRECTOR, Role.QA, Role.INTAKE):
        client.force_login(person(role))
        referer = f"http://testserver{case.get_absolute_url()}"
        for action in places.CASE_ACTIONS:
            answer = client.get(reverse("desk:jump"), {"q": action.label}, HTTP_REFERER=referer)
            for hit in hits_of(answer).get("Actions", []):
                assert client.get(hit.url).status_code == 200, (role, hit.url)


def test_holidays_are_found_by_those_who_keep_them_and_by_nobody_else(client):
    assert hits_of(find(client, "holidays", Role.DIRECTOR))["Pages"][0].url == "/holidays/"
    assert hits_of(find(client, "holiday", Role.ADMINISTRATOR))["Pages"]
    assert not hits_of(find(client, "holiday", Role.COORDINATOR))


def test_an_action_asks_for_its_case_and_leads_to_its_page(client, case):
    (hit,) = [
        one
        for one in hits_of(find(client, "Close a case"))["Actions"]
        if one.label == "Close a case"
    ]
    page = client.get(hit.url)
    assert "Choose the case." in page.content.decode()

    found = client.get(hit.url, {"action": "close", "q": "vandermolen"})
    assert [one.url for one in hits_of(found)["Cases"]] == [
        reverse("cases:close", args=[case.number])
    ]
    whole = client.get(hit.url, {"action": "close", "q": case.number})
    assert whole.url == reverse("cases:close", args=[case.number])


def test_an_action_is_refused_to_who_may_not_do_it(client, case):
    client.force_login(person(Role.INTAKE))
    assert client.get(reverse("desk:jump"), {"action": "close"}).status_code == 403
    assert client.get(reverse("desk:jump"), {"action": "no-such"}).status_code == 200


def test_from_the_page_of_a_case_an_action_leads_to_that_case(client, case):
    referer = f"http://testserver{case.get_absolute_url()}"
    hits = hits_of(find(client, "begin a hold", HTTP_REFERER=referer))["Actions"]
    assert [hit.url for hit in hits] == [reverse("cases:begin_hold", args=[case.number])]


@pytest.mark.parametrize("role", sorted(set(Role) - PERMISSIONS["cases.view_case"]))
def test_who_sees_no_case_finds_no_worker_party_letter_or_treatment(client, case, role):
    for query in (
        "vandermolen",
        "sierra madre",
        "wetherby",
        "arthrogram",
        "acknowledgment",
        "CM26",
    ):
        found = hits_of(find(client, query, role))
        assert not found.keys() - {"Pages", "Actions"}, (query, found)
        assert case.number not in client.get(reverse("desk:jump"), {"q": query}).content.decode()


@pytest.mark.parametrize("role", sorted(set(Role) - PERMISSIONS["reviewers.view_identity"]))
def test_reviewers_are_found_only_by_who_may_know_them(client, case, role):
    page = find(client, "quarterm", role).content.decode()
    assert "Quartermain" not in page
    assert "R-0" not in page


def test_staff_are_never_found(client, case):
    person(Role.QA, name="Xanthippe Farfel", email="xf@example.org")
    for query in ("Xanthippe", "farfel", "xf@example.org"):
        assert not hits_of(find(client, query)), query


def test_what_is_known_only_from_a_restricted_case_is_not_found(client):
    case = eligible_case(
        parties=parties(
            EMPLOYEE="Hidden Hollander",
            CLAIMS_ADMINISTRATOR="Concealed Indemnity",
            REQUESTING_PHYSICIAN="Obscura Penumbra",
            EMPLOYEE_ATTORNEY="",
        ),
        items=[ItemOnForm(title="Umbrella therapy")],
    )
    queries = ("hollander", "concealed", "penumbra", "umbrella", "acknowledgment", case.number)
    supervisor = person(Role.SUPERVISOR)
    client.force_login(supervisor)
    addresses = {
        hit.url
        for query in queries[:3]
        for hits in hits_of(client.get(reverse("desk:jump"), {"q": query})).values()
        for hit in hits
        if hit.url.startswith("/parties/")
    }
    assert len(addresses) == 3
    restrictions.restrict_case(
        case_id=case.pk, ground="OTHER", reason="A relative", by=supervisor, at=MONDAY
    )

    for query in queries:
        answer = find(client, query)
        assert case.number not in answer.content.decode().replace(query, ""), query
        found = hits_of(answer)
        assert not found.keys() & {"Injured workers", "Other people", "Organizations", "Treatments"}
    for address in addresses:
        assert client.get(address).status_code == 404, address


def test_a_search_makes_few_queries_however_much_matches(
    client, case, django_assert_max_num_queries
):
    client.force_login(person(Role.COORDINATOR))
    client.get(reverse("desk:jump"))
    for query in ("vandermolen", "acknowledgment van", "sierra", "re"):
        # Two of them are of the session, one of the counts of the menu, one of the access log.
        with django_assert_max_num_queries(17):
            client.get(reverse("desk:jump"), {"q": query})


# --- The page of a person or organization ---------------------------------------------------------


def test_the_page_of_a_worker_shows_all_cases_of_the_worker_and_no_other(client, case):
    again = received_case(parties=parties(EMPLOYEE="Siobhán Vandermolen"))
    other = received_case()
    worker = Party.objects.get(case=case, role=PartyRole.EMPLOYEE)
    client.force_login(person(Role.INTAKE))

    page = client.get(reverse("desk:person", args=[worker.person_id])).content.decode()

    assert case.number in page
    assert again.number in page
    assert "Screening" in page or "Eligible" in page
    assert "Acknowledgment" not in page  # a draft is no letter to the worker yet
    assert other.number not in page


def test_the_page_of_an_administrator_lists_open_and_closed_cases_and_letters(client, case):
    administrator = Party.objects.get(case=case, role=PartyRole.CLAIMS_ADMINISTRATOR)
    client.force_login(person(Role.MAILROOM))

    page = client.get(reverse("desk:organization", args=[administrator.organization_id]))

    assert page.context["open_cases"].cases == [case]
    assert page.context["closed_cases"].cases == []
    assert "Sierra Madre Claims" in page.content.decode()


def test_the_case_leads_to_the_pages_of_its_worker_and_its_parties(client, case):
    client.force_login(person(Role.COORDINATOR))
    page = client.get(case.get_absolute_url()).content.decode()

    for party in case.parties.all():
        kind, pk = ("person", party.person_id) if party.person_id else (
            "organization", party.organization_id)  # fmt: skip
        assert f'href="{reverse(f"desk:{kind}", args=[pk])}"' in page, party


def test_long_lists_are_paged(client, case, monkeypatch):
    monkeypatch.setattr("desk.party_pages.PAGE", 1)
    again = received_case(parties=parties(EMPLOYEE="Siobhán Vandermolen"))
    worker = Party.objects.get(case=case, role=PartyRole.EMPLOYEE)
    address = reverse("desk:person", args=[worker.person_id])
    client.force_login(person(Role.COORDINATOR))

    first = client.get(address).context["open_cases"]
    rest = client.get(address, {"after": first.next_key}).context["open_cases"]

    assert [*first.cases, *rest.cases] == sorted(
        Case.objects.filter(pk__in=[case.pk, again.pk]), key=lambda one: (one.list_day, one.pk)
    )
    assert not rest.next_key
    assert client.get(address, {"after": "x"}).status_code == 404
    assert client.get(reverse("desk:person", args=[10**6])).status_code == 404
