"""The case page: the whole story at a steady cost, names for those who may know, one next step."""

import html
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from accounts.models import AccessLogEntry
from accounts.refusals import NotAllowed
from accounts.roles import PERMISSIONS, Role
from cases.lifecycle import Status
from cases.models import Case, CaseLink
from cases.services import endings, holds, item_changes, notes
from correspondence.services import notices
from desk.next_step import find_next_step
from determinations.services import issuing, quality, sending
from eligibility.services import information, screening
from intake.services.receiving import ItemOnForm
from records.services import documents
from reviewers.services import assignment
from tests.determinations.factories import REVIEWED, make_issued_case
from tests.factories import MONDAY, SIX_YES, person, received_case
from tests.letters.factories import publish_sample_wording
from tests.reviewers.factories import ready_case

pytestmark = pytest.mark.django_db

SEE_CASES = sorted(PERMISSIONS["cases.view_case"])
SEE_NAMES = PERMISSIONS["reviewers.view_identity"]


@pytest.fixture(scope="module")
def done(module_db):
    """A case whose determination is issued."""
    return make_issued_case()


def read_page(client, case, role, name="case"):
    client.force_login(person(role))
    answer = client.get(reverse(f"desk:{name}", args=[case.number]))
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def reviewer_of(case):
    return case.assignments.get().reviewer


@pytest.mark.parametrize("name", ["case", "timeline"])
@pytest.mark.parametrize("role", SEE_CASES)
def test_the_reviewer_is_named_only_to_roles_that_may_know_it(client, done, role, name):
    shown = read_page(client, done, role, name)

    named = reviewer_of(done).user.name
    assert (named in shown) is (role in SEE_NAMES)
    if role not in SEE_NAMES:
        assert "The reviewer, seat 1" in shown


def test_the_timeline_shows_every_event_newest_first_and_filters_by_kind(client, done):
    shown = read_page(client, done, Role.COORDINATOR, "timeline")
    texts = ["Determination issued", "Review submitted", "Found eligible", "Application received"]
    places = [shown.rindex(f"<b>{title}</b>") for title in texts]
    assert places == sorted(places)

    one = client.get(reverse("desk:timeline", args=[done.number]), {"kind": "ISSUED"})
    assert [entry.kind for entry in one.context["entries"]] == ["ISSUED"]
    odd = client.get(reverse("desk:timeline", args=[done.number]), {"kind": "PARTY"})
    assert len(odd.context["entries"]) == done.events.count()


def count_queries(client, address):
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries), "\n".join(query["sql"] for query in queries)


@pytest.mark.parametrize(
    ("name", "most"), [("case", 12), ("peek", 12), ("timeline", 12), ("letters", 14)]
)
@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.AUDITOR])
def test_a_long_timeline_costs_no_more_than_a_short_one(client, done, role, name, most):
    client.force_login(person(role))
    address = reverse(f"desk:{name}", args=[done.number])
    client.get(address)
    before, _ = count_queries(client, address)
    for number in range(20):
        notes.add_note(case_id=done.pk, text=f"Note {number}", by=person(Role.INTAKE), at=REVIEWED)

    after, queries = count_queries(client, address)

    assert before == after <= most, queries


def test_a_case_with_everything_on_it_costs_no_more_than_twelve_queries(client):
    """Held, linked to another case, and an item whose change waits for a second person."""
    case, other = ready_case(), received_case()
    link = CaseLink(kind=CaseLink.Kind.PRIOR, case=case, other=other, reason="The same treatment")
    link.store(by=None, at=MONDAY)
    coordinator = person(Role.COORDINATOR)
    holds.begin_hold(
        case_id=case.pk,
        reason="UNREADABLE",
        starts_on=MONDAY.date(),
        planned_end=MONDAY.date() + timedelta(days=9),
        by=coordinator,
        at=MONDAY + timedelta(hours=4),
    )
    item = case.items.get()
    item_changes.propose_item_withdrawal(
        item_id=item.pk,
        seen_version=item.version,
        why="Withdrawn by letter",
        by=coordinator,
        at=MONDAY + timedelta(hours=5),
    )
    client.force_login(coordinator)
    client.get(case.get_absolute_url())

    count, queries = count_queries(client, case.get_absolute_url())

    page = client.get(case.get_absolute_url()).content.decode()
    assert other.number in page
    assert "waits for a second person" in page
    assert count <= 12, queries


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.AUDITOR])
def test_the_deadlines_of_a_case_cost_no_more_than_fifteen_queries(client, done, role):
    client.force_login(person(role))
    address = reverse("cases:deadlines", args=[done.number])
    client.get(address)

    count, queries = count_queries(client, address)

    assert count <= 15, queries


