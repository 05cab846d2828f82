"""Each requirement alone keeps a reviewer out, with its sentence; days end in Los Angeles."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from accounts.services import set_active
from cases.models import TreatmentCategory
from intake.services.receiving import ItemOnForm
from reviewers.matching import ranking
from reviewers.matching.candidacy import DEFAULT_RULES
from reviewers.matching.candidates import evaluate_candidates
from reviewers.models import SpecialtyFit
from reviewers.services import credentialing
from tests.factories import MONDAY, person
from tests.reviewers.factories import (
    PANEL_ENTERED,
    VERIFIED,
    fit_reviewer,
    get_category,
    get_specialty,
    offered_case,
    panel_seeds,
    rank_panel,
    ready_case,
    with_evidence,
)

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)


def result_for(case, reviewer, *, on=DAY, known_at=MONDAY + timedelta(hours=4)):
    results, _ = evaluate_candidates(case, on=on, known_at=known_at)
    return next(one for one in results if one.reviewer_id == reviewer.pk)


def map_refusals(case, reviewer, **when):
    return {
        reason.requirement: reason.sentence
        for reason in result_for(case, reviewer, **when).refusals
    }


def test_a_reviewer_with_everything_on_file_passes_every_requirement_with_a_reason():
    case, reviewer = ready_case(), fit_reviewer()

    result = result_for(case, reviewer)

    assert result.is_eligible
    texts = [reason.sentence for reason in result.reasons]
    assert "Licensed in California. First expiration: Jun 30, 2027." in texts
    assert "Board certified in Physical Medicine & Rehabilitation." in texts
    assert "In active practice since Feb 1, 2008." in texts
    assert "Attested 30 hours a week." in texts
    assert "Trained in the governing law (2026)." in texts
    assert "Open cases: 0 of 4." in texts
    assert "No affiliation with a party is on file." in texts
    assert any(
        "the specialty map has no entry for this treatment" in sentence for sentence in texts
    )


# what is on file otherwise, the only requirement that refuses, and the sentence
LACKS = {
    "no license": ({"license": None}, "LICENSE", "No active, unrestricted license on Mar 2, 2026."),
    "license lapsed yesterday": (
        {"license": {"valid_to": date(2026, 3, 1)}},
        "LICENSE",
        "No active, unrestricted license on Mar 2, 2026.",
    ),
    "license from tomorrow": (
        {"license": {"valid_from": date(2026, 3, 3)}},
        "LICENSE",
        "No active, unrestricted license on Mar 2, 2026.",
    ),
    "license restricted": (
        {"license": {"standing": "RESTRICTED", "valid_from": date(2026, 2, 1), "valid_to": None}},
        "SANCTION",
        "License in California: restricted since Feb 1, 2026.",
    ),
    "sanction found": (
        {"sanctions": {"found": True}},
        "SANCTION",
        "Sanction found in NPDB since Jan 15, 2026.",
    ),
    "no certificate": (
        {"certification": None},
        "CERTIFICATION",
        "No board certification in force on Mar 2, 2026.",
    ),
    "certificate lapsed": (
        {"certification": {"valid_to": date(2026, 3, 1)}},
        "CERTIFICATION",
        "No board certification in force on Mar 2, 2026.",
    ),
    "a nurse": (
        {"certification": {"specialty": "Registered Nurse"}},
        "CERTIFICATION",
        "A registered nurse may not be the only reviewer.",
    ),
    "start unknown": (
        {"start": None},
        "PRACTICE_YEARS",
        "The start of active practice is not on file.",
    ),
    "exactly five years": (
        {"start": {"valid_from": date(2021, 3, 2)}},
        "PRACTICE_YEARS",
        "In active practice since Mar 2, 2021. More than 5 years are required.",
    ),
    "no hours": (
        {"hours": None},
        "PRACTICE_HOURS",
        "No attestation of weekly hours is in force on Mar 2, 2026.",
    ),
    "hours out of date": (
        {"hours": {"valid_to": date(2026, 3, 1)}},
        "PRACTICE_HOURS",
        "No attestation of weekly hours is in force on Mar 2, 2026.",
    ),
    "too few hours": (
        {"hours": {"weekly_hours": Decimal("23.5")}},
        "PRACTICE_HOURS",
        "Attested 23.5 hours a week. At least 24 are required.",
    ),
    "no training in the law": (
        {"law": None},
        "TRAINING_LAW",
        "No current training in the governing law is on file.",
    ),
    "training in evidence lapsed": (
        {"evidence": {"valid_to": date(2026, 3, 1)}},
        "TRAINING_EVIDENCE",
        "No current training in the evidence hierarchy is on file.",
    ),
}


@pytest.mark.parametrize(("changes", "requirement", "sentence"), LACKS.values(), ids=list(LACKS))
def test_one_missing_fact_excludes_a_reviewer_with_its_sentence(changes, requirement, sentence):
    case, reviewer = ready_case(), fit_reviewer(**changes)

    refusals = map_refusals(case, reviewer)

    assert refusals.pop(requirement) == sentence
    # A physician without a good license or certificate fits no item either, and whoever has a
    # sanction is suspended at once; nothing else refuses.
    besides = {"SPECIALTY", "STATUS"} if requirement == "SANCTION" else {"SPECIALTY"}
    assert set(refusals) <= (
        besides if requirement in {"LICENSE", "SANCTION", "CERTIFICATION"} else set()
    )


def test_five_years_and_a_day_is_enough():
    reviewer = fit_reviewer(start={"valid_from": date(2021, 3, 1)})
    assert result_for(ready_case(), reviewer).is_eligible


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("SUSPENDED", "Suspended from the panel."),
        ("INACTIVE", "No longer active on the panel."),
    ],
)
def test_an_inactive_reviewer_is_excluded_at_once(status, sentence):
    case, reviewer = ready_case(), fit_reviewer()

    credentialing.set_reviewer_status(
        reviewer_id=reviewer.pk, status=status, reason="Asked to", by=None, at=MONDAY
    )

    assert map_refusals(case, reviewer) == {"STATUS": sentence}


def test_a_reviewer_without_a_sign_in_is_excluded():
    case = ready_case()
    without, withdrawn = fit_reviewer(sign_in=False), fit_reviewer()
    set_active(user_id=withdrawn.user_id, active=False, by=None, at=MONDAY)

    for reviewer in (without, withdrawn):
        assert list(map_refusals(case, reviewer)) == ["SIGN_IN"]


def test_leave_counts_from_its_first_to_its_last_day():
    case, reviewer = ready_case(), fit_reviewer()
    credentialing.add_leave(
        **with_evidence(
            reviewer_id=reviewer.pk,
            valid_from=date(2026, 3, 2),
            valid_to=date(2026, 3, 6),
            by=None,
            at=MONDAY,
            **VERIFIED,
        )
    )

    assert map_refusals(case, reviewer) == {"LEAVE": "On leave until Mar 6, 2026."}
    assert map_refusals(case, reviewer, on=date(2026, 3, 6)) == {
        "LEAVE": "On leave until Mar 6, 2026."
    }
    assert map_refusals(case, reviewer, on=date(2026, 3, 7)) == {}


def test_a_reviewer_at_capacity_is_excluded_until_a_case_ends():
    reviewer = fit_reviewer(capacity=1)
    held = offered_case(reviewer=reviewer)
    case = ready_case()

    assert map_refusals(case, reviewer) == {"WORKLOAD": "Open cases: 1 of 1."}
    held.case.refresh_from_db()
    held.case.move_to("WITHDRAWN", by=None, at=MONDAY)
    assert map_refusals(case, reviewer) == {}


def test_an_affiliation_on_file_excludes_a_reviewer():
    case, reviewer = ready_case(), fit_reviewer()
    credentialing.add_affiliation(
        **with_evidence(
            reviewer_id=reviewer.pk,
            relation="EMPLOYMENT",
            organization_name="Harbor Cold Storage",
            valid_from=date(2024, 1, 1),
            by=None,
            at=MONDAY,
            **VERIFIED,
        )
    )

    assert map_refusals(case, reviewer) == {
        "CONFLICT": "Employment with the employer is on file. Statute: Labor Code 139.5(d)(5)-(6)."
    }


def test_a_contract_for_utilization_review_excludes_a_reviewer():
    case, reviewer = ready_case(), fit_reviewer()
    credentialing.add_affiliation(
        **with_evidence(
            reviewer_id=reviewer.pk,
            relation="UR_CONTRACT",
            organization_name="Some Other Insurer",
            valid_from=date(2024, 1, 1),
            by=None,
            at=MONDAY,
            **VERIFIED,
        )
    )

    assert map_refusals(case, reviewer) == {
        "UR_CONTRACT": "Has a contract for utilization review. Organization’s rule: policy of this "
        "organization."
    }


def test_an_unresolved_possible_conflict_excludes_a_reviewer():
    case = ready_case()
    reviewer = fit_reviewer(first_name="Dana", last_name="Oyelaran")

    assert list(map_refusals(case, reviewer)) == ["UNSETTLED"]


class TestSpecialty:
    """The staff's map decides which specialty may decide which item."""

    def case_of(self, name, child="", body_part=""):
        row = get_category(name, child) if name else None
        panel_seeds()
        item = ItemOnForm(
            title="A treatment", category_id=row.pk if row else None, body_part=body_part
        )
        return ready_case(items=[item])

    def test_a_specialty_of_the_map_fits_and_the_reason_is_given(self):
        case = self.case_of("Pharmaceuticals", "Opioids")

        result = result_for(case, fit_reviewer())

        assert result.matches[0].is_mapped
        assert result.matches[0].why == (
            "Physical Medicine & Rehabilitation fits (prescribes and tapers opioids)."
        )

    def test_a_specialty_that_the_map_does_not_name_is_excluded(self):
        case = self.case_of("Psych Services")

        refusals = map_refusals(case, fit_reviewer())

        assert refusals == {
            "SPECIALTY": "Item 1: requires Addiction Psychiatry, Psychiatry, "
            "Psychologist or Psychology."
        }

    def test_a_child_category_without_a_line_is_decided_by_its_parents(self):
        case = self.case_of("Psych Services", "Therapies")
        assert "requires Addiction Psychiatry" in map_refusals(case, fit_reviewer())["SPECIALTY"]

    def test_the_body_part_decides_where_no_category_does(self):
        case = self.case_of("", body_part="Left eye")
        assert map_refusals(case, fit_reviewer()) == {
            "SPECIALTY": "Item 1: requires Ophthalmology or Optometry."
        }

    def test_a_category_with_a_body_part_has_priority_over_the_category(self):
        case = self.case_of("Surgery", body_part="Right hand")
        certified = {"specialty": "Neurological Surgery"}
        assert list(map_refusals(case, fit_reviewer(certification=certified))) == ["SPECIALTY"]
        hand = fit_reviewer(certification={"specialty": "Hand Surgery"})
        assert result_for(case, hand).is_eligible

    def test_a_chiropractor_needs_no_board_but_a_line_of_the_map(self):
        chiropractor = fit_reviewer(license={"kind": "DC"}, certification=None)

        assert result_for(self.case_of("Rehabilitation", "Chiropractic"), chiropractor).is_eligible
        drugs = self.case_of("Pharmaceuticals", "Opioids")
        assert "requires" in map_refusals(drugs, chiropractor)["SPECIALTY"]
        unmapped = ready_case()
        assert map_refusals(unmapped, chiropractor) == {
            "SPECIALTY": "Item 1: the specialty map has no entry that allows a chiropractor."
        }

    def test_a_nurses_certificate_decides_nothing_even_if_the_map_names_it(self):
        case = self.case_of("Home Health")
        SpecialtyFit(
            specialty=get_specialty("Registered Nurse"),
            category=TreatmentCategory.objects.get(name="Home Health"),
            reason="visits at home",
        ).store(by=None, at=PANEL_ENTERED)
        nurse = fit_reviewer(certification={"specialty": "Registered Nurse"})

        assert set(map_refusals(case, nurse)) == {"CERTIFICATION", "SPECIALTY"}

    def test_every_item_needs_a_fit(self):
        panel_seeds()
        items = [
            ItemOnForm(title="Drops", body_part="Eye"),
            ItemOnForm(title="Brace", body_part="Spine"),
        ]
        case = ready_case(items=items, items_on_form=2)

        assert map_refusals(case, fit_reviewer()) == {
            "SPECIALTY": "Item 1: requires Ophthalmology or Optometry."
        }


