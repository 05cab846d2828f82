"""The demonstration as a visitor finds it: every state, and decisions that agree with records."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest

import files.services
from accounts.verification import verify_history
from cases.lifecycle import Status
from cases.models import Case, Commitment, Event, Hold, PartyRole, Priority
from determinations.models import Determination, Opinion
from guidelines.models import Edition
from imr_portal.demo import early_cases, loading, reviewed_cases
from imr_portal.demo.stories import Story
from imr_portal.management.commands.seed_reference import load_reference
from intake.models import Scan
from letters.models import Letter
from letters.outcomes import Outcome
from maintenance.models import Finding
from maintenance.services.nightly import run_checks
from tests import decision_facts
from tests.letters.factories import file_without_typesetting

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 18, 21, 30, tzinfo=UTC)  # a Wednesday, 1:30 PM in Los Angeles

# A case is received and put into eligibility review in one action.
PASSED_AT_ONCE = {Status.RECEIVED}
# No service asks for information for the review yet.
NOT_REACHED = {Status.INFO_FOR_REVIEW}


@pytest.fixture(scope="module")
def loaded(module_db):
    load_reference(at=NOW - loading.HISTORY)
    return loading.load_demonstration(
        now=NOW,
        wait_for_letters=lambda number: file_without_typesetting(at=NOW),
        report=lambda words: None,
    )


@pytest.fixture
def cases(loaded):
    return list(Case.objects.order_by("pk").select_related("ur_decision"))


def text_of(document):
    """The text of a document as a reader can copy it, on one line."""
    pdf = pypdfium2.PdfDocument(files.services.read_bytes(document.file))
    pages = [page.get_textpage().get_text_bounded() for page in pdf]
    pdf.close()
    return decision_facts.join_lines(" ".join(pages))


@pytest.fixture(scope="module")
def texts(loaded):
    """For each case, the texts of its papers and records."""
    found = {}
    for case in Case.objects.all():
        stored = list(case.application.papers.select_related("file"))
        listed = list(case.documents.select_related("file").order_by("number"))
        once = {one.file_id: one for one in [*stored, *listed]}
        found[case.pk] = {key: text_of(one) for key, one in once.items()}
    return found


def first_day_of(case):
    """The day of the injury, or the first day of a cumulative trauma."""
    return min({case.date_of_injury, *decision_facts.find_dates(case.date_of_injury_printed)})


def test_every_state_that_a_case_can_rest_in_is_shown(cases):
    assert {case.stage for case in cases} == set(Status) - PASSED_AT_ONCE - NOT_REACHED


def test_every_case_was_in_the_state_in_which_none_can_rest(cases):
    for case in cases:
        assert Status.RECEIVED in {row.status for row in case.history.all()}


def test_the_states_that_are_left_out_are_reached_by_no_service():
    """When a service reaches one, the demonstration has to show it."""
    for state in NOT_REACHED:
        for path in ROOT.glob("*/services/*.py"):
            assert f"move_to(Status.{state}" not in path.read_text(), path


def test_what_a_case_can_have_is_shown(cases, loaded):
    live = Commitment.objects.filter(kept_on=None).exclude(
        pk__in=Commitment.objects.exclude(replaces=None).values("replaces")
    )
    assert {hold.reason for hold in Hold.objects.filter(ended_on=None)} == {
        "LIABILITY",
        "NO_REVIEWER",
        "PARTY_ASKED",
    }
    assert live.count() == 2
    assert Commitment.objects.exclude(kept_on=None).count() == 1
    assert Commitment.objects.filter(moved=1).count() == 1
    assert any(case.assignments.count() == 2 for case in cases)
    assert {case.priority for case in cases} == {Priority.REGULAR, Priority.EXPEDITED}
    assert [case for case in cases if case.date_of_injury_printed.startswith("CT ")]
    assert Scan.objects.filter(case=None).count() == 2
    outcomes = set(Opinion.objects.exclude(outcome="").values_list("outcome", flat=True))
    assert outcomes == {Outcome.UPHELD, Outcome.OVERTURNED}
    issued = Determination.objects.filter(state=Determination.State.ISSUED)
    assert issued.first().case == loaded
    assert all(one.letter.state == Letter.State.FILED for one in issued)


def test_no_record_is_dated_before_the_injury_and_none_names_an_earlier_day(cases, texts):
    for case in cases:
        earliest = first_day_of(case)
        born = case.parties.get(role=PartyRole.EMPLOYEE).person.date_of_birth
        for document in case.documents.all():
            for day in (document.dated_from, document.dated_to):
                assert day is None or day >= case.date_of_injury, document
        for text in texts[case.pk].values():
            early = decision_facts.dates_before_injury(text, injured_on=earliest)
            assert early <= {born}, (case, early)


def test_nothing_happens_before_the_application_or_after_now(cases):
    for case in cases:
        moments = list(Event.objects.filter(case=case).values_list("happened_at", flat=True))
        assert case.received_at <= min(moments)
        assert max(moments) <= NOW
        assert case.ur_decision.requested_on >= first_day_of(case)


def list_review_texts(case):
    """The texts of the reviews of a case, with the authorities of each rationale."""
    for assignment in case.assignments.all():
        review = getattr(assignment, "review", None)
        if review is not None and review.summary:
            yield review.summary, []
        for opinion in assignment.opinions.exclude(rationale=""):
            live = opinion.citations.filter(removed_at=None)
            yield opinion.rationale, list(live.select_related("recommendation"))


def test_every_date_and_fact_of_a_review_is_in_a_document_of_the_case(cases, texts):
    checked = 0
    for case in cases:
        documents = list(texts[case.pk].values())
        for text, citations in list_review_texts(case):
            for one in citations:  # the name and the criteria of an authority are no facts
                text = text.replace(one.edition, "").replace(one.recommendation.summary, "")
            assert decision_facts.dates_in_no_document(text, documents) == set(), case
            assert decision_facts.facts_in_no_document(text, documents) == set(), case
            checked += 1
    assert checked >= 10


def test_the_documents_of_a_review_are_listed_and_attached(cases):
    for case in cases:
        if case.records_complete_on is None:
            continue
        kinds = Counter(case.documents.values_list("kind", flat=True))
        assert kinds["APPLICATION"] == kinds["UR_DECISION"] == kinds["RFA"] == 1
        assert sum(kinds.values()) > 3
        assert all(document.file.pages for document in case.documents.select_related("file"))


def test_a_rationale_argues_from_the_authority_that_it_cites_and_from_no_other(cases):
    checked = 0
    for case in cases:
        for rationale, citations in list_review_texts(case):
            if not citations:
                continue
            printed = " ".join("MTUS" if one.mtus else one.as_printed for one in citations)
            cited = decision_facts.find_sources(printed)
            assert decision_facts.find_sources(rationale) == cited, case
            for one in citations:
                guideline = one.recommendation.edition.guideline
                assert guideline.title in rationale
                assert not one.mtus or one.edition in rationale
            checked += 1
    assert checked >= 6


def test_every_edition_that_is_cited_is_in_force_on_the_day_of_the_request(cases):
    checked = 0
    for case in cases:
        requested_on = case.ur_decision.requested_on
        cited = [one for _, citations in list_review_texts(case) for one in citations]
        for item in case.items.all():
            cited += item.administrator_citations.filter(removed_at=None)
        for one in cited:
            if one.mtus:
                edition = Edition.objects.get(guideline__title=one.chapter_topic, label=one.edition)
                assert edition.status_on(requested_on) == "in force", (case, edition)
                checked += 1
    assert checked >= 20


def test_the_line_of_the_claims_administrator_is_what_its_decision_says(cases, texts):
    for case in cases:
        paper = case.application.papers.get(kind="UR_DECISION")
        text = texts[case.pk][paper.file_id]
        assert f"{case.ur_decision.decided_on:%m/%d/%Y}" in text
        assert f"{case.ur_decision.requested_on:%m/%d/%Y}" in text
        for item in case.items.all():
            assert item.title in text
            stated = item.administrator_citations.filter(removed_at=None)
            for one in stated:
                assert (
                    f"{one.chapter_topic} {one.edition}" if one.mtus else one.as_printed
                ) in text
            if item.administrator_cites_nothing:
                assert "None cited." in text


def test_people_addresses_and_injuries_differ(cases):
    parties = [party for case in cases for party in case.parties.current()]
    homes = {(p.name, p.address) for p in parties if p.role == PartyRole.EMPLOYEE}
    assert len({address for _, address in homes}) == len(homes) >= 19
    for role, at_least in (
        (PartyRole.EMPLOYER, 19),
        (PartyRole.REQUESTING_PHYSICIAN, 19),
        (PartyRole.CLAIMS_ADMINISTRATOR, 5),
        (PartyRole.EMPLOYEE_ATTORNEY, 7),
    ):
        assert len({party.name for party in parties if party.role == role}) >= at_least
    assert len({case.date_of_injury for case in cases}) >= 19
    assert len({item.title for case in cases for item in case.items.all()}) >= 20
    assert {party.preferred_channel for party in parties} == {"MAIL", "FAX", "ELECTRONIC"}
    for party in parties:
        for number in (party.phone, party.fax):
            assert not number or re.fullmatch(r"\(\d{3}\) 555-01\d\d", number), party
        assert not party.email or party.email.endswith(".example")


def test_every_story_has_a_case(cases):
    stories = [
        story
        for module in (early_cases, reviewed_cases)
        for story in vars(module).values()
        if isinstance(story, Story)
    ]
    shown = {item.title for case in cases for item in case.items.all()}
    assert {item.title for story in stories for item in story.items} == shown


def test_the_history_of_the_demonstration_is_whole_and_its_first_night_finds_nothing(loaded):
    assert [str(problem) for problem in verify_history()] == []
    run_checks(at=NOW)
    found = Finding.objects.open().values_list("code", "table", "reference", "sentence")
    assert [row for row in found if row[0] != "letter_not_sent"] == []
    # Left on purpose: someone who tries the portal finds letters to send.
    assert {row[1] for row in found} <= {"letters_service", "cases_caseletter"}
