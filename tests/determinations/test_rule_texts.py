"""The rule on ranks of evidence follows the date of the request, and a person confirms it."""

import html
from dataclasses import replace
from datetime import date

import pytest
from django.core.checks import run_checks
from django.db import DatabaseError, transaction
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Versioned
from deadlines.rules import BadRules
from determinations.checks import ItemDraft, ReviewDraft, find_blockers
from determinations.models import RuleText
from determinations.services import rule_texts, writing
from determinations.shipped_rule_texts import ROWS
from reviewers.models import ReviewerAssignment
from tests.factories import MONDAY, person
from tests.records.factories import in_review

from .factories import REVIEWED, reviewer_of, save_draft_part

pytestmark = pytest.mark.django_db

INAPPLICABLE = "every higher ranked standard is inapplicable"
AS_SET_OUT = "8 CCR 9792.21.1, 9792.25.1"
ITEM = ItemDraft(
    7, 2, "Brace", outcome="UPHELD", rationale="No.", basis="C", citations=1, parent_id=None
)


@pytest.fixture(scope="module")
def opened(module_db):
    assignment = in_review()
    writing.open_review(assignment_id=assignment.pk, by=reviewer_of(assignment), at=REVIEWED)
    return assignment


@pytest.fixture
def assignment(opened):
    return ReviewerAssignment.objects.select_related("reviewer", "case").get(pk=opened.pk)


def stop(requested_on):
    texts = rule_texts.list_rule_texts()
    review = ReviewDraft("A fall.", [replace(ITEM, requested_on=requested_on)], rule_texts=texts)
    (found,) = find_blockers(review)
    assert (found.code, found.part) == ("higher-rank-unanswered", "item-7")
    return found.sentence


@pytest.mark.parametrize(
    ("requested_on", "quoted", "not_quoted"),
    [
        (date(2013, 1, 1), INAPPLICABLE, AS_SET_OUT),
        (date(2017, 12, 31), INAPPLICABLE, AS_SET_OUT),
        (date(2018, 1, 1), AS_SET_OUT, INAPPLICABLE),
        (date(2026, 2, 6), AS_SET_OUT, INAPPLICABLE),
    ],
)
def test_the_stop_quotes_the_law_of_the_day_of_the_request(requested_on, quoted, not_quoted):
    sentence = stop(requested_on)

    assert sentence.startswith("Item 2: explain ")
    assert quoted in sentence
    assert "Labor Code 4610.5(c)(2)" in sentence
    assert not_quoted not in sentence


@pytest.mark.parametrize(
    ("requested_on", "words"),
    [
        (None, "The date of the request is not on file, so no rule is quoted."),
        (date(2012, 12, 31), "No rule is on file for requests of 12/31/2012."),
    ],
)
def test_without_a_rule_the_stop_quotes_none_and_still_asks_for_the_reason(requested_on, words):
    sentence = stop(requested_on)

    assert sentence == f"Item 2: explain why you rely on this rank of evidence. {words}"


def set_dates(assignment, *, requested_on, service_from=None):
    decision, item = assignment.case.ur_decision, assignment.case.items.get()
    decision.requested_on, item.service_from = requested_on, service_from
    decision.store(by=None, at=MONDAY)
    item.store(by=None, at=MONDAY)


@pytest.mark.parametrize(
    ("requested_on", "service_from", "words"),
    [
        (date(2017, 12, 29), None, INAPPLICABLE),
        (date(2018, 1, 2), None, AS_SET_OUT),
        # A retrospective request: the service counts.
        (date(2018, 1, 2), date(2017, 12, 29), INAPPLICABLE),
        (None, None, "The date of the request is not on file"),
    ],
)
def test_the_workspace_and_the_refusal_take_the_date_from_the_case(
    client, assignment, requested_on, service_from, words
):
    set_dates(assignment, requested_on=requested_on, service_from=service_from)
    opinion, by = assignment.opinions.get(), reviewer_of(assignment)
    save_draft_part(assignment, f"item-{opinion.item_id}", {"basis": "D"}, at=REVIEWED)
    client.force_login(by)

    address = reverse("determinations:workspace", args=[assignment.pk])
    page = html.unescape(client.get(f"{address}?part=item-{opinion.item_id}").content.decode())

    (found,) = (
        one for one in writing.find_unfinished(assignment) if one.code == "higher-rank-unanswered"
    )
    assert words in found.sentence
    # In the list of what is missing, and below the field.
    assert page.count(words) == 2
    is_quoted = requested_on is not None
    assert ("Rules on this page have not been confirmed." in page) is is_quoted


def test_the_director_confirms_a_rule_text_once_and_nobody_else_does(client):
    coordinator, director = person(Role.COORDINATOR), person(Role.DIRECTOR)
    row = RuleText.objects.get(effective_to=None)
    said = {"rule_text_id": row.pk, "on": MONDAY.date(), "at": MONDAY}
    with pytest.raises(NotAllowed, match="Only the medical director"):
        rule_texts.confirm_rule_text(**said, by=coordinator)
    client.force_login(director)
    table = reverse("admin:determinations_ruletext_changelist")
    page = html.unescape(client.get(table).content.decode())
    assert page.count("Not confirmed") == len(ROWS)
    assert INAPPLICABLE in page

    answer = client.post(table, {"action": "confirm", "_selected_action": [row.pk]}, follow=True)

    assert "1 rule text confirmed in your name." in html.unescape(answer.content.decode())
    row.refresh_from_db()
    assert row.confirmed_by == director
    with pytest.raises(NotAllowed, match="was confirmed by"):
        rule_texts.confirm_rule_text(**said, by=director)
    # What was confirmed stays as it was; the row can end.
    form = client.get(reverse("admin:determinations_ruletext_change", args=[row.pk]))
    assert set(form.context["adminform"].form.fields) >= {"effective_to", "note"}
    assert "sentence" not in form.context["adminform"].form.fields


def test_two_texts_of_one_day_are_refused_by_the_form_the_row_and_the_database(client):
    client.force_login(person(Role.DIRECTOR))
    said = {
        "code": "higher-rank-unanswered", "sentence": "Explain.", "source": "A new act",
        "effective_from": date(2026, 7, 1),
    }  # fmt: skip

    answer = client.post(
        reverse("admin:determinations_ruletext_add"), said | {"effective_from": "2026-07-01"}
    )
    assert answer.status_code == 200
    assert "Two rows would be in force" in html.unescape(answer.content.decode())
    with pytest.raises(BadRules):
        RuleText(**said).store(by=None, at=MONDAY)
    with pytest.raises(DatabaseError), transaction.atomic():
        Versioned.store(RuleText(**said), by=None, at=MONDAY)  # without the check of the row

    old = RuleText.objects.get(effective_to=None)
    old.effective_to = date(2026, 6, 30)
    old.store(by=None, at=MONDAY)
    RuleText(**said).store(by=None, at=MONDAY)
    assert stop(date(2026, 7, 1)) == "Item 2: explain (A new act)."
    assert AS_SET_OUT in stop(date(2026, 6, 30))


def test_shipped_rule_texts_are_listed_as_unconfirmed():
    messages = run_checks(databases=["default"], include_deployment_checks=True)

    (found,) = (one for one in messages if "evidence rules" in one.msg)
    assert found.msg.startswith("2 evidence rules are unconfirmed")
    assert [row.history.get().history_type for row in RuleText.objects.all()] == ["+", "+"]