def los_angeles(day, hour, minute=0):
    """A moment by the clock in Los Angeles; winter time is eight hours behind UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) + timedelta(hours=8)


def test_a_license_is_valid_until_midnight_in_los_angeles_on_its_last_day():
    reviewer = fit_reviewer(license={"valid_to": date(2026, 3, 5)})
    coordinator = person(Role.COORDINATOR)
    case = ready_case()

    last_minute = rank_panel(case, by=coordinator, at=los_angeles(date(2026, 3, 5), 23, 59))
    midnight = rank_panel(case, by=coordinator, at=los_angeles(date(2026, 3, 6), 0))

    assert last_minute.find_candidate(reviewer.pk).rank == 1
    assert midnight.find_candidate(reviewer.pk).rank is None


def test_a_restriction_recorded_today_with_effect_last_month_counts_from_today():
    case, reviewer = ready_case(), fit_reviewer()
    held_license = reviewer.licenses.get()
    today = MONDAY + timedelta(hours=4)
    credentialing.correct_fact(
        kind="license",
        fact_id=held_license.pk,
        changes={"standing": "RESTRICTED", "valid_from": date(2026, 2, 1), "valid_to": None},
        by=None,
        at=today,
    )

    as_known_now = map_refusals(case, reviewer, on=date(2026, 2, 15), known_at=today)
    as_known_then = map_refusals(case, reviewer, on=date(2026, 2, 15), known_at=MONDAY)

    assert as_known_now["SANCTION"] == "License in California: restricted since Feb 1, 2026."
    assert as_known_then == {}


class TestOrder:
    """Those who pass are put in order; the same panel gives the same list."""

    def test_a_fitting_specialty_a_californian_license_and_free_time_count(self):
        opioids = get_category("Pharmaceuticals", "Opioids")
        panel_seeds()
        case = ready_case(items=[ItemOnForm(title="Norco", category_id=opioids.pk)])
        elsewhere = fit_reviewer(license={"state": "Nevada"})
        busy = fit_reviewer(capacity=4)
        offered_case(reviewer=busy)
        free = fit_reviewer(capacity=4)

        results, _ = evaluate_candidates(case, on=DAY, known_at=MONDAY + timedelta(hours=4))

        assert [one.reviewer_id for one in results] == [free.pk, busy.pk, elsewhere.pk]
        assert [one.score for one in results] == [100, 85, 80]
        assert "Not licensed in California, which is preferred." in [
            reason.sentence for reason in results[2].reasons
        ]

    def test_looking_twice_stores_one_list(self):
        coordinator, case = person(Role.COORDINATOR), ready_case()
        fit_reviewer()
        first = rank_panel(case, by=coordinator)

        again = rank_panel(case, by=coordinator, at=MONDAY + timedelta(hours=5))
        fit_reviewer()
        changed = rank_panel(case, by=coordinator, at=MONDAY + timedelta(hours=6))

        assert again == first
        assert changed != first
        assert len(changed.candidates) == 2
        assert changed.weights == DEFAULT_RULES.values

    def test_reasons_for_exclusion_are_counted(self):
        case = ready_case()
        fit_reviewer(hours=None)
        fit_reviewer(hours=None, law=None)
        fit_reviewer()

        results, _ = evaluate_candidates(case, on=DAY, known_at=MONDAY + timedelta(hours=4))

        assert ranking.count_refusals(results) == [
            (2, "without 24 attested hours a week"),
            (1, "without training in the governing law"),
        ]


def test_the_panel_is_ranked_in_a_fixed_number_of_queries():
    coordinator, case = person(Role.COORDINATOR), ready_case()
    assert coordinator.roles  # asked once for a request, by whoever asks first
    rank_panel(ready_case(), by=coordinator)  # what was issued before today is read once a day
    queries = []
    for more in (3, 12):
        for _ in range(more):
            fit_reviewer()
        with CaptureQueriesContext(connection) as asked:
            rank_panel(case, by=coordinator)
        queries.append(len(asked))

    with CaptureQueriesContext(connection) as asked:
        rank_panel(case, by=coordinator)

    # fifteen of them are the test of this organization, which comes first
    assert queries[0] == queries[1] <= 50
    assert len(asked) < queries[0]  # no one joined: the facts are not read again
