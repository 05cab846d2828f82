"""The case page: the whole story at a steady cost, names for those who may know, one next step."""

import html
import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Look
from accounts.refusals import NotAllowed
from accounts.roles import PERMISSIONS, Role
from cases.lifecycle import Status
from cases.models import Case
from cases.services import endings, notes
from correspondence.services import notices
from desk.next_step import find_next_step
from determinations.services import issuing, quality, sending
from eligibility.services import information, screening
from intake.services.receiving import ItemOnForm
from records.services import documents
from reviewers.services import assignment
from tests.determinations.factories import REVIEWED, issued
from tests.factories import MONDAY, SIX_YES, person, received_case
from tests.letters.factories import publish_sample_wording
from tests.reviewers.factories import ready_case

pytestmark = pytest.mark.django_db

SEE_CASES = sorted(PERMISSIONS["cases.view_case"])
SEE_NAMES = PERMISSIONS["reviewers.see_identity"]


@pytest.fixture(scope="module")
def done(module_db):
    """A case whose determination is issued."""
    return issued()


def page(client, case, role, name="case"):
    client.force_login(person(role))
    answer = client.get(reverse(f"desk:{name}", args=[case.number]))
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def reviewer_of(case):
    return case.assignments.get().reviewer


@pytest.mark.parametrize("name", ["case", "timeline"])
@pytest.mark.parametrize("role", SEE_CASES)
def test_the_reviewer_is_named_only_to_roles_that_may_know_it(client, done, role, name):
    shown = page(client, done, role, name)

    named = reviewer_of(done).user.name
    assert (named in shown) is (role in SEE_NAMES)
    if role not in SEE_NAMES:
        assert "The reviewer, seat 1" in shown


def test_the_timeline_shows_every_event_newest_first_and_filters_by_kind(client, done):
    shown = page(client, done, Role.COORDINATOR, "timeline")
    said = ["Determination issued", "Review submitted", "Found eligible", "Application received"]
    places = [shown.rindex(f"<b>{title}</b>") for title in said]
    assert places == sorted(places)

    one = client.get(reverse("desk:timeline", args=[done.number]), {"kind": "ISSUED"})
    assert [entry.kind for entry in one.context["entries"]] == ["ISSUED"]
    odd = client.get(reverse("desk:timeline", args=[done.number]), {"kind": "PARTY"})
    assert len(odd.context["entries"]) == done.events.count()


def cost(client, address):
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries), "\n".join(query["sql"] for query in queries)


@pytest.mark.parametrize("name", ["case", "timeline", "letters", "peek"])
@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.AUDITOR])
def test_a_long_timeline_costs_no_more_than_a_short_one(client, done, role, name):
    client.force_login(person(role))
    address = reverse(f"desk:{name}", args=[done.number])
    client.get(address)
    before, _ = cost(client, address)
    for number in range(20):
        notes.add_note(case_id=done.pk, text=f"Note {number}", by=person(Role.INTAKE), at=REVIEWED)

    after, queries = cost(client, address)

    assert before == after <= 25, queries


def test_many_items_cost_no_more_than_one(client):
    client.force_login(person(Role.COORDINATOR))
    few = received_case()
    many = received_case(items=[ItemOnForm(f"Treatment {n}") for n in range(40)])
    client.get(few.get_absolute_url())

    at_one, _ = cost(client, few.get_absolute_url())
    at_forty, queries = cost(client, many.get_absolute_url())

    assert at_one == at_forty, queries


def test_opening_a_case_is_noted_before_anything_is_sent(client, done):
    looks = Look.objects.filter(reference=done.number).count()
    page(client, done, Role.AUDITOR)
    assert Look.objects.filter(reference=done.number, subject="case").count() == looks + 1


def test_an_unknown_case_is_not_found(client):
    client.force_login(person(Role.COORDINATOR))
    for number in ("CM26-9999999", "nonsense", "%00", "'; --"):
        for name in ("case", "peek", "timeline", "letters"):
            address = reverse(f"desk:{name}", args=["X"]).replace("/X/", f"/{number}/")
            assert client.get(address).status_code in {400, 404}, (number, name)


def test_both_sides_of_a_link_can_be_read(client):
    lead = received_case(claim_number="06-77")
    other = received_case(claim_number="06-77")

    assert other.number in page(client, lead, Role.COORDINATOR)
    assert lead.number in page(client, other, Role.COORDINATOR)


def test_every_letter_is_listed_once_with_its_state(client, done):
    shown = page(client, done, Role.MAILROOM, "letters")
    ids = re.findall(r'id="letter-([0-9a-f-]+)"', shown)
    assert len(ids) == len(set(ids)) == 5


def test_the_bar_names_the_body_parts_of_the_items_once(client):
    items = [
        ItemOnForm(f"Treatment {n}", body_part=part)
        for n, part in enumerate(["Knee"] * 2 + ["Neck"])
    ]
    case = received_case(items=items)
    assert "Marisol Quintanar · knee, neck · injured" in page(client, case, Role.INTAKE)


def test_the_case_page_shows_the_state_of_the_letters_in_one_line(client, done):
    publish_sample_wording()
    assert "5 letters, 1 generating." in page(client, done, Role.COORDINATOR)
    case = received_case()
    assert "No letters yet." in page(client, case, Role.COORDINATOR)


# --- The next step --------------------------------------------------------------------------------

