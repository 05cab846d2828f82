"""Weights, limits, subjects and days: set by a manager, used at once, stored with every list."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from deadlines.days import local_day
from intake.services.receiving import ItemOnForm
from reviewers.facts import CertificationRecord, LicenseRecord, Profile
from reviewers.matching import ranking, track_record
from reviewers.matching.candidacy import (
    DEFAULT_RULES,
    LIMITS,
    WEIGHTS,
    CandidateData,
    MatchCase,
    MatchItem,
    Scope,
    TrackRecord,
)
from reviewers.matching.candidates import evaluate_candidates
from reviewers.matching.requirements import check_license_scope
from reviewers.matching.specialty_map import match_specialties
from reviewers.matching.track_record import get_matching_rules
from reviewers.models import MatchingRules, SpecialtyFit
from reviewers.services import assignment as assignments
from reviewers.services import rules
from tests.factories import MONDAY, person
from tests.records.factories import case_with_records
from tests.reviewers.factories import (
    PANEL_ENTERED,
    accepted_case,
    fit_reviewer,
    get_category,
    get_specialty,
    offered_case,
    panel_seeds,
    rank_panel,
    ready_case,
    sign_attestation,
)

pytestmark = pytest.mark.django_db
NOON = MONDAY + timedelta(hours=4)
DAY = date(2026, 3, 2)


def set_rules(by=None, at=NOON, effective_from=DAY, reason="Panel meeting", **changes):
    return rules.set_matching_rules(
        effective_from=effective_from,
        weights={k: changes.get(k, v) for k, v in WEIGHTS.items()},
        limits={k: changes.get(k, v) for k, v in LIMITS.items()},
        reason=reason,
        by=by or person(Role.DIRECTOR),
        at=at,
    )


def result_for(case, reviewer, at=NOON, on=DAY):
    results, _ = evaluate_candidates(case, on=on, known_at=at)
    return next(one for one in results if one.reviewer_id == reviewer.pk)


def list_refusals(result):
    return {reason.requirement: reason.sentence for reason in result.refusals}


def limit_offers(reviewer, *, subjects=None, days_off=(), at=MONDAY):
    return rules.limit_offers(
        reviewer_id=reviewer.pk,
        subjects=subjects,
        days_off=days_off,
        reason="Asked to",
        by=None,
        at=at,
    )


@pytest.mark.capability("MC-4")
def test_a_manager_sets_the_weights_and_each_list_keeps_the_values_it_used():
    director, coordinator, case = person(Role.DIRECTOR), person(Role.COORDINATOR), ready_case()
    elsewhere = fit_reviewer(license={"state": "Nevada"})
    before = rank_panel(case, by=coordinator)

    made = set_rules(by=director, california_license=0, at=NOON + timedelta(minutes=1))
    after = rank_panel(case, by=coordinator, at=NOON + timedelta(minutes=2))

    assert before.weights["california_license"] == 20
    assert after.weights == DEFAULT_RULES.values | {"california_license": 0}
    assert before.find_candidate(elsewhere.pk).score == 40  # no map entry: nothing for fit
    assert (made.recorded_by, made.history.get().history_user) == (director, director)
    assert get_matching_rules(DAY, known_at=NOON) == DEFAULT_RULES


@pytest.mark.capability("MC-4")
def test_rules_take_effect_from_their_date_and_cannot_be_backdated():
    set_rules(effective_from=DAY + timedelta(days=3), rotation=77)

    assert get_matching_rules(DAY, known_at=NOON).weights["rotation"] == 10
    assert get_matching_rules(DAY + timedelta(days=3), known_at=NOON).weights["rotation"] == 77
    with pytest.raises(NotAllowed, match="cannot start in the past"):
        set_rules(effective_from=DAY - timedelta(days=1))
    with pytest.raises(NotAllowed, match="Enter weights from 0 to 200"):
        set_rules(rotation=201)
    with pytest.raises(NotAllowed, match="Enter weights from -200 to 0"):
        set_rules(declined_before=5)
    with pytest.raises(NotAllowed, match="Enter why"):
        set_rules(reason=" ")
    assert MatchingRules.objects.count() == 1


@pytest.mark.capability("MC-4")
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.DIRECTOR}))
def test_only_the_director_sets_the_matching_rules(role):
    with pytest.raises(NotAllowed, match="medical director"):
        set_rules(by=person(role))


@pytest.mark.capability("MC-4")
def test_the_page_shows_old_and_new_values_the_author_and_the_date(signed_in):
    page = signed_in(Role.DIRECTOR).get("/reviewers/matching-rules/")
    assert page.status_code == 200
    client = signed_in(Role.DIRECTOR)
    typed = DEFAULT_RULES.values | {
        "effective_from": f"{page.context['today']:%m/%d/%Y}",
        "rotation": 33,
        "reason": "Share work",
    }

    refused = client.post("/reviewers/matching-rules/", typed | {"rotation": "many"})
    answer = client.post("/reviewers/matching-rules/", typed)

    assert refused.status_code == 422
    assert "Enter a number." in refused.content.decode()
    assert answer.status_code == 302
    text = signed_in(Role.COORDINATOR).get("/reviewers/matching-rules/").content.decode()
    assert "<del>10</del> 33" in text
    assert "Share work" in text
    assert "Only the medical director sets" in text


@pytest.mark.capability("MC-1")
def test_the_same_panel_gives_the_same_list_with_a_reason_for_everyone():
    case = ready_case()
    for _ in range(3):
        fit_reviewer()
    out = fit_reviewer(hours=None)

    first, again = (evaluate_candidates(case, on=DAY, known_at=NOON)[0] for _ in range(2))

    assert first == again
    assert all(one.reasons for one in first)
    assert first[-1].reviewer_id == out.pk
    assert first[-1].refusals


@pytest.mark.capability("MC-5")
def test_a_returned_case_goes_to_the_same_reviewer_only_within_the_set_days():
    coordinator = person(Role.COORDINATOR)
    held = accepted_case(coordinator=coordinator)
    other = fit_reviewer()
    assignments.remove_reviewer(
        assignment_id=held.pk, reason="Ill for a day", by=coordinator, at=MONDAY + timedelta(days=1)
    )
    case, reviewer = held.case, held.reviewer
    case.refresh_from_db()

    def first_on(days):
        at = MONDAY + timedelta(days=days)
        return evaluate_candidates(case, on=DAY + timedelta(days=days), known_at=at)[0]

    soon, late = first_on(3), first_on(16)

    assert soon[0].reviewer_id == reviewer.pk
    assert "Had this case until Mar 3, 2026; it returns to the same reviewer." in [
        reason.sentence for reason in soon[0].reasons
    ]
    assert soon[0].score - late[[v.reviewer_id for v in late].index(reviewer.pk)].score > 30
    assert {one.reviewer_id for one in late} == {reviewer.pk, other.pk}


@pytest.mark.capability("MA-6", "MC-5")
def test_the_same_reviewer_is_refused_after_a_remand_whatever_the_weights():
    held = accepted_case()
    case = held.case
    set_rules(returned_work=200)
    case.refresh_from_db()
    case.round += 1
    case.store(by=None, at=NOON, fields=["round"])

    refusals = list_refusals(result_for(case, held.reviewer, at=MONDAY + timedelta(days=1)))

    assert refusals["EARLIER_ROUND"].startswith("Reviewed an earlier round")


@pytest.mark.capability("MC-8")
def test_a_limit_on_open_cases_stops_offers_and_explains_why():
    reviewer = fit_reviewer(capacity=9)
    offered_case(reviewer=reviewer)
    set_rules(most_open=1)

    assert list_refusals(result_for(ready_case(), reviewer)) == {
        "WORKLOAD": "Open cases: 1. The limit for every reviewer is 1."
    }


@pytest.mark.capability("MC-8")
def test_a_limit_on_overdue_cases_stops_offers_and_informs_the_reviewer(signed_in):
    set_rules(most_overdue=1)
    reviewer = fit_reviewer()
    held = offered_case(reviewer=reviewer)
    late = held.case.due_on + timedelta(days=1)
    sentence = "Overdue cases: 1. No new cases are offered at 1 or more."

    assert (
        list_refusals(result_for(ready_case(), reviewer, on=held.case.due_on)).get("OVERDUE")
        is None
    )
    assert list_refusals(result_for(ready_case(), reviewer, on=late))["OVERDUE"] == sentence
    # The deadline of this test's browser is past that day too.
    text = signed_in(user=reviewer.user).get("/reviews/").content.decode()
    assert sentence in text


@pytest.mark.capability("RP-1")
def test_removing_a_subject_stops_new_offers_at_once_and_keeps_the_open_ones():
    panel_seeds()
    drugs, surgery = get_category("Pharmaceuticals"), get_category("Surgery")
    case = ready_case(items=[ItemOnForm(title="Norco", category_id=drugs.pk)])
    reviewer, coordinator = fit_reviewer(), person(Role.COORDINATOR)
    held = offered_case(reviewer=reviewer)
    limit_offers(reviewer, subjects=[drugs.pk, surgery.pk])
    listed = rank_panel(case, by=coordinator)
    assert listed.find_candidate(reviewer.pk).rank == 1

    limit_offers(reviewer, subjects=[surgery.pk])

    with pytest.raises(NotAllowed, match="not offered this kind of treatment"):
        assignments.assign_reviewer(
            case_id=case.pk,
            reviewer_id=reviewer.pk,
            candidate_list_id=listed.pk,
            seen_version=None,
            by=coordinator,
            at=NOON,
        )
    held.refresh_from_db()
    assert held.is_live
    limit_offers(reviewer, subjects=[])
    assert "SUBJECT" in list_refusals(result_for(case, reviewer))
    limit_offers(reviewer, subjects=None)
    assert result_for(case, reviewer).is_eligible


@pytest.mark.capability("RP-3")
def test_nothing_is_offered_on_a_day_off():
    case, reviewer = ready_case(), fit_reviewer()
    limit_offers(reviewer, days_off=[0, 6])

    assert list_refusals(result_for(case, reviewer)) == {"DAY_OFF": "Does not work on Mondays."}
    assert result_for(case, reviewer, on=DAY + timedelta(days=1)).is_eligible


@pytest.mark.capability("RP-1")
def test_the_page_of_subjects_keeps_old_and_new_values(signed_in):
    drugs, reviewer = get_category("Pharmaceuticals"), fit_reviewer()
    client, address = signed_in(Role.CREDENTIALING), f"/reviewers/{reviewer.code}/receives/"
    typed = {"which": "listed", "subjects": [drugs.pk], "days_off": [5, 6], "reason": "Asked"}
    typed["version"] = reviewer.version

    assert client.get(address).status_code == 200
    assert client.post(address, typed | {"reason": ""}).status_code == 422
    assert client.post(address, typed | {"version": 0}).status_code == 409
    assert client.post(address, typed).status_code == 302

    reviewer.refresh_from_db()
    assert (reviewer.subjects, reviewer.days_off) == ([drugs.pk], [5, 6])
    assert reviewer.history.first().prev_record.subjects is None


@pytest.mark.capability("MA-2")
def test_a_chiropractor_does_not_decide_drugs_even_if_the_map_allows_it():
    drugs = get_category("Pharmaceuticals", "Opioids")
    panel_seeds()
    SpecialtyFit(
        specialty=get_specialty("Chiropractic"), category=drugs, reason="a slip of the pen"
    ).store(by=None, at=PANEL_ENTERED)
    case = ready_case(items=[ItemOnForm(title="Norco", category_id=drugs.pk)])

    refusals = list_refusals(
        result_for(case, fit_reviewer(license={"kind": "DC"}, certification=None))
    )

    assert refusals == {
        "SCOPE": "Item 1: a chiropractor’s license does not cover Pharmaceuticals "
        "(Chiropractic Initiative Act, section 7)."
    }


@pytest.mark.capability("MA-1")
def test_the_stored_reason_names_item_treatment_and_specialty():
    opioids = get_category("Pharmaceuticals", "Opioids")
    panel_seeds()
    case = ready_case(items=[ItemOnForm(title="Norco", category_id=opioids.pk)])

    stored = offered_case(case=case).match_reasons

    assert [(one["item"], one["specialty"]) for one in stored] == [
        (case.items.get().pk, "Physical Medicine & Rehabilitation")
    ]
    assert "opioids" in stored[0]["why"]


class TestTimeAndRotation:
    """The pure ranking, on values."""

    def candidate(self, number, **changes):
        dated = {
            "valid_from": date(2005, 1, 1),
            "valid_to": None,
            "verified_on": DAY,
            "verified_by": "",
            "source": "",
            "recorded_at": NOON,
        }
        profile = Profile(
            reviewer_id=number,
            code=f"R-{number:04d}",
            status="ACTIVE",
            capacity=4,
            has_sign_in=True,
            on=DAY,
            known_at=NOON,
            first_name="",
            last_name="",
            licenses=(
                LicenseRecord(
                    pk=1, **dated, state="California", number="", kind="MD", standing="ACTIVE"
                ),
            ),
            certifications=(
                CertificationRecord(pk=1, **dated, board="", specialty="Neurology", parent=""),
            ),
        )
        return replace(CandidateData(profile), **changes)

    def score(self, candidate):
        match_case = MatchCase("CM26-0000001", (MatchItem(1, 1, "Brace"),), (), DAY)
        matches, _ = match_specialties(match_case, candidate.profile)
        return ranking._compute_score(match_case, candidate, matches)[0]

    def test_late_reviews_cost_points_by_their_share(self):
        punctual, half, late = (
            self.score(self.candidate(1, record=TrackRecord(counted_reviews=10, on_time_reviews=n)))
            for n in (10, 5, 0)
        )
        assert (punctual - half, half - late) == (5, 5)
        assert self.score(self.candidate(1)) == punctual

    def test_the_reviewer_who_has_waited_longer_ranks_first_up_to_the_set_days(self):
        today, week, month = (
            self.score(
                self.candidate(1, record=TrackRecord(last_offered_on=DAY - timedelta(days=n)))
            )
            for n in (0, 7, 30)
        )
        assert (week - today, month - week) == (5, 5)
        assert self.score(self.candidate(1)) == month

    def test_a_scope_limits_only_its_kind_of_license(self):
        match_case = MatchCase(
            "CM26-0000001",
            (MatchItem(1, 1, "Norco", (7,)),),
            (),
            DAY,
            scopes=(Scope("DC", 7, "Pharmaceuticals", "law"),),
        )
        assert check_license_scope(match_case, self.candidate(1)) == ()


@pytest.mark.capability("MC-1")
def test_reviews_count_from_the_day_after_they_were_issued_and_for_a_year():
    """What counts on a day stands fast on that day, whoever else issues meanwhile."""
    held = sign_attestation(
        offered_case(case=case_with_records(pages=(1,)), at=NOON + timedelta(days=1)),
        at=NOON + timedelta(days=1, hours=1),
    )
    assignments.finish_assignment(
        assignment_id=held.pk, by=person(Role.DIRECTOR), at=NOON + timedelta(days=2)
    )
    reviewer, another = held.reviewer, ready_case()

    def finished(days):
        at = NOON + timedelta(days=days)
        (result,) = evaluate_candidates(another, on=local_day(at), known_at=at)[0]
        texts = [
            one.sentence for one in result.reasons if one.sentence.startswith("Issued on time")
        ]
        assert result.reviewer_id == reviewer.pk
        return texts

    assert finished(days=2) == []
    assert finished(days=3) == ["Issued on time: 1 of 1 recent review."]
    assert finished(days=2) == []  # asked again about the day before
    decided_on = local_day(NOON + timedelta(days=2))
    for days, counted in ((0, {}), (365, {reviewer.pk: (1, 1)}), (366, {})):
        day = decided_on + timedelta(days=days)
        assert track_record.count_finished_reviews(day, many=10, state=()) == counted


@pytest.mark.capability("AC-6")
def test_the_file_on_a_past_date_shows_the_subjects_of_that_date(signed_in):
    opioids, reviewer = get_category("Pharmaceuticals", "Opioids"), fit_reviewer(capacity=0)
    rules.limit_offers(
        reviewer_id=reviewer.pk, subjects=[opioids.pk], days_off=[4], reason="Asked to", by=None,
        at=NOON,
    )  # fmt: skip
    browser = signed_in(Role.COORDINATOR)
    address = f"/reviewers/{reviewer.code}/"

    now = browser.get(address).content.decode()
    assert "Opioids" in now
    assert "Fridays" in now
    assert "Open cases: 0 of 0." in now
    then = browser.get(address, {"on": "02/27/2026", "known": "02/27/2026"}).content.decode()
    assert "All treatments" in then
    assert "Fridays" not in then
    assert "Capacity 0" in then
    assert (
        "Could have been offered cases on that day." in then
    )  # open cases are known only for today
    friday = browser.get(address, {"on": "03/06/2026"}).content.decode()
    assert "Does not work on Fridays." in friday
