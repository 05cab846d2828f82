"""My day: what is due and what waits, for each role; and the jump box."""

import html
from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.roles import PERMISSIONS, Role
from cases.models import Case
from cases.services import endings, notes
from queues.services import claims
from tests.factories import MONDAY, eligible_case, parties, person, received_case
from tests.records.factories import in_review
from tests.reviewers.factories import fit_reviewer, ready_case

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}
SEE_CASES = PERMISSIONS["cases.view_case"]


@pytest.fixture(scope="module")
def cases(module_db):
    """A case for each of several roles, by the role that must act next."""
    found = {"COORDINATOR": eligible_case(), "REVIEWER": in_review().case}
    for role, status in (("QA", "QA"), ("DIRECTOR", "APPROVED"), ("MAILROOM", "ISSUED")):
        case = ready_case()
        for step in ("REVIEWER_CHOSEN", "IN_REVIEW", "QA", "APPROVED", "ISSUED"):
            case.move_to(step, by=None, at=MONDAY)
            if step == status:
                break
        found[role] = case
    return {role: Case.objects.get(pk=case.pk) for role, case in found.items()}


def open_my_day(client, role):
    client.force_login(person(role))
    return client.get("/")


@pytest.mark.parametrize("role", ["COORDINATOR", "QA", "DIRECTOR", "MAILROOM"])
def test_everyone_sees_the_cases_that_wait_for_their_role_and_no_others(client, cases, role):
    page = open_my_day(client, Role(role)).content.decode()

    for other, case in cases.items():
        assert (case.number in page) is (other == role), other


@pytest.mark.parametrize("role", sorted(SEE_CASES - {"COORDINATOR", "QA", "DIRECTOR", "MAILROOM"}))
def test_a_role_without_waiting_cases_sees_no_case(client, cases, role):
    answer = open_my_day(client, role)

    assert answer.status_code == 200
    assert not [case for case in cases.values() if case.number in answer.content.decode()]


def test_a_reviewer_is_redirected_to_their_own_list(client, cases):
    assert open_my_day(client, Role.REVIEWER).url == reverse("determinations:my_reviews")


def test_a_reviewer_who_is_a_guideline_administrator_goes_to_their_own_list(client):
    client.force_login(person(Role.REVIEWER, Role.GUIDELINE_ADMIN))

    assert client.get("/").url == reverse("determinations:my_reviews")


def test_a_qa_reviewer_who_is_a_reviewer_does_not_see_cases_of_other_reviewers(client, cases):
    client.force_login(person(Role.REVIEWER, Role.QA))

    answer = client.get("/")

    assert answer.status_code == 200
    assert cases["REVIEWER"].number not in answer.content.decode()


def test_a_coordinator_sees_a_case_that_was_just_received(client):
    case = received_case()

    assert case.number in open_my_day(client, Role.COORDINATOR).content.decode()


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.GUIDELINE_ADMIN])
def test_a_role_that_does_not_work_on_cases_sees_none(client, cases, role):
    answer = open_my_day(client, role)

    assert answer.status_code in {200, 302}
    assert "CM26-" not in answer.content.decode()


def test_a_reviewer_who_is_also_a_director_sees_no_other_reviewers_case(client, cases):
    client.force_login(person(Role.REVIEWER, Role.DIRECTOR))

    page = client.get("/").content.decode()

    assert cases["DIRECTOR"].number in page
    assert cases["REVIEWER"].number not in page


def test_cases_due_today_or_earlier_are_listed_separately(client, cases, set_clock):
    set_clock(MONDAY + timedelta(days=60))
    context = open_my_day(client, Role.COORDINATOR).context
    assert cases["COORDINATOR"] in context["due_today"]

    set_clock(MONDAY)
    context = open_my_day(client, Role.COORDINATOR).context
    assert cases["COORDINATOR"] in context["waiting"]


def test_a_plus_after_the_number_means_that_there_are_more_cases(
    client, cases, set_clock, monkeypatch
):
    eligible_case()
    set_clock(MONDAY + timedelta(days=60))
    count = len(open_my_day(client, Role.COORDINATOR).context["due_today"])

    monkeypatch.setattr("desk.my_day.SHOWN", count)
    assert f"<p>{count}</p>" in open_my_day(client, Role.COORDINATOR).content.decode()

    monkeypatch.setattr("desk.my_day.SHOWN", count - 1)
    assert f"<p>{count - 1}+</p>" in open_my_day(client, Role.COORDINATOR).content.decode()


