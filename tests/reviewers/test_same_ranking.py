"""The fast ranking of a compiled panel equals the slow one, which judges everyone in full."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest

from directory.affiliations import FAIL, PASS, UNKNOWN, FoundConflict
from directory.models import Organization
from reviewers.facts import (
    CertificationRecord,
    ExperienceRecord,
    LicenseRecord,
    PracticeRecord,
    Profile,
    SanctionRecord,
    TrainingRecord,
)
from reviewers.matching import planning, ranking
from reviewers.matching.candidacy import (
    IDLE,
    NO_MARKS,
    CandidateData,
    CaseMarks,
    MatchCase,
    MatchItem,
    Rules,
    Scope,
    SpecialtyMapEntry,
    TrackRecord,
    Workload,
)
from reviewers.matching.candidates import evaluate_candidates
from reviewers.matching.compiled_panel import CompiledPanel, Member
from reviewers.matching.panel_ranking import PanelRanking
from reviewers.models import Affiliation, License, Reviewer, ReviewerBar
from reviewers.services import rules as rule_services
from reviewers.stored_lists import pack_candidates, unpack_candidates
from tests.factories import MONDAY
from tests.reviewers.factories import (
    PANEL_ENTERED,
    VERIFIED,
    fit_reviewer,
    offered_case,
    ready_case,
)
from tests.reviewers.naive import naively_ranked

DAY = date(2026, 3, 2)
NOON = MONDAY + timedelta(hours=4)
DATED = {
    "valid_to": None,
    "verified_on": date(2026, 1, 15),
    "verified_by": "",
    "source": "",
    "recorded_at": PANEL_ENTERED,
}
SPECIALTIES = ["Neurology", "Pain Medicine", "Psychiatry", "Registered Nurse"]
TITLES = ["Norco", "Platelet rich plasma, knee", "Drops"]


class RandomCase:
    """A panel and a case with random values; few different ones, so that many coincide."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.members = [self.make_member(number) for number in range(self.chance.randint(0, 40))]
        self.ids = [one.profile.reviewer_id for one in self.members]
        self.match_case = self.make_case()
        self.work = {pk: self.make_work() for pk in self.choose(0.4)} | {999: Workload(1)}
        self.marks = {pk: self.make_marks() for pk in self.choose(0.15)} | {998: CaseMarks("x")}
        self.left_out = frozenset(self.choose(0.05))

    def choose(self, share):
        return [pk for pk in self.ids if self.chance.random() < share]

    def rarely(self, usual, *rare):
        return usual if self.chance.random() < 0.85 else self.chance.choice(rare)

    def make_member(self, number):
        chance = self.chance
        licenses = tuple(
            LicenseRecord(
                pk=n,
                **DATED,
                valid_from=date(2005, 1, 1),
                state=chance.choice(["California", "Nevada"]),
                number="",
                kind=self.rarely("MD", "DC", "DO"),
                standing=self.rarely("ACTIVE", "RESTRICTED"),
            )
            for n in range(self.rarely(1, 0, 2))
        )
        certifications = tuple(
            CertificationRecord(
                pk=n,
                **DATED,
                valid_from=date(2008, 1, 1),
                board="",
                specialty=chance.choice(SPECIALTIES),
                parent="",
                standing=self.rarely("CERTIFIED", "REVOKED"),
            )
            for n in range(self.rarely(1, 0, 2))
        )
        practice = (
            PracticeRecord(
                pk=1,
                **DATED,
                valid_from=self.rarely(date(2008, 2, 1), date(2022, 1, 1)),
                kind="START",
                weekly_hours=None,
            ),
            PracticeRecord(
                pk=2,
                **DATED,
                valid_from=date(2026, 1, 1),
                kind="HOURS",
                weekly_hours=Decimal(self.rarely(30, 12)),
            ),
        )
        trainings = tuple(
            TrainingRecord(
                pk=n, **DATED, valid_from=date(2026, 1, 1), topic=topic, version_taught="2026"
            )
            for n, topic in enumerate(["LAW", "EVIDENCE"])
            if self.rarely(True, False)
        )
        sanctions = (
            SanctionRecord(
                pk=1,
                **DATED,
                valid_from=date(2026, 1, 15),
                register="NPDB",
                found=self.rarely(False, True),
            ),
        )
        experience = tuple(
            ExperienceRecord(
                pk=number, **DATED, valid_from=date(2020, 1, 1), treatment="platelet rich plasma"
            )
            for _ in range(self.rarely(0, 1))
        )
        profile = Profile(
            reviewer_id=100 + number,
            code=f"R-{number * 37 % 100:04d}",
            status=self.rarely("ACTIVE", "SUSPENDED"),
            capacity=chance.choice([0, 1, 2, 2, 4]),
            has_sign_in=self.rarely(True, False),
            on=DAY,
            known_at=NOON,
            first_name="Given",
            last_name=f"Name{number}",
            licenses=licenses,
            certifications=certifications,
            practice=practice,
            trainings=trainings,
            sanction_checks=sanctions,
            experience=experience,
        )
        allowed = self.rarely(None, frozenset({1}), frozenset())
        days_off = frozenset(self.rarely((), (DAY.weekday(),)))
        return Member.of(profile, allowed_categories=allowed, days_off=days_off)

    def make_case(self):
        chance = self.chance
        items = tuple(
            MatchItem(
                n,
                n,
                chance.choice(TITLES),
                chance.choice([(), (1,), (2, 1)]),
                chance.choice(["", "Left knee"]),
                is_experimental=self.rarely(False, True),
            )
            for n in range(1, self.rarely(1, 0, 2, 3) + 1)
        )
        fits = tuple(
            SpecialtyMapEntry(
                chance.choice(SPECIALTIES),
                chance.choice([None, 1, 2]),
                chance.choice(["", "knee"]),
                "As mapped.",
            )
            for _ in range(chance.randint(0, 3))
        )
        rules = Rules.of(
            {"specialty_fit": chance.choice([40, 7]), "rotation": chance.choice([10, 0])},
            {
                "most_open": chance.choice([0, 2]),
                "most_overdue": chance.choice([0, 1]),
                "rotation_days": chance.choice([14, 0]),
            },
        )
        scopes = (Scope("DC", 1, "Pharmaceuticals", "law"),)
        return MatchCase(f"CM26-{chance.randint(0, 10**7):07d}", items, fits, DAY, rules, scopes)

    def make_work(self):
        chance = self.chance
        record = TrackRecord(
            *chance.choice([(0, 0), (10, 7), (1, 1)]),
            last_offered_on=chance.choice([None, DAY, DAY - timedelta(days=5)]),
        )
        return Workload(chance.randint(0, 3), chance.randint(0, 2), record)

    def make_marks(self):
        chance = self.chance
        found = chance.choice(
            [
                None,
                (FoundConflict(1, "EMPLOYMENT", FAIL, "Employment with the employer."),),
                (FoundConflict(1, "NAME", UNKNOWN, "The same name as the employer."),),
                (FoundConflict(1, "NONE", PASS, "No affiliation."),),
            ]
        )
        return CaseMarks(
            barred_because=self.rarely("", "The family of a party."),
            was_on_earlier_round=self.rarely(False, True),
            has_declined=chance.choice([False, True]),
            removed_from_case_on=chance.choice([None, DAY - timedelta(days=3)]),
            conflicts=found,
        )

    def rank(self):
        return PanelRanking(
            self.match_case,
            CompiledPanel(self.members),
            work=self.work,
            marks=self.marks,
            no_conflicts=(),
            left_out=self.left_out,
        )

    def rank_slowly(self):
        """Everyone in full, nothing kept or shared."""
        match_case = MatchCase(
            *(getattr(self.match_case, name) for name in ("case_number", "items")),
            *(
                getattr(self.match_case, name)
                for name in ("specialty_map", "on", "rules", "scopes")
            ),
        )
        people = []
        for member in self.members:
            pk = member.profile.reviewer_id
            work, marks = self.work.get(pk, IDLE), self.marks.get(pk, NO_MARKS)
            if pk not in self.left_out:
                people.append(
                    CandidateData(
                        member.profile,
                        workload=work.workload,
                        overdue=work.overdue,
                        allowed_categories=member.allowed_categories,
                        days_off=member.days_off,
                        record=work.record,
                        removed_from_case_on=marks.removed_from_case_on,
                        barred_because=marks.barred_because,
                        was_on_earlier_round=marks.was_on_earlier_round,
                        has_declined=marks.has_declined,
                        conflicts=marks.conflicts or (),
                    )
                )
        return ranking.rank_candidates(match_case, people)


