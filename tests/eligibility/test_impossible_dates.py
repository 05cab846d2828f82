"""Dates of an application that cannot all be true."""

from datetime import date

import pytest

from deadlines.models import rules_on_file
from eligibility.impossible_dates import find_impossible_dates
from eligibility.rules import StoredFacts, StoredItemFacts, propose_answers

TODAY = date(2026, 11, 29)
POSSIBLE = {
    "received": date(2026, 11, 25),
    "ur_decided": date(2026, 11, 16),
    "served_on": date(2026, 11, 16),
    "signed_on": date(2026, 11, 20),
    "date_of_injury": date(2025, 2, 11),
    "date_of_birth": date(1968, 3, 14),
}


def find(**changes):
    found = find_impossible_dates(POSSIBLE | changes, today=TODAY)
    return {one.field: one.sentence for one in found}


def test_possible_and_missing_dates_are_not_named():
    assert find() == {}
    assert find(**dict.fromkeys(POSSIBLE)) == {}
    assert find(served_on=date(2026, 11, 25), signed_on=date(2026, 11, 16)) == {}


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"served_on": date(2026, 11, 13)}, "served_on", "before the UR decision of Mon, Nov 16"),
        ({"served_on": date(2026, 11, 26)}, "served_on", "after we received the application"),
        ({"served_on": date(2026, 11, 30)}, "served_on", "in the future"),
        ({"signed_on": date(2026, 11, 1)}, "signed_on", "before the UR decision of Mon, Nov 16"),
        ({"signed_on": date(2026, 11, 26)}, "signed_on", "after we received the application"),
        ({"ur_decided": date(2026, 11, 26), "served_on": None, "signed_on": None},
         "ur_decided", "after the day we received it"),
        ({"date_of_injury": date(2026, 11, 17)}, "date_of_injury", "after the UR decision"),
        ({"date_of_injury": date(1968, 3, 13)}, "date_of_injury", "before the birth"),
        ({"received": date(2026, 11, 30)}, "received", "Check the stamp"),
    ],
)  # fmt: skip
def test_an_impossible_date_is_named_with_the_reason(changes, field, sentence):
    found = find(**changes)

    assert list(found) == [field]
    assert sentence in found[field]


@pytest.mark.django_db
def test_the_rules_count_no_period_from_an_impossible_day_and_say_the_same_as_intake():
    rules, calendars = rules_on_file()
    dates = {
        "received_on": date(2026, 11, 25),
        "decided_on": date(2026, 11, 16),
        "served_on": date(2026, 11, 13),
        "signed_on": date(2026, 11, 1),
    }
    facts = StoredFacts([StoredItemFacts(1, "MRI", "DENIED")], signed_by="EMPLOYEE",
                        service_method="mail_ca", **dates)  # fmt: skip

    proposal = propose_answers(facts, rules=rules, calendars=calendars)

    assert proposal.answers["TIMELY"] == "UNKNOWN"
    assert proposal.answers["SIGNED"] == "UNKNOWN"
    expected = find_impossible_dates(
        {"received": dates["received_on"], "ur_decided": dates["decided_on"]}
        | {name: dates[name] for name in ("served_on", "signed_on")}
    )
    sentences = {verdict.sentence for verdict in proposal.verdicts}
    assert {one.sentence for one in expected} <= sentences
