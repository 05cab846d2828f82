"""The pages of a case's dates: every due date opens to its arithmetic, and every act from there."""

import html
from datetime import date, timedelta
from unittest import mock

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from cases.models import Case
from cases.services import holds
from correspondence.services import notices
from deadlines.days import local_day
from determinations.services import sending
from intake.services.receiving import URDecisionOnForm
from tests.determinations.factories import make_approved_case, make_issued_case, make_submitted_case
from tests.factories import (
    MONDAY,
    eligible_case,
    noticed_case,
    person,
    received_case,
    state_citations,
)
from tests.letters.factories import file_without_typesetting, publish_sample_wording
from tests.records.factories import case_with_records, make_offered_case, sign_attestation

pytestmark = pytest.mark.django_db
TODAY = local_day(MONDAY)
NOW = MONDAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def _frozen():
    with mock.patch.object(timezone, "now", return_value=NOW):
        yield


@pytest.fixture
def coordinator(client):
    user = person(Role.COORDINATOR)
    client.force_login(user)
    return user


def read_page(client, name, case, *more, status=200):
    answer = client.get(reverse(f"cases:{name}", args=[case.number, *more]))
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def post_form(client, name, case, *more, **data):
    return client.post(reverse(f"cases:{name}", args=[case.number, *more]), data)


def test_a_due_date_opens_to_its_own_arithmetic(client, coordinator):
    case = noticed_case()

    overview = html.unescape(client.get(case.get_absolute_url()).content.decode())
    assert reverse("cases:deadline", args=[case.number, "records"]) in overview
    sums = read_page(client, "deadline", case, "records")

    for sentence in ("15 calendar days", "This day is not counted", "Last day", "8 CCR 9792.10.5"):
        assert sentence in sums
    assert sums.count("Rules on this page have not been confirmed.") == 1


def test_the_legal_date_and_our_own_target_are_shown_with_both_calculations(client, coordinator):
    case = Case.objects.get(pk=case_with_records().pk)
    assert post_form(
        client,
        "begin_hold",
        case,
        reason="UNREADABLE",
        deadline_kind="",
        starts_on="3/3/26",
        planned_end="3/9/26",
        note="Black pages.",
    ).url == reverse("cases:deadlines", args=[case.number])

    sums = read_page(client, "deadline", case, "determination_regular")
    legal, _, own = sums.partition("Internal target")
    assert "does not move the legal date" in legal
    assert "moves the internal target by" in own
    assert "Earlier calculations" in sums
    listed = read_page(client, "deadlines", case)
    assert "Black pages." in listed
    assert coordinator.name in listed
    assert "6 days on hold in total" in listed


def test_the_deadline_bar_hatches_held_days_and_describes_them_in_a_sentence(client, coordinator):
    case = Case.objects.get(pk=case_with_records().pk)
    holds.begin_hold(
        case_id=case.pk,
        reason="UNREADABLE",
        starts_on=local_day(NOW),
        planned_end=local_day(NOW) + timedelta(days=3),
        by=coordinator,
        at=NOW,
    )

    shown = read_page(client, "deadlines", case)

    assert 'class="held"' in shown
    assert 'role="img"' in shown
    assert "on hold" in shown
    assert "on hold until" in shown


def test_an_expedited_notice_asks_for_the_hour_of_receipt(client, coordinator):
    publish_sample_wording()
    case = eligible_case(coordinator=coordinator, priority="EXPEDITED")
    state_citations(case, by=coordinator, at=MONDAY + timedelta(hours=1))
    notices.make_notices(case_id=case.pk, by=coordinator, at=MONDAY + timedelta(hours=2))
    file_without_typesetting(at=MONDAY + timedelta(hours=3))

    url = reverse("correspondence:mark_notices_sent", args=[case.number])
    refused = client.post(url, {"sent_on": "3/2/26"})
    assert refused.status_code == 422
    assert "Enter the time" in refused.content.decode()
    sent = client.post(url, {"sent_on": "3/2/26", "received_time": "14:30"})
    assert sent.url == case.get_absolute_url()

    due = case.deadlines.get(deadline_kind="records_expedited")
    assert due.given == {"received": "2026-03-02T14:30"}
    assert due.due_at - MONDAY == timedelta(hours=24 + 5.5)


def test_unknown_shows_the_fact_that_is_missing(client, coordinator):
    case = received_case(ur_decision=_unserved())

    shown = read_page(client, "deadlines", case)

    assert "cannot be computed" in shown
    assert "the day on which the UR decision was served" in shown


def _unserved():
    return URDecisionOnForm(decided_on=date(2026, 2, 12), requested_on=date(2026, 2, 3))


def test_the_other_deadlines_are_shown_as_information(client, coordinator):
    case = received_case()

    shown = read_page(client, "deadlines", case)

    assert "the WCAB decides whether it was late" in shown
    assert "Twelve months of the UR decision" in shown
    assert "it does not affect" in shown
    assert "2 days left" in shown or "day left" in shown
    assert read_page(client, "deadline", case, "twelve_month_bar")
    read_page(client, "deadline", case, "petition", status=404)
    read_page(client, "deadline", case, "no-such", status=404)


def test_late_records_show_the_penalty_with_its_cap(client, coordinator):
    case = noticed_case()
    due = case.deadlines.get(deadline_kind="records").due_on

    for days, usd in ((6, "$3,000"), (14, "$5,000")):
        with mock.patch.object(timezone, "now", return_value=_noon(due, days)):
            client.force_login(coordinator)
            assert usd in read_page(client, "deadlines", case)