def test_many_items_cost_no_more_than_one(client):
    client.force_login(person(Role.COORDINATOR))
    few = received_case()
    many = received_case(items=[ItemOnForm(f"Treatment {n}") for n in range(40)])
    client.get(few.get_absolute_url())

    at_one, _ = count_queries(client, few.get_absolute_url())
    at_forty, queries = count_queries(client, many.get_absolute_url())

    assert at_one == at_forty, queries


def test_opening_a_case_is_noted_before_anything_is_sent(client, done):
    entries = AccessLogEntry.objects.filter(reference=done.number).count()
    read_page(client, done, Role.AUDITOR)
    assert (
        AccessLogEntry.objects.filter(reference=done.number, subject="case").count() == entries + 1
    )


def test_an_unknown_case_is_not_found(client):
    client.force_login(person(Role.COORDINATOR))
    for number in ("CM26-9999999", "nonsense", "%00", "'; --"):
        for name in ("case", "peek", "timeline", "letters"):
            address = reverse(f"desk:{name}", args=["X"]).replace("/X/", f"/{number}/")
            assert client.get(address).status_code in {400, 404}, (number, name)


def test_both_sides_of_a_link_can_be_read(client):
    lead = received_case(claim_number="06-77")
    other = received_case(claim_number="06-77")

    assert other.number in read_page(client, lead, Role.COORDINATOR)
    assert lead.number in read_page(client, other, Role.COORDINATOR)


def test_every_letter_is_listed_once_with_its_state(client, done):
    shown = read_page(client, done, Role.MAILROOM, "letters")
    ids = re.findall(r'id="letter-([0-9a-f-]+)"', shown)
    assert len(ids) == len(set(ids)) == 5


def test_the_bar_names_the_body_parts_of_the_items_once(client):
    items = [
        ItemOnForm(f"Treatment {n}", body_part=part)
        for n, part in enumerate(["Knee"] * 2 + ["Neck"])
    ]
    case = received_case(items=items)
    shown = strip_tags(read_page(client, case, Role.INTAKE))
    assert "Marisol Quintanar · knee, neck · injured" in shown


def test_the_case_page_shows_the_state_of_the_letters_in_one_line(client, done):
    publish_sample_wording()
    assert "5 letters, 1 generating." in read_page(client, done, Role.COORDINATOR)
    case = received_case()
    assert "No letters yet." in read_page(client, case, Role.COORDINATOR)


# --- The next step --------------------------------------------------------------------------------

# What happens next in each state, which permission it takes, and the service behind the button.
STEPS = {
    Status.RECEIVED: ("decides eligibility", ""),
    Status.SCREENING: ("decides eligibility", "eligibility.decide_eligibility"),
    Status.DUPLICATE: ("compares the two applications", "cases.resolve_possible_duplicate"),
    Status.DEFERRED: ("liability dispute is resolved", "eligibility.decide_eligibility"),
    Status.INFO_REQUESTED: ("records the answer", "eligibility.decide_eligibility"),
    Status.INELIGIBLE: ("closes the case", "cases.withdraw_or_terminate"),
    Status.WITHDRAWN: ("closes the case", "cases.withdraw_or_terminate"),
    Status.TERMINATED: ("closes the case", "cases.withdraw_or_terminate"),
    Status.ELIGIBLE: ("makes the notices", "correspondence.create_notices"),
    Status.NOTICE_SENT: ("sends the medical records", "records.mark_complete"),
    Status.RECORDS_COMPLETE: ("assigns a reviewer", "reviewers.assign_reviewer"),
    Status.REVIEWER_CHOSEN: ("accepts the case", None),
    Status.IN_REVIEW: ("writes the review", None),
    Status.INFO_FOR_REVIEW: ("what the reviewer asked for", "records.add_document"),
    Status.QA: ("checks the review", "determinations.review_quality"),
    Status.APPROVED: ("issues the determination", "determinations.issue_determination"),
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

    text = find_next_step(case, user).why_not
    with pytest.raises(NotAllowed) as refused:
        SERVICES[status](case, user)

    assert text == str(refused.value) != ""


def test_the_page_grays_the_button_with_the_sentence(client):
    case = received_case()

    gray = read_page(client, case, Role.INTAKE)
    assert "Your role does not let you decide eligibility." in gray
    assert 'aria-disabled="true"' in gray
    live = read_page(client, case, Role.COORDINATOR)
    assert reverse("eligibility:eligibility", args=[case.number]) in live
    assert "Your role does not let you decide" not in live


def test_the_access_log_and_the_explanation_are_linked_for_those_who_may_open_them(client):
    case = received_case()
    links = [reverse(name, args=[case.number]) for name in ("desk:access_log", "desk:explain")]
    allowed, others = read_page(client, case, Role.AUDITOR), read_page(client, case, Role.INTAKE)
    for link in links:
        assert f'href="{link}"' in allowed
        assert f'href="{link}"' not in others