def assert_same(seed):
    case = RandomCase(seed)
    slow, fast = case.rank_slowly(), case.rank()
    refused = [one for one in slow if not one.is_eligible]

    assert fast.list_results() == slow, seed
    assert fast.eligible_ids == [one.reviewer_id for one in slow if one.is_eligible], seed
    assert fast.best == (slow[0] if slow and slow[0].is_eligible else None), seed
    assert fast.refused_number == len(refused), seed
    assert fast.refusal_counts == ranking.count_refusals(refused), seed
    closest = sorted(refused, key=lambda one: (len(one.refusals), one.code))
    assert fast.list_closest(planning.CLOSEST_SHOWN) == closest[: planning.CLOSEST_SHOWN], seed
    stored = unpack_candidates(
        pack_candidates((one.reviewer_id, one.score, one.reasons) for one in slow)
    )
    assert [
        (one.reviewer_id, one.rank, one.score, tuple(r["sentence"] for r in one.reasons))
        for one in stored
    ] == [
        (one.reviewer_id, one.rank, one.score, tuple(r.sentence for r in one.reasons))
        for one in slow
    ], seed
    return bool(slow and slow[0].is_eligible)


@pytest.mark.capability("MC-1")
@pytest.mark.parametrize(
    "seeds", [range(150), pytest.param(range(150, 1150), marks=pytest.mark.long)]
)
def test_verdicts_order_and_reasons_equal_those_of_the_slow_way_in_random_cases(seeds):
    """What the pages show, count and store, too. Enough cases have an eligible reviewer."""
    eligible = sum(assert_same(seed) for seed in seeds)

    assert len(seeds) / 4 < eligible < len(seeds)


