"""The former first letter of the demonstration, which contradicts itself in four ways.

It is kept as a fixture for checks that compare a determination with its records and its law.
"""

import json
from datetime import date
from pathlib import Path

import pytest

from guidelines.citations import Citation, compose_citation_line
from guidelines.models import Edition
from guidelines.services import seed_guidelines
from tests import decision_facts
from tests.factories import MONDAY

LETTER = json.loads(
    (Path(__file__).parent / "fixtures" / "former_demonstration_letter.json").read_text()
)
(ITEM,) = LETTER["items"]
INJURED_ON = date.fromisoformat(LETTER["date_of_injury"])
DOCUMENTS = [document["text"] for document in LETTER["documents"]]


def citations(key):
    return [Citation(**one | {"sections": tuple(one["sections"])}) for one in ITEM[key]]


def test_its_summary_names_treatment_before_the_injury():
    early = decision_facts.dates_before_injury(LETTER["summary"], injured_on=INJURED_ON)

    assert early == {date(2013, 7, 10), date(2013, 10, 1), date(2014, 2, 11), date(2014, 6, 5)}
    assert all(
        date.fromisoformat(document["dated"]) >= INJURED_ON
        for document in LETTER["documents"]
        if document["dated"]
    )


@pytest.mark.parametrize("text", [LETTER["summary"], ITEM["rationale"]], ids=["summary", "reasons"])
def test_its_dates_are_in_none_of_the_listed_documents(text):
    missing = decision_facts.dates_in_no_document(text, DOCUMENTS)

    assert missing == decision_facts.find_dates(text)
    assert missing


def test_it_cites_another_authority_than_it_argues_from():
    printed = compose_citation_line(citations("citations"), who="The Expert Reviewer")

    assert printed == ITEM["citations_printed"]
    assert "outside of the MTUS Guidelines" in printed
    assert not any(one.mtus for one in citations("citations"))
    assert decision_facts.find_sources(ITEM["rationale"]) == {"MTUS"}
    named = " ".join(one.as_printed for one in citations("citations"))
    assert decision_facts.find_sources(named) == {"Cochrane"}


def test_the_edition_that_utilization_review_cites_was_replaced_before_its_decision():
    schedule = next(one for one in citations("ur_citations") if one.mtus)
    replaced_on = date.fromisoformat(ITEM["ur_edition_in_force"]["to"])

    assert (schedule.chapter, schedule.edition) == ("Chronic Pain Medical Treatment", "2016")
    assert replaced_on == date(2017, 12, 1)
    assert date.fromisoformat(LETTER["requested_on"]) >= replaced_on
    assert date.fromisoformat(LETTER["ur_decided_on"]) >= replaced_on
    printed = compose_citation_line(citations("ur_citations"), who="The Claims Administrator")
    assert printed == ITEM["ur_citations_printed"]


@pytest.mark.django_db
def test_the_edition_table_agrees_that_it_was_replaced():
    seed_guidelines(by=None, at=MONDAY)
    edition = Edition.objects.get(guideline__code="chronic-pain-medical-treatment", label="2016")

    assert edition.status_on(date.fromisoformat(LETTER["requested_on"])) == "superseded"
    assert edition.ends_before == date.fromisoformat(ITEM["ur_edition_in_force"]["to"])


def test_it_says_that_every_record_was_read_and_states_facts_that_no_record_has():
    assert "read every medical record" in LETTER["summary_lead_in"]
    age = decision_facts.facts_in_no_document("46 year old", DOCUMENTS)
    assert age == {"46"}
    assert decision_facts.dates_in_no_document(LETTER["summary"], DOCUMENTS)