# What happens next in each state, which permission it takes, and the service behind the button.
STEPS = {
    Status.RECEIVED: ("decides eligibility", ""),
    Status.SCREENING: ("decides eligibility", "eligibility.decide_eligibility"),
    Status.DUPLICATE: ("screens the case again", "eligibility.decide_eligibility"),
    Status.DEFERRED: ("liability dispute is resolved", "eligibility.decide_eligibility"),
    Status.INFO_REQUESTED: ("records the answer", "eligibility.decide_eligibility"),
    Status.INELIGIBLE: ("closes the case", "cases.end_early"),
    Status.WITHDRAWN: ("closes the case", "cases.end_early"),
    Status.TERMINATED: ("closes the case", "cases.end_early"),
    Status.ELIGIBLE: ("makes the notices", "correspondence.make_notices"),
    Status.NOTICE_SENT: ("sends the medical records", "records.mark_complete"),
    Status.RECORDS_COMPLETE: ("assigns a reviewer", "reviewers.assign"),
    Status.REVIEWER_CHOSEN: ("accepts the case", None),
    Status.IN_REVIEW: ("writes the review", None),
    Status.INFO_FOR_REVIEW: ("what the reviewer asked for", "records.add_document"),
    Status.QA: ("checks the review", "determinations.check_quality"),
    Status.APPROVED: ("issues the determination", "determinations.issue"),
    Status.ISSUED: ("sends the determination", "letters.mark_sent"),
    Status.CLOSED: ("The case is closed", None),
    Status.CONSOLIDATED: ("from the consolidation", None),
}


@pytest.fixture(scope="module")
def case_in_hand(module_db):
    return ready_case()


@pytest.mark.parametrize("status", Status)
def test_every_state_has_one_next_step_that_is_gray_for_other_roles(case_in_hand, status):
    """Rows are set to each state for reading alone; nothing is stored."""
    sentence, permission = STEPS[status]
    for role in SEE_CASES:
        case = Case.objects.get(pk=case_in_hand.pk)
        case.status = status
        user = person(role)

        step = find_next_step(case, user)

        assert sentence in step.sentence, status
        if permission is None:
            assert (step.label, step.url, step.why_not) == ("", "", "")
            continue
        assert step.label
        assert step.url
        may = bool(permission) and user.may(permission)
        assert (step.why_not == "") is may, (status, role, step.why_not)
        assert not step.why_not or step.why_not.endswith(".")


def test_a_mail_clerk_may_mark_notices_as_sent_once_they_are_made(client):
    publish_sample_wording()
    case = received_case()
    coordinator, clerk = person(Role.COORDINATOR), person(Role.MAILROOM)
    screening.decide_eligibility(
        case_id=case.pk, answers=SIX_YES, notes={}, seen_version=None, by=coordinator, at=MONDAY
    )
    case.refresh_from_db()
    assert find_next_step(case, coordinator).why_not == ""
    assert find_next_step(case, clerk).why_not != ""
    notices.make_notices(case_id=case.pk, by=coordinator, at=MONDAY)

    for user in (coordinator, clerk):
        step = find_next_step(case, user)
        assert (step.label, step.why_not) == ("Mark as sent", "")


SERVICES = {
    Status.SCREENING: lambda case, by: screening.decide_eligibility(
        case_id=case.pk, answers={}, notes={}, seen_version=None, by=by, at=MONDAY
    ),
    Status.DEFERRED: lambda case, by: information.resolve_liability(
        case_id=case.pk,
        notice_on=MONDAY.date(),
        method="mail_ca",
        how="x",
        by=by,
        at=MONDAY,
    ),
    Status.INELIGIBLE: lambda case, by: endings.close_case(
        case_id=case.pk, reason="x", by=by, at=MONDAY
    ),
    Status.ELIGIBLE: lambda case, by: notices.make_notices(case_id=case.pk, by=by, at=MONDAY),
    Status.QA: lambda case, by: quality.approve_review(
        case_id=case.pk, comment="", seen_version=None, by=by, at=MONDAY
    ),
    Status.APPROVED: lambda case, by: issuing.issue_determination(
        case_id=case.pk, seen_version=None, by=by, at=MONDAY
    ),
    Status.NOTICE_SENT: lambda case, by: documents.mark_records_complete(
        case_id=case.pk,
        received_on=MONDAY.date(),
        basis="COMPLETE",
        seen_version=None,
        by=by,
        at=MONDAY,
    ),
    Status.RECORDS_COMPLETE: lambda case, by: assignment.assign_reviewer(
        case_id=case.pk,
        reviewer_id=1,
        candidate_list_id=1,
        seen_version=None,
        override_reason="",
        by=by,
        at=MONDAY,
    ),
    Status.ISSUED: lambda case, by: sending.mark_determination_sent(
        case_id=case.pk, sent_on=MONDAY.date(), by=by, at=MONDAY
    ),
}


@pytest.mark.parametrize("status", SERVICES)
@pytest.mark.parametrize("role", [Role.AUDITOR, Role.INTAKE])
def test_the_gray_button_shows_the_sentence_of_the_refusal(case_in_hand, status, role):
    case = Case.objects.get(pk=case_in_hand.pk)
    case.status = status
    user = person(role)

    said = find_next_step(case, user).why_not
    with pytest.raises(NotAllowed) as refused:
        SERVICES[status](case, user)

    assert said == str(refused.value) != ""


def test_the_page_grays_the_button_with_the_sentence(client):
    case = received_case()

    gray = page(client, case, Role.INTAKE)
    assert "Your role does not let you decide eligibility." in gray
    assert 'aria-disabled="true"' in gray
    live = page(client, case, Role.COORDINATOR)
    assert reverse("eligibility:eligibility", args=[case.number]) in live
    assert "Your role does not let you decide" not in live