def change_something(chance, reviewers, case):
    """One random change of what a ranking reads."""
    reviewer = chance.choice(reviewers)
    dated = {"recorded_at": PANEL_ENTERED, **VERIFIED}
    match chance.randrange(7):
        case 0:
            party = chance.choice(list(case.parties.all()))
            Affiliation.objects.create(
                reviewer=reviewer,
                relation=chance.choice(["EMPLOYMENT", "OWNERSHIP", "UR_CONTRACT", "FAMILY"]),
                organization_id=party.organization_id or Organization.objects.first().pk,
                person_id=party.person_id,
                share_percent=chance.choice([None, Decimal("0.5"), Decimal(4)]),
                valid_from=chance.choice([date(2020, 1, 1), date(2027, 1, 1)]),
                **dated,
            )
        case 1:
            row = chance.choice(list(License.objects.filter(correction=None)))
            row.corrected(
                by=None, at=PANEL_ENTERED, standing=chance.choice(["ACTIVE", "RESTRICTED"])
            )
        case 2:
            row = Reviewer.objects.get(pk=reviewer.pk)
            row.capacity, row.status = chance.randint(0, 3), chance.choice(["ACTIVE", "INACTIVE"])
            row.store(by=None, at=PANEL_ENTERED, fields=["capacity", "status"])
        case 3:
            ReviewerBar.objects.get_or_create(
                case=case, reviewer=reviewer, defaults={"reason": "Asked", "barred_at": NOON}
            )
        case 4:
            row = Reviewer.objects.get(pk=reviewer.pk)
            row.last_name = chance.choice(["Oyelaran", "Plain", case.parties.first().name])
            row.store(by=None, at=PANEL_ENTERED, fields=["last_name"])
        case 5:
            rule_services.limit_offers(
                reviewer_id=reviewer.pk,
                subjects=chance.choice([None, []]),
                days_off=chance.choice([[], [0]]),
                reason="Asked",
                by=None,
                at=PANEL_ENTERED,
            )
        case 6:
            row = case.items.first()
            row.is_experimental = chance.choice([None, True, False])
            row.store(by=None, at=NOON, fields=["is_experimental"])


@pytest.mark.django_db
@pytest.mark.parametrize("steps", [12, pytest.param(1000, marks=pytest.mark.long)])
def test_after_random_changes_of_the_rows_the_ranking_equals_a_loop_that_keeps_nothing(steps):
    chance = random.Random(steps)
    reviewers = [fit_reviewer(capacity=2) for _ in range(4)]
    offered_case(reviewer=reviewers[0])
    case = ready_case()

    for step in range(steps):
        change_something(chance, reviewers, case)
        fast, _ = evaluate_candidates(case, on=DAY, known_at=NOON)
        assert fast == naively_ranked(case, on=DAY, known_at=NOON), step