# --- The jump box ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found_by(module_db):
    names = parties(EMPLOYEE="Siobhán O’Neill-García", REQUESTING_PHYSICIAN="Dana Oyelaran")
    return received_case(claim_number="06-2213-ABC", parties=names)


def search_jump_box(client, query, **more):
    return client.get(reverse("desk:jump"), {"q": query}, **more)


@pytest.fixture
def desk(client):
    client.force_login(person(Role.INTAKE))
    return client


@pytest.mark.parametrize(
    "query",
    ["06-2213-ABC", "062213a", "06 2213", "ONEILL", "o'neill garcia", "siobhan", "García"],
)
def test_a_case_is_found_by_claim_or_employee_however_they_are_written(desk, found_by, query):
    assert found_by.number in search_jump_box(desk, query).content.decode()
    assert found_by.number in search_jump_box(desk, query, **HTMX).content.decode()


def test_a_whole_number_leads_straight_to_the_case(desk, found_by):
    for query in (found_by.number, found_by.number.lower(), f" {found_by.number} "):
        assert search_jump_box(desk, query).url == found_by.get_absolute_url()
    assert found_by.number in search_jump_box(desk, found_by.number, **HTMX).content.decode()


def test_the_beginning_of_a_number_finds_the_newest_first(desk, found_by):
    numbers = [case.number for case in search_jump_box(desk, "CM26").context["cases"]]
    assert found_by.number in numbers
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize("query", ["", " ", "x", "%", "_", "--", "' OR 1=1", "%00"])
def test_too_little_or_nothing_that_fits_finds_nothing(desk, found_by, query):
    answer = search_jump_box(desk, query)

    assert answer.status_code == 200
    assert answer.context["cases"] == []


def test_a_megabyte_of_query_is_answered(desk, found_by):
    assert search_jump_box(desk, "a" * 4000).status_code == 200


@pytest.mark.parametrize("role", sorted(set(Role) - SEE_CASES))
def test_a_role_that_does_not_work_on_cases_finds_none(client, found_by, role):
    client.force_login(person(role))

    answer = search_jump_box(client, found_by.number)

    assert answer.status_code == 200
    assert answer.context["cases"] == []


def test_the_search_text_is_shown_as_text(desk):
    page = search_jump_box(desk, "<script>alert(1)</script>", **HTMX).content.decode()
    assert "<script>" not in page
    assert "<script>alert(1)</script>" in html.unescape(page)


# --- In hand, changed, saved ----------------------------------------------------------------------


def test_cases_assigned_to_me_come_first_and_can_be_unassigned_there(client, cases, set_clock):
    set_clock(MONDAY + timedelta(hours=1))
    ada = person(Role.COORDINATOR)
    taken = claims.claim_next_case(by=ada, at=MONDAY)
    client.force_login(ada)

    page = client.get("/").content.decode()

    assert "Assigned to me" in page
    assert taken.why in page
    back = client.post(reverse("queues:release", args=[taken.case.number]), {"back": "/"})
    assert back.url == "/"
    assert "Assigned to me" not in client.get("/").content.decode()


def test_one_key_leads_from_my_day_to_the_most_pressing_case(client, cases):
    client.force_login(person(Role.COORDINATOR))

    assert 'data-key="n"' in client.get("/").content.decode()
    assert client.post(reverse("queues:claim_next")).url == cases["COORDINATOR"].get_absolute_url()


def test_a_case_changed_by_others_since_my_last_visit_is_listed_until_i_open_it(client, set_clock):
    case, mine = received_case(), received_case()
    ada, ben = person(Role.COORDINATOR), person(Role.COORDINATOR)
    client.force_login(ada)
    set_clock(MONDAY + timedelta(hours=1))
    for one in (case, mine):
        client.get(one.get_absolute_url())
    set_clock(MONDAY + timedelta(hours=2))
    notes.add_note(case_id=case.pk, text="Moved.", by=ben, at=MONDAY + timedelta(hours=2))
    notes.add_note(case_id=case.pk, text="Again.", by=ben, at=MONDAY + timedelta(hours=2))
    notes.add_note(case_id=mine.pk, text="Mine.", by=ada, at=MONDAY + timedelta(hours=2))

    (changed,) = client.get("/").context["changed"]
    assert (changed.case, changed.changes, changed.latest.sentence) == (case, 2, "Again.")

    set_clock(MONDAY + timedelta(hours=3))
    client.get(case.get_absolute_url())
    assert client.get("/").context["changed"] == []


