"""The receipt of the RFA, entered on the page of the UR decision, and the deadline that follows."""

from datetime import date, time

import pytest
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.models import URDecision
from cases.services.deadline_information import list_deadline_notes
from eligibility.services.ur_decision import DecisionReading, RFAReceipt, record_ur_reading
from intake.services.receiving import URDecisionOnForm
from tests.factories import MONDAY, person, received_case

pytestmark = pytest.mark.django_db


def case_requested(on, **more):
    decided = {"decided_on": date(2025, 12, 1), "served_on": date(2025, 12, 1), **more}
    return received_case(ur_decision=URDecisionOnForm(requested_on=on, **decided))


@pytest.fixture
def desk(client):
    client.force_login(person(Role.COORDINATOR))
    return client


def enter(desk, case, hour="", method="", concurrent=""):
    case.refresh_from_db()
    sent = {"rfa_time": hour, "rfa_method": method, "is_concurrent": concurrent}
    return desk.post(
        reverse("eligibility:ur_decision", args=[case.number]),
        {"version": str(case.version), **sent},
    )


def due_on(desk, case, *sent):
    assert enter(desk, case, *sent).status_code == 302
    case = type(case).objects.get(pk=case.pk)
    notes = list_deadline_notes(case=case, on=date(2026, 3, 2))
    (found,) = (one for one in notes if one.deadline_kind.startswith("ur_decision"))
    return found.due_on


# The clocks changed on Sundays: March 9 and November 2, 2025. November 11 was a holiday.
@pytest.mark.capability("CK-11")
@pytest.mark.parametrize(
    ("day", "in_time", "a_day_later"),
    [
        (date(2025, 3, 7), date(2025, 3, 14), date(2025, 3, 17)),
        (date(2025, 3, 10), date(2025, 3, 17), date(2025, 3, 18)),
        (date(2025, 10, 31), date(2025, 11, 7), date(2025, 11, 10)),
        (date(2025, 11, 3), date(2025, 11, 10), date(2025, 11, 12)),
    ],
)
def test_only_a_fax_after_the_cutoff_moves_the_date_by_one_open_day(
    desk, day, in_time, a_day_later
):
    case = case_requested(day)

    assert due_on(desk, case, "17:29", "fax") == in_time
    assert due_on(desk, case, "5:31 PM", "fax") == a_day_later
    # The same hour, corrected to another way of receipt or to a concurrent review.
    assert due_on(desk, case, "17:31", "electronic") == in_time
    assert due_on(desk, case, "17:31", "in_hand") == in_time
    assert due_on(desk, case, "17:31", "fax", "yes") == in_time
    assert due_on(desk, case, "17:31", "fax", "no") == a_day_later


@pytest.mark.capability("CK-11")
def test_the_72_hours_of_an_expedited_review_run_from_the_hour_without_a_cutoff(desk):
    case = case_requested(date(2025, 3, 7), ur_type="EXPEDITED")

    assert due_on(desk, case, "17:31", "fax") == date(2025, 3, 10)
    notes = list_deadline_notes(case=type(case).objects.get(pk=case.pk), on=date(2026, 3, 2))
    steps = str([one.steps for one in notes if one.deadline_kind == "ur_decision_expedited"])
    # The clocks were set forward within these hours.
    assert "6:31 PM" in steps


def test_the_page_shows_what_is_on_file_and_what_is_wrong_beside_its_field(desk):
    case = case_requested(date(2025, 3, 9))
    assert enter(desk, case, "17:31", "fax", "no").status_code == 302
    page = desk.get(reverse("eligibility:ur_decision", args=[case.number]))

    shown = page.context["form"]
    assert "Mar 9, 2025" in page.content.decode()
    names = ("rfa_time", "rfa_method", "is_concurrent")
    assert [shown[name].value() for name in names] == [time(17, 31), "fax", "no"]
    for sent, field, words in (
        (("17:31",), "rfa_method", "Choose how the RFA was received"),
        (("2:30", "fax"), "rfa_time", "This time did not exist on that day"),
        (("half past five", "fax"), "rfa_time", "Enter the time as 17:31"),
    ):
        answer = enter(desk, case, *sent)
        assert answer.status_code == 422
        assert words in str(answer.context["form"].errors[field])
    kept = URDecision.objects.get(cases=case)
    assert (kept.rfa_time, kept.rfa_method, kept.is_concurrent) == (time(17, 31), "fax", False)
    assert kept.history.first().history_change_reason == "Receipt of the RFA"


@pytest.mark.parametrize(
    ("rfa", "words"),
    [
        (RFAReceipt(hour=time(9, 0), method="fax"), "Enter the RFA date first"),
        (RFAReceipt(method="pigeon"), "Choose how the RFA was received"),
    ],
)
def test_a_receipt_that_no_deadline_can_use_is_refused(rfa, words):
    case = case_requested(None)

    with pytest.raises(NotAllowed, match=words):
        record_ur_reading(
            case_id=case.pk,
            as_read=DecisionReading(),
            outcomes={},
            rfa=rfa,
            by=person(Role.COORDINATOR),
            at=MONDAY,
        )
