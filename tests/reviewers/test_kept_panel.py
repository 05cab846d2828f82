"""The panel that is kept between cases answers as one that is read again, at every change."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from accounts.services import set_active
from cases.models import Deadline, DisputedItem, Party
from deadlines.kinds import DETERMINATION_DEADLINE_KINDS
from directory.models import (
    Organization,
    OrganizationName,
    OrganizationOfficer,
    OrganizationParent,
    Person,
    PersonName,
    SameOrganization,
    SamePerson,
)
from directory.names import fold_name, fold_organization
from intake.services.receiving import ItemOnForm
from reviewers.matching.candidates import evaluate_candidates
from reviewers.matching.kept_panel import get_shared_input, read_change_marks
from reviewers.models import (
    Affiliation,
    Condition,
    ConflictLimits,
    ConflictResult,
    FileProof,
    MatchingRules,
    Reviewer,
    ReviewerAssignment,
    ReviewerBar,
    SanctionCheck,
    ScopeLimit,
    SpecialtyFit,
    TreatmentExperience,
)
from reviewers.services import credentialing
from reviewers.services import planning as plans
from reviewers.services import rules as rule_services
from reviewers.services.conflicts import resolve_conflict
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
from tests.reviewers.naive import naively_ranked

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)
NOON = MONDAY + timedelta(hours=4)

# Of sixty reviewers in turn: what is on file otherwise.
KINDS = [
    {},
    {"license": {"state": "Nevada"}},
    {"hours": None},
    {"law": None, "certification": None},
    {"license": {"kind": "DC"}, "certification": None},
    {"certification": {"specialty": "Registered Nurse"}},
    {"certification": {"specialty": "Neurological Surgery"}},
    {"license": {"standing": "RESTRICTED", "valid_from": date(2026, 2, 1), "valid_to": None}},
    {"first_name": "Dana", "last_name": "Oyelaran"},
    {"sign_in": False},
]


def conflict_to(reviewer, organization, relation="EMPLOYMENT", **more):
    credentialing.add_affiliation(
        **with_evidence(
            reviewer_id=reviewer.pk,
            relation=relation,
            organization_name=organization,
            valid_from=date(2024, 1, 1),
            by=None,
            at=PANEL_ENTERED,
            **VERIFIED | more,
        )
    )


def a_panel(size):
    panel_seeds()
    drugs = get_category("Pharmaceuticals", "Opioids")
    for number in range(size):
        reviewer = fit_reviewer(capacity=1 + number % 4, **KINDS[number % len(KINDS)])
        if number % 7 == 0:
            conflict_to(reviewer, "Harbor Cold Storage")
        if number % 11 == 0:
            conflict_to(reviewer, "No one of this case")
        if number % 13 == 0:
            conflict_to(reviewer, "Some Insurer", relation="UR_CONTRACT")
        if number % 17 == 0:
            conflict_to(
                reviewer,
                "Harbor Cold Storage",
                relation="OWNERSHIP",
                share_percent=Decimal("0.5"),
            )
        if number % 9 == 0:
            rule_services.limit_offers(
                reviewer_id=reviewer.pk,
                subjects=[drugs.pk] if number % 2 else [],
                days_off=[0] if number % 4 == 0 else [],
                reason="Asked",
                by=None,
                at=PANEL_ENTERED,
            )
    return drugs


@pytest.mark.capability("MC-1")
@pytest.mark.parametrize("size", [len(KINDS), pytest.param(60, marks=pytest.mark.long)])
def test_the_ranking_equals_that_of_a_simple_loop_over_all_reviewers(size):
    drugs = a_panel(size)
    held = offered_case(reviewer=Reviewer.objects.order_by("pk")[1])
    assert held.reviewer_id
    cases = [
        ready_case(),
        ready_case(items=[ItemOnForm(title="Norco", category_id=drugs.pk)]),
        ready_case(items=[ItemOnForm(title="Drops", body_part="Eye")]),
    ]

    for case in cases:
        results, _ = evaluate_candidates(case, on=DAY, known_at=NOON)
        assert results == naively_ranked(case, on=DAY, known_at=NOON)
        assert len(results) == size
    assert (
        0
        < sum(one.is_eligible for one in evaluate_candidates(cases[0], on=DAY, known_at=NOON)[0])
        < size
    )


def test_the_facts_of_the_panel_are_read_once_for_many_cases():
    fit_reviewer()
    first = get_shared_input(on=DAY, known_at=NOON, marks=read_change_marks())

    with CaptureQueriesContext(connection) as asked:
        again = get_shared_input(
            on=DAY, known_at=NOON + timedelta(minutes=1), marks=read_change_marks()
        )

    assert again is first
    assert len(asked) == 1


CHANGES = {
    "a leave is entered": (
        lambda reviewer: credentialing.add_leave(
            **with_evidence(
                reviewer_id=reviewer.pk,
                valid_from=DAY,
                valid_to=DAY,
                by=None,
                at=NOON,
                **VERIFIED,
            )
        ),
        {"LEAVE"},
    ),
    "a license is corrected": (
        lambda reviewer: credentialing.correct_fact(
            kind="license",
            fact_id=reviewer.licenses.get().pk,
            changes={"valid_to": date(2026, 3, 1)},
            by=None,
            at=NOON,
        ),
        {"LICENSE", "SPECIALTY"},
    ),
    "a contract for utilization review is entered": (
        lambda reviewer: conflict_to(reviewer, "Some Insurer", relation="UR_CONTRACT"),
        {"UR_CONTRACT"},
    ),
    "an affiliation to the employer is entered": (
        lambda reviewer: conflict_to(reviewer, "Harbor Cold Storage"),
        {"CONFLICT"},
    ),
    "the reviewer is suspended": (
        lambda reviewer: credentialing.set_reviewer_status(
            reviewer_id=reviewer.pk, status="SUSPENDED", reason="Asked to", by=None, at=NOON
        ),
        {"STATUS"},
    ),
    "the sign-in is withdrawn": (
        lambda reviewer: set_active(user_id=reviewer.user_id, active=False, by=None, at=NOON),
        {"SIGN_IN"},
    ),
    "the weekday becomes a day off": (
        lambda reviewer: rule_services.limit_offers(
            reviewer_id=reviewer.pk, subjects=None, days_off=[0], reason="Asked", by=None, at=NOON
        ),
        {"DAY_OFF"},
    ),
    "another case is given to them": (
        lambda reviewer: offered_case(reviewer=reviewer),
        {"WORKLOAD"},
    ),
}


@pytest.mark.parametrize(("change", "requirements"), CHANGES.values(), ids=list(CHANGES))
def test_a_change_shows_at_once_although_the_panel_is_cached(change, requirements):
    case, reviewer = ready_case(), fit_reviewer(capacity=1)

    def refused():
        (result,) = evaluate_candidates(case, on=DAY, known_at=NOON)[0]
        return {reason.requirement for reason in result.refusals}

    assert refused() == set()
    change(reviewer)
    assert refused() == requirements


def test_a_rolled_back_change_does_not_stay_in_the_cache():
    case, reviewer = ready_case(), fit_reviewer()

    def on_leave(day, at):
        credentialing.add_leave(
            **with_evidence(
                reviewer_id=reviewer.pk, valid_from=day, valid_to=day, by=None, at=at, **VERIFIED
            )
        )

    with transaction.atomic():
        on_leave(DAY, NOON)
        assert not evaluate_candidates(case, on=DAY, known_at=NOON)[0][0].is_eligible
        transaction.set_rollback(True)
    on_leave(DAY + timedelta(days=1), NOON - timedelta(seconds=1))

    assert evaluate_candidates(case, on=DAY, known_at=NOON)[0][0].is_eligible


def test_a_question_about_an_earlier_moment_ignores_later_facts():
    case, reviewer = ready_case(), fit_reviewer()
    CHANGES["a leave is entered"][0](reviewer)

    now = evaluate_candidates(case, on=DAY, known_at=NOON)[0][0]
    before = evaluate_candidates(case, on=DAY, known_at=NOON - timedelta(seconds=1))[0][0]

    assert (now.is_eligible, before.is_eligible) == (False, True)


@pytest.mark.capability("MC-7")
def test_a_plan_reads_the_panel_once_whatever_the_number_of_cases():
    coordinator = person(Role.COORDINATOR)
    assert coordinator.roles
    fit_reviewer()
    queries = []
    for more in (1, 1, 2):
        for _ in range(more):
            ready_case()
        with CaptureQueriesContext(connection) as asked:
            plans.build_plan(by=coordinator, at=NOON)
        queries.append(sum('"reviewers_license"' in one["sql"] for one in asked.captured_queries))

    # the first reads the facts and when the newest was recorded
    assert queries == [2, 0, 0]


# --- every input, whoever changes it -------------------------------------------------------------

HOLDING = "Harbor Holding"


def add_row(model, **fields):
    """A fact about a reviewer or an organization, as another process would store it."""
    verified = VERIFIED if hasattr(model, "verified_on") else {"source": "Register"}
    return model.objects.create(recorded_at=NOON, **verified | fields)


def store_changed(row, **fields):
    for name, value in fields.items():
        setattr(row, name, value)
    row.store(by=None, at=NOON, fields=list(fields))


def correct(row, **changes):
    row.corrected(by=None, at=NOON, **changes)


def find_named(name):
    return Organization.objects.get(names__printed=name)


def get_employer(case):
    return case.parties.get(role="EMPLOYER")


def store_person(first, last):
    row = Person().store(by=None, at=NOON)
    printed = f"{first} {last}"
    add_row(
        PersonName, person=row, first=first, last=last, printed=printed, normal=fold_name(printed)
    )
    return row


def store_organization(name):
    row = Organization().store(by=None, at=NOON)
    add_row(OrganizationName, organization=row, printed=name, normal=fold_organization(name))
    return row


def resolve(case, reviewer):
    rank_panel(case, by=person(Role.COORDINATOR), at=NOON)
    question = ConflictResult.objects.get(reviewer=reviewer, result="UNKNOWN")
    resolve_conflict(
        result_id=question.pk, result="PASS", note="Someone else", by=person(Role.COORDINATOR),
        at=NOON,
    )  # fmt: skip


def finish_review(case, reviewer):
    """A review of the reviewer that was issued in time, two days before."""
    other = ready_case()
    held = ReviewerAssignment(
        case=other, round=1, reviewer=reviewer, state="FINISHED",
        offered_at=NOON - timedelta(days=40), accepted_at=NOON - timedelta(days=40),
        ended_at=NOON - timedelta(days=2),
    )  # fmt: skip
    held.store(by=None, at=NOON)
    return other


def add_deadline(case, due_on):
    row = Deadline.objects.filter(case=case).first()
    Deadline(
        **{
            field.attname: getattr(row, field.attname)
            for field in Deadline._meta.concrete_fields
            if field.name not in {"id", "version", "due_on", "deadline_kind"}
        },
        deadline_kind=DETERMINATION_DEADLINE_KINDS[0],
        due_on=due_on,
    ).store(by=None, at=NOON)


def nothing(case, reviewer):
    """Nothing has to be there before."""


def experimental(case, reviewer):
    store_changed(case.items.get(), is_experimental=True)


def owned(case, reviewer):
    conflict_to(reviewer, HOLDING)


def same_name(case, reviewer):
    store_changed(reviewer, first_name="Sam", last_name="Longfellow")


# What has to be there before, and the change itself.
INPUTS = {
    "the specialty of a certification": (nothing, lambda case, reviewer: correct(
        reviewer.certifications.get(), specialty_id=get_specialty("Ophthalmology").pk)),
    "a training withdrawn": (nothing, lambda case, reviewer: correct(
        reviewer.trainings.first(), withdrawn=True)),
    "a sanction": (nothing, lambda case, reviewer: add_row(
        SanctionCheck, reviewer=reviewer, register="OIG", found=True, valid_from=DAY)),
    "the weekly hours": (nothing, lambda case, reviewer: correct(
        reviewer.practicefacts.get(kind="HOURS"), weekly_hours=12)),
    "experience": (experimental, lambda case, reviewer: add_row(
        TreatmentExperience, reviewer=reviewer, treatment="Norco", valid_from=date(2020, 1, 1))),
    "an appointment": (nothing, lambda case, reviewer: add_row(
        FileProof, reviewer=reviewer, kind="QME", detail="Appointed", valid_from=DAY)),
    "the capacity": (nothing, lambda case, reviewer: store_changed(reviewer, capacity=9)),
    "a new reviewer": (nothing, lambda case, reviewer: fit_reviewer()),
    "the name of a specialty": (nothing, lambda case, reviewer: store_changed(
        get_specialty("Physical Medicine & Rehabilitation"), name="Physiatry")),
    "a line of the map": (nothing, lambda case, reviewer: SpecialtyFit(
        specialty=get_specialty("Ophthalmology"), category=get_category("Drugs", "Strong"),
        reason="Asked").store(by=None, at=NOON)),
    "a condition": (
        lambda case, reviewer: store_changed(case, diagnosis="Wanderlust"),
        lambda case, reviewer: Condition(name="Restlessness", words="wanderlust").store(
            by=None, at=NOON)),
    "the scope of a license": (nothing, lambda case, reviewer: ScopeLimit(
        license_kind="MD", category=get_category("Drugs"), source="law").store(by=None, at=NOON)),
    "the parent of a treatment": (
        lambda case, reviewer: ScopeLimit(
            license_kind="MD", category=get_category("Drugs"), source="law"
        ).store(by=None, at=NOON),
        lambda case, reviewer: store_changed(get_category("Drugs", "Strong"), parent=None)),
    "the name of a treatment": (
        lambda case, reviewer: ScopeLimit(
            license_kind="MD", category=get_category("Drugs"), source="law"
        ).store(by=None, at=NOON),
        lambda case, reviewer: store_changed(get_category("Drugs"), name="Medicines")),
    "the rules": (nothing, lambda case, reviewer: MatchingRules(
        effective_from=DAY, weights={"california_license": 3}, reason="Asked", recorded_at=NOON,
    ).store(by=None, at=NOON)),
    "the limits of conflicts": (
        lambda case, reviewer: add_row(
            Affiliation, reviewer=reviewer, relation="FAMILY", kin="UNCLE_AUNT",
            organization=get_employer(case).organization),
        lambda case, reviewer: ConflictLimits(
            effective_from=DAY, holding_percent=2, kin=["SPOUSE"], reason="Asked",
            recorded_at=NOON).store(by=None, at=NOON)),
    "the owner of a party": (owned, lambda case, reviewer: add_row(
        OrganizationParent, child=get_employer(case).organization, parent=find_named(HOLDING))),
    "organizations merged": (owned, lambda case, reviewer: add_row(
        SameOrganization, organization=find_named(HOLDING),
        same_as=get_employer(case).organization, reason="Seen")),
    "persons merged": (
        lambda case, reviewer: add_row(
            Affiliation, reviewer=reviewer, relation="FAMILY",
            person=store_person("Una", "Unknown")),
        lambda case, reviewer: add_row(
            SamePerson, person=Person.objects.get(names__printed="Una Unknown"),
            same_as=case.parties.get(role="EMPLOYEE").person, reason="Seen")),
    "an officer of a party": (
        lambda case, reviewer: add_row(
            Affiliation, reviewer=reviewer, relation="FAMILY",
            person=store_person("Una", "Unknown")),
        lambda case, reviewer: add_row(
            OrganizationOfficer, organization=get_employer(case).organization, title="Director",
            person=Person.objects.get(names__printed="Una Unknown"))),
    "another name of a party": (same_name, lambda case, reviewer: add_row(
        PersonName, person=case.parties.get(role="EMPLOYEE").person, first="Sam",
        last="Longfellow", printed="Sam Longfellow", normal="sam longfellow")),
    "a namesake of a party": (
        lambda case, reviewer: add_row(
            Affiliation, reviewer=reviewer, relation="CONTRACT",
            organization=store_organization("Some Other Name")),
        lambda case, reviewer: add_row(
            OrganizationName, organization=find_named("Some Other Name"),
            printed=get_employer(case).name, normal=fold_organization(get_employer(case).name))),
    "the name of the reviewer": (nothing, lambda case, reviewer: store_changed(
        reviewer, first_name="", last_name=case.parties.get(role="EMPLOYEE").name.split()[-1])),
    "a new party": (owned, lambda case, reviewer: Party.objects.create(
        case=case, role="FACILITY", organization=find_named(HOLDING), name=HOLDING,
        list_version=9, recorded_at=NOON)),
    "a bar": (nothing, lambda case, reviewer: ReviewerBar.objects.create(
        case=case, reviewer=reviewer, reason="Asked", barred_at=NOON)),
    "a possible conflict resolved": (
        lambda case, reviewer: store_changed(
            reviewer, **dict(zip(
                ("first_name", "last_name"),
                case.parties.get(role="EMPLOYEE").name.split()[::len(
                    case.parties.get(role="EMPLOYEE").name.split()) - 1 or 1], strict=False))),
        resolve),
    "an item withdrawn": (nothing, lambda case, reviewer: store_changed(
        case.items.get(), ending=DisputedItem.Ending.WITHDRAWN)),
    "the diagnosis": (nothing, lambda case, reviewer: store_changed(case, diagnosis="Lumbago")),
    "a case given back": (
        lambda case, reviewer: ReviewerAssignment(
            case=ready_case(), round=1, reviewer=reviewer, state="OFFERED", offered_at=NOON
        ).store(by=None, at=NOON),
        lambda case, reviewer: store_changed(
            reviewer.assignments.get(), state="DECLINED", ended_at=NOON)),
    "a case overdue": (
        lambda case, reviewer: MatchingRules(
            effective_from=DAY, limits={"most_overdue": 1}, reason="Asked", recorded_at=NOON
        ).store(by=None, at=NOON) and ReviewerAssignment(
            case=ready_case(), round=1, reviewer=reviewer, state="OFFERED", offered_at=NOON
        ).store(by=None, at=NOON),
        lambda case, reviewer: store_changed(
            reviewer.assignments.get().case, due_on=DAY - timedelta(days=1))),
    "a review finished": (
        lambda case, reviewer: evaluate_candidates(case, on=DAY, known_at=NOON),
        lambda case, reviewer: add_deadline(finish_review(case, reviewer), due_on=DAY)),
    "the deadline of a finished review": (
        lambda case, reviewer: add_deadline(finish_review(case, reviewer), due_on=DAY),
        lambda case, reviewer: store_changed(
            Deadline.objects.get(
                case__assignments__reviewer=reviewer,
                deadline_kind=DETERMINATION_DEADLINE_KINDS[0], replaced_at=None),
            due_on=DAY - timedelta(days=30))),
}  # fmt: skip


@pytest.mark.parametrize(("before", "change"), INPUTS.values(), ids=list(INPUTS))
def test_each_input_of_a_ranking_changes_the_answer_of_a_process_that_keeps_the_panel(
    before, change
):
    """The answer changes, and to the one of a loop that keeps nothing."""
    panel_seeds()
    case = ready_case(
        items=[ItemOnForm(title="Norco", category_id=get_category("Drugs", "Strong").pk)]
    )
    reviewer = fit_reviewer()
    before(case, reviewer)

    def answer():
        case.refresh_from_db()
        return evaluate_candidates(case, on=DAY, known_at=NOON)[0]

    first = answer()
    assert answer() == first
    change(case, reviewer)

    assert answer() != first
    assert answer() == naively_ranked(case, on=DAY, known_at=NOON)


def test_a_license_that_ends_at_midnight_counts_on_its_last_day_only():
    case = ready_case()
    fit_reviewer(license={"valid_to": DAY})

    def is_eligible(on, known_at):
        return evaluate_candidates(case, on=on, known_at=known_at)[0][0].is_eligible

    assert is_eligible(DAY, NOON)
    assert not is_eligible(DAY + timedelta(days=1), NOON + timedelta(days=1))
    assert is_eligible(DAY, NOON)