def _noon(day, days):
    return MONDAY + timedelta(days=(day - TODAY).days + days)


def test_a_late_determination_is_escalated_and_stays_valid(client, coordinator):
    case = Case.objects.get(pk=case_with_records().pk)
    due = case.deadlines.get(deadline_kind="determination_regular").due_on

    with mock.patch.object(timezone, "now", return_value=_noon(due, 0)):
        client.force_login(coordinator)
        shown = read_page(client, "deadlines", case).partition("For information")[0]
    assert "days late" not in shown
    assert "stays valid" not in shown
    with mock.patch.object(timezone, "now", return_value=_noon(due, 13)):
        client.force_login(coordinator)
        shown = read_page(client, "deadlines", case)
    assert "13 days late" in shown
    assert "stays valid" in shown
    with mock.patch.object(timezone, "now", return_value=_noon(due, 1)):
        client.force_login(coordinator)
        listed = client.get("/queues/assign/", {"due": "over"}).content.decode()
    assert case.number in listed


def test_deadlines_after_a_determination_are_shown_and_its_receipt_can_be_entered(
    client, coordinator
):
    case = make_issued_case(
        make_approved_case(
            make_submitted_case(
                sign_attestation(make_offered_case(case_with_records())), outcome="OVERTURNED"
            )
        )
    )
    file_without_typesetting(at=NOW)
    sent_at = MONDAY + timedelta(days=20)
    sending.mark_determination_sent(
        case_id=case.pk, sent_on=local_day(sent_at), by=person(Role.MAILROOM), at=sent_at
    )

    for petition in case.deadlines.filter(deadline_kind="petition"):
        assert petition.due_on - local_day(sent_at) >= timedelta(days=35)
    assert case.deadlines.get(deadline_kind="authorize").due_on is None
    with mock.patch.object(timezone, "now", return_value=sent_at + timedelta(days=3)):
        client.force_login(coordinator)
        shown = read_page(client, "deadlines", case)
        assert "Petition to the WCAB" in shown
        assert "Not on file: the day on which the determination was received" in shown
        assert post_form(client, "state_receipt", case, on="t").status_code == 302
    stated = case.deadlines.get(deadline_kind="authorize", replaced_at=None)
    assert stated.due_on > local_day(sent_at)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("begin_hold", {"reason": "UNREADABLE", "starts_on": "32/1/26", "note": "kept words"}),
        ("begin_hold", {"reason": "x", "starts_on": "t", "planned_end": "t", "note": "kept words"}),
        ("extend", {"days": "9", "approved_by": "kept words", "approved_on": "x"}),
        ("convert", {"new": "EXPEDITED", "why": "kept words"}),
        ("commitment", {"description": "kept words", "due_on": "13/13/13", "informed_on": "t"}),
    ],
)
def test_a_refused_form_keeps_what_was_typed(client, coordinator, name, typed):
    case = Case.objects.get(pk=case_with_records().pk)

    answer = post_form(client, name, case, **typed)

    assert answer.status_code == 422
    assert "kept words" in answer.content.decode()
    assert "Check these" in answer.content.decode()


def test_the_actions_work_by_plain_forms(client, coordinator):
    case = Case.objects.get(pk=case_with_records().pk)
    party = case.parties.get(role="EMPLOYEE").pk
    letter = {"letter": "", "letter_reference": "L-1", "why": "Asked."}

    for name, data in (
        (
            "extend",
            {
                "days": "1",
                "approved_by": "J. Alvarado",
                "approved_on": "t",
                "letter_reference": "DWC 1",
                "good_cause": "Illness.",
            },
        ),
        (
            "commitment",
            {
                "party": party,
                "description": "A copy",
                "due_on": "3/20/26",
                "informed_on": "t",
                **letter,
            },
        ),
        (
            "convert",
            {
                "new": "EXPEDITED",
                "certified_by": "Dr Oyelaran",
                "certified_on": "t",
                "support": "Report",
                "complete_on": "t",
                "complete_time": "08:30",
                "why": "Certified.",
            },
        ),
    ):
        answer = post_form(client, name, case, **data)
        assert answer.status_code == 302, html.unescape(answer.content.decode())
    made = case.commitments.get()
    assert (
        post_form(
            client, "move_commitment", case, made.pk, due_on="3/27/26", informed_on="t", **letter
        ).status_code
        == 302
    )
    later = case.commitments.get(moved=1)
    assert post_form(client, "keep_commitment", case, later.pk, on="t").status_code == 302

    shown = read_page(client, "deadlines", case)
    for sentence in ("J. Alvarado", "DWC 1", "Dr Oyelaran", "moved 1 time", "kept", "Expedited"):
        assert sentence in shown


def test_a_hold_is_ended_on_its_page(client, coordinator):
    case = noticed_case()
    row = holds.begin_hold(
        case_id=case.pk,
        reason="PARTY_ASKED",
        starts_on=TODAY,
        planned_end=TODAY + timedelta(days=9),
        by=coordinator,
        at=MONDAY,
    )

    assert post_form(client, "end_hold", case, row.pk, ended_on="t", reason="").status_code == 422
    assert (
        post_form(client, "end_hold", case, row.pk, ended_on="t", reason="Done.").status_code == 302
    )
    row.refresh_from_db()
    assert row.ended_by == coordinator


def test_a_role_that_cannot_move_dates_sees_them_without_buttons(client):
    case = noticed_case()
    client.force_login(person(Role.AUDITOR))

    shown = read_page(client, "deadlines", case)

    assert reverse("cases:begin_hold", args=[case.number]) not in shown
    assert post_form(client, "begin_hold", case).status_code in {403, 404}