def test_a_day_without_work_shows_how_many_cases_are_due_by_friday(client, set_clock):
    set_clock(MONDAY)
    before = open_my_day(client, Role.COORDINATOR).context["due_this_week"]
    for _ in range(2):
        case = received_case()
        case.due_on = date(2026, 3, 6)
        case.store(by=None, at=MONDAY, fields=["due_on"])

    page = open_my_day(client, Role.COORDINATOR).content.decode()

    assert f"Nothing is due today. {before + 2} cases are due by Fri, Mar 6, 2026." in page


def test_the_day_costs_the_same_for_few_and_for_many_cases(client, django_assert_max_num_queries):
    ada = person(Role.COORDINATOR)
    for _ in range(6):
        client.force_login(ada)
        client.get(received_case().get_absolute_url())
    with django_assert_max_num_queries(11):
        client.get("/")


@pytest.mark.capability("AD-2")
def test_cases_without_a_due_date_have_a_section_of_their_own_after_the_others(client, set_clock):
    set_clock(MONDAY)
    ada = person(Role.COORDINATOR)
    undated, regular, expedited = (received_case() for _ in range(3))
    endings.withdraw_case(case_id=undated.pk, reason="A letter.", by=ada, at=MONDAY)
    expedited.priority = "EXPEDITED"
    expedited.store(by=None, at=MONDAY, fields=["priority"])
    client.force_login(ada)

    day = client.get("/").context

    assert undated in day["undated"]
    assert undated not in day["waiting"]
    assert day["expedited"] == [expedited]
    assert regular in day["waiting"]
    assert expedited not in day["waiting"]
    page = client.get("/").content.decode()
    assert page.index('id="expedited-head"') < page.index('id="today-head"')
    assert page.index('id="waiting-head"') < page.index('id="undated-head"')


# --- One's own counts and work --------------------------------------------------------------------


def menu_of(client, role):
    client.force_login(person(role))
    nav = client.get("/").content.decode().partition('<nav class="side"')[2].partition("</nav>")[0]
    return " ".join(nav.split())


@pytest.mark.parametrize(
    ("role", "own", "other"),
    [
        (Role.INTAKE, ["intake"], ["records", "review", "assign"]),
        (Role.COORDINATOR, ["eligibility", "records", "assign"], ["qa", "issue"]),
        (Role.QA, ["qa"], ["review", "records", "issue"]),
        (Role.AUDITOR, [], ["eligibility", "qa", "review"]),
    ],
)
def test_the_menu_counts_only_lists_in_which_one_acts(client, cases, role, own, other):
    menu = menu_of(client, role)
    counts = client.get(reverse("desk:side_counts")).content.decode()

    for slug in own:
        assert f'id="count-{slug}"' in menu, slug
        assert f'id="count-{slug}"' in counts, slug
    for slug in other:
        assert f'href="/queues/{slug}/"' in menu, slug
        assert f'id="count-{slug}"' not in menu, slug
        assert f'id="count-{slug}"' not in counts, slug
    assert "Other queues" in menu
    # The page of a list still says how many it has.
    assert client.get(reverse("desk:queue", args=["qa"])).context["count"] == 1


def test_credentialing_sees_its_own_work_and_no_list_of_cases(client, cases, set_clock):
    reviewer = fit_reviewer(first_name="Zebulon", last_name="Quartermain")
    license_row = reviewer.licenses.first()
    menu = menu_of(client, Role.CREDENTIALING)
    assert 'href="/queues/' not in menu
    assert "Credentialing" in menu

    last_day = license_row.valid_to
    set_clock(MONDAY.replace(year=last_day.year, month=last_day.month, day=1) - timedelta(days=20))
    page = open_my_day(client, Role.CREDENTIALING).content.decode()
    assert f"License in {license_row.state}" in page
    assert reviewer.code in page
    assert "Waiting for me" not in page
    assert "Nothing is due today." not in page
    assert f"License in {license_row.state}" in client.get("/reviewers/worklist/").content.decode()


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.INTAKE, Role.QA])
def test_others_see_no_credentialing_on_their_day(client, cases, role):
    fit_reviewer()
    page = open_my_day(client, role).content.decode()
    assert "Lapse within 90 days" not in page
    assert "Waiting for me" in page
