"""A cumulative injury: its date is a period, from the key to the letter (public case F5b)."""

import html
from datetime import date
from itertools import combinations

import pytest
from django.db import IntegrityError, transaction

from accounts.refusals import BadFact
from accounts.roles import Role
from cases.duplicates import ApplicationFacts, build_duplicate_keys, compare_applications
from cases.models import Case
from correspondence.services import case_letters
from eligibility.differences import DocumentFacts, compare_documents
from form_fields.dates import Injury, NotADate, interpret_date, read_injury
from intake.services import receiving
from tests.correspondence.test_case_letters import read_pdf_text
from tests.factories import MONDAY, application, person, received_case
from tests.intake.test_corrections import as_shown
from tests.intake.test_intake_page import list_field_errors, make_form_data
from tests.letters.factories import publish_sample_wording

TODAY = date(2026, 3, 2)
FIRST, LAST = date(2009, 1, 5), date(2014, 3, 12)
PRINTED = "CT 01/05/2009 – 03/12/2014"


@pytest.mark.parametrize(
    "keyed",
    [
        "CT 01/05/2009 - 03/12/2014",
        "1/5/2009-3/12/2014",
        "010509-031214",
        "ct 010509-031214",
        "CT: 1-5-2009 - 3-12-2014",
        "C.T. 1/5/09 to 3/12/14",
        "cumulative trauma Jan 5, 2009 through Mar 12, 2014",
        PRINTED,
    ],
)
def test_a_period_of_injury_is_read_as_clerks_key_it(keyed):
    assert read_injury(keyed, today=TODAY) == Injury(FIRST, LAST)
    reading = interpret_date(keyed, today=TODAY, kind="date_of_injury")
    assert reading.written == PRINTED  # what the field then holds
    assert "Mon, Jan 5, 2009, to Wed, Mar 12, 2014" in reading.text
    assert not reading.is_bad


@pytest.mark.parametrize("keyed", ["2/11/24", "02-11-2024", "021124", "Feb 11, 2024"])
def test_a_single_day_of_injury_is_read_as_before(keyed):
    assert read_injury(keyed, today=TODAY) == Injury(date(2024, 2, 11))


@pytest.mark.parametrize(
    ("keyed", "sentence"),
    [
        ("CT 3/12/2014 - 1/5/2009", "ends before it begins"),
        ("CT 3/12/2014", "the first and the last day"),
        ("CT 1/5/2009 to present", "the first and the last day"),
        ("2/30/24", "does not exist in the calendar"),
        ("13-2-2024", "has no month 13"),
    ],
)
def test_what_is_no_period_is_refused_with_what_to_write(keyed, sentence):
    with pytest.raises(NotADate, match=sentence):
        read_injury(keyed, today=TODAY)
    assert interpret_date(keyed, today=TODAY, kind="date_of_injury").is_bad


def describe(**changes):
    facts = {"employee": "Marisol Quintanar", "physician": "Dana Oyelaran", "claim": "06-2213-77"}
    return ApplicationFacts(**facts | {"injured": FIRST, "injured_until": LAST} | changes)


def test_periods_are_compared_as_wholes():
    """One claim may state the period, only its last day, or a corrected end."""
    only_last = describe(injured=LAST, injured_until=None)
    other_end = describe(injured_until=date(2014, 6, 30))
    elsewhere = describe(injured=date(2015, 1, 1), injured_until=date(2015, 5, 5))
    same = compare_applications(describe(), describe())
    assert same.can_consolidate
    assert "The date of injury is the same." in same.evidence_for
    for one, other in combinations((describe(), only_last, other_end), 2):
        found = compare_applications(one, other)
        assert not found.can_consolidate  # not the same date of injury
        assert not [words for words in found.evidence_against if "injury" in words]
    assert "The date of injury differs." in (
        compare_applications(describe(), elsewhere).evidence_against
    )
    assert build_duplicate_keys(describe()) & build_duplicate_keys(only_last)

    def state(last_day):
        return DocumentFacts("A", "1", FIRST, [], injury_last_day=last_day)

    assert compare_documents(state(LAST), state(LAST)) == []
    (difference,) = compare_documents(state(LAST), state(None))
    assert (difference.on_application, difference.on_ur_decision) == (PRINTED, "01/05/2009")


@pytest.mark.django_db
def test_a_keyed_period_is_stored_shown_and_corrected(client, set_clock):
    set_clock(MONDAY)
    clerk = person(Role.INTAKE)
    client.force_login(clerk)
    refused = client.post("/intake/new/", make_form_data(date_of_injury="CT 1/5/2009 - 2/13/2026"))
    assert "after the UR decision" in list_field_errors(refused)["date_of_injury"]
    refused = client.post("/intake/new/", make_form_data(date_of_injury="1/5/2009-3/3/2026"))
    assert "The last day is in the future" in list_field_errors(refused)["date_of_injury"]

    client.post("/intake/new/", make_form_data(date_of_injury="010509-031214"))

    case = Case.objects.get()
    assert (case.date_of_injury, case.injury_last_day) == (FIRST, LAST)
    assert case.date_of_injury_printed == "010509-031214"
    for address in (f"/cases/{case.number}/", "/jump/?q=Quintanar"):
        assert "CT Jan 5, 2009 – Mar 12, 2014" in client.get(address).content.decode(), address

    shown = as_shown(client, case)
    assert shown["date_of_injury"] == PRINTED
    address = f"/cases/{case.number}/correct/"
    assert "No changes" in client.post(address, shown, follow=True).content.decode()
    client.post(address, shown | {"date_of_injury": "CT 1/5/2009 - 3/15/2014"})
    case.refresh_from_db()
    assert case.injury_last_day == date(2014, 3, 15)
    answer = client.post(address, as_shown(client, case) | {"date_of_injury": "CT 3/15/2014"})
    assert answer.status_code == 422
    assert "the first and the last day" in html.unescape(answer.content.decode())
    client.post(address, as_shown(client, case) | {"date_of_injury": "3/15/2014"})
    case.refresh_from_db()
    assert (case.date_of_injury, case.injury_last_day) == (date(2014, 3, 15), None)


@pytest.mark.django_db
def test_a_letter_prints_the_period():
    publish_sample_wording()
    case = received_case(date_of_injury=FIRST, injury_last_day=LAST)
    made = case_letters.preview_letter(
        letter_id=case.case_letters.get().pk, by=person(Role.COORDINATOR), at=MONDAY
    )
    assert f"Date of Injury {PRINTED}" in read_pdf_text(made.file)


@pytest.mark.django_db
def test_a_period_that_ends_before_it_begins_is_not_stored():
    with pytest.raises(BadFact, match="ends before it begins"):
        receiving.receive_application(
            application=application(date_of_injury=LAST, injury_last_day=FIRST),
            by=person(Role.INTAKE),
            at=MONDAY,
        )
    case = received_case()
    case.injury_last_day = case.date_of_injury
    with pytest.raises(IntegrityError), transaction.atomic():
        case.store(by=None, at=MONDAY, fields=["injury_last_day"])
