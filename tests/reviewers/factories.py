"""A panel, and cases with a reviewer, reached by the services that lead there."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from accounts.models import User
from accounts.roles import Role
from cases.lifecycle import Status
from cases.models import Case, TreatmentCategory
from reviewers.models import CandidateList, LicenseKind, Reviewer, ReviewerAssignment, Specialty
from reviewers.seeds import seed_specialties
from reviewers.services import assignment as assignments
from reviewers.services import credentialing, matching
from reviewers.services.credentialing import EVIDENCE_FIELDS, Evidence
from tests.factories import MONDAY, eligible_case, person
from tests.stored_stages import CASE_APPS, stored_stage

_serial = count(1)

# The panel was entered well before the cases of tests come in.
PANEL_ENTERED = MONDAY - timedelta(days=30)
VERIFIED = {
    "verified_on": date(2026, 1, 15),
    "verified_by": "C. Keeper",
    "source": "Register of the board",
}


def with_evidence(**fields):
    """Fields of a fact as ``add_…`` takes them: the days and who verified it as one value."""
    evidence = Evidence(**{name: fields.pop(name) for name in EVIDENCE_FIELDS if name in fields})
    return {**fields, "evidence": evidence}


FACT_BUILDERS = {
    "license": credentialing.add_license,
    "certification": credentialing.add_certification,
    "start": credentialing.add_practice_fact,
    "hours": credentialing.add_practice_fact,
    "law": credentialing.add_training,
    "evidence": credentialing.add_training,
    "sanctions": credentialing.add_sanction_check,
    "experience": credentialing.add_experience,
    "identity": credentialing.add_file_proof,
    "malpractice": credentialing.add_file_proof,
}


def panel_seeds(at: datetime = PANEL_ENTERED) -> None:
    """The specialties, the map and the attestation, as a fresh portal has them."""
    seed_specialties(by=None, at=at)


def get_specialty(name: str) -> Specialty:
    """A specialty of the shipped list."""
    if not Specialty.objects.filter(name=name).exists():
        panel_seeds()
    return Specialty.objects.get(name=name)


def get_category(name: str, child: str = "") -> TreatmentCategory:
    """A treatment category, made if the test's database has none of that name."""
    row = TreatmentCategory.objects.filter(name=name, parent=None).first() or TreatmentCategory(
        name=name
    ).store(by=None, at=PANEL_ENTERED)
    if not child:
        return row
    return TreatmentCategory.objects.filter(name=child, parent=row).first() or TreatmentCategory(
        name=child, parent=row
    ).store(by=None, at=PANEL_ENTERED)


def reviewer_facts(**changes: Any) -> dict[str, dict[str, Any] | None]:
    """What a fully credentialed physician has on file; give a part's changes, or None to omit it.

    ``reviewer_facts(license={"state": "Nevada"}, hours=None)``
    """
    facts: dict[str, dict[str, Any] | None] = {
        "license": {
            "state": "California",
            "number": f"A{next(_serial):05d}",
            "kind": LicenseKind.MD,
            "valid_from": date(2005, 7, 1),
            "valid_to": date(2027, 6, 30),
        },
        "certification": {
            "board": "American Board of Physical Medicine and Rehabilitation",
            "specialty": "Physical Medicine & Rehabilitation",
            "valid_from": date(2008, 1, 1),
            "valid_to": date(2028, 12, 31),
        },
        "start": {"kind": "START", "valid_from": date(2008, 2, 1)},
        "hours": {
            "kind": "HOURS",
            "weekly_hours": Decimal("30"),
            "valid_from": date(2026, 1, 1),
            "valid_to": date(2026, 12, 31),
        },
        "law": {"topic": "LAW", "version_taught": "2026", "valid_from": date(2026, 1, 10)},
        "evidence": {
            "topic": "EVIDENCE",
            "version_taught": "2026",
            "valid_from": date(2026, 1, 10),
        },
        "sanctions": {"register": "NPDB", "found": False, "valid_from": date(2026, 1, 15)},
        "experience": None,
        "identity": {"kind": "IDENTITY", "detail": "Passport", "valid_from": None},
        "malpractice": {
            "kind": "MALPRACTICE",
            "detail": "Carrier's letter, no claims",
            "valid_from": date(2026, 1, 1),
            "valid_to": date(2026, 12, 31),
        },
    }
    for name, change in changes.items():
        facts[name] = None if change is None else (facts[name] or {}) | change
    return facts


def fit_reviewer(
    *,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    capacity: int = 4,
    user: User | None = None,
    sign_in: bool = True,
    at: datetime = PANEL_ENTERED,
    **changes: Any,
) -> Reviewer:
    """A reviewer whom every requirement lets through, with a sign-in.

    Change the fact a test is about.
    """
    number = next(_serial)
    panel_seeds()
    first, last = first_name or f"Given{number}", last_name or f"Reviewerson{number}"
    row = credentialing.create_reviewer(
        first_name=first,
        last_name=last,
        email=email or f"expert{number}@example.org",
        capacity=capacity,
        by=None,
        at=at,
    )
    if sign_in:
        user = user or person(Role.REVIEWER, name=f"{first} {last}")
        row = credentialing.link_user(reviewer_id=row.pk, user_id=user.pk, by=None, at=at)
    for name, fields in reviewer_facts(**changes).items():
        if fields is not None:
            FACT_BUILDERS[name](
                **with_evidence(reviewer_id=row.pk, by=None, at=at, **VERIFIED | fields)
            )
    return Reviewer.objects.get(pk=row.pk)


@stored_stage(*CASE_APPS)
def ready_case(*, coordinator: User | None = None, **changes: Any) -> Case:
    """A case that waits for a reviewer.

    The notices and records between are other tests' matter, so the case takes those two steps by
    the lifecycle's door alone (``tests.records.factories.case_with_records`` does them in full).
    """
    if coordinator:
        changes["coordinator"] = coordinator
    case = eligible_case(**changes)
    case.move_to(Status.NOTICE_SENT, by=None, at=MONDAY + timedelta(hours=2))
    case.move_to(Status.RECORDS_COMPLETE, by=None, at=MONDAY + timedelta(hours=3))
    case.refresh_from_db()
    return case


def rank_panel(
    case: Case, *, by: User, at: datetime = MONDAY + timedelta(hours=4)
) -> CandidateList:
    """The stored list of candidates as a coordinator sees it."""
    return matching.rank_panel(case_id=case.pk, by=by, at=at)


@stored_stage(*CASE_APPS, "reviewers", "records")
def offered_case(
    *,
    case: Case | None = None,
    reviewer: Reviewer | None = None,
    coordinator: User | None = None,
    at: datetime = MONDAY + timedelta(hours=4),
    **changes: Any,
) -> ReviewerAssignment:
    """An assignment that its reviewer has not answered yet."""
    case = case or ready_case(**changes)
    coordinator = coordinator or person(Role.COORDINATOR)
    reviewer = reviewer or fit_reviewer()
    listed = rank_panel(case, by=coordinator, at=at)
    return assignments.assign_reviewer(
        case_id=case.pk,
        reviewer_id=reviewer.pk,
        candidate_list_id=listed.pk,
        seen_version=None,
        override_code="OTHER",
        override_reason="Asked for in the test",
        by=coordinator,
        at=at,
    )


def answer_no_to_all(at: datetime = MONDAY) -> tuple[int, dict[str, str]]:
    """The wording in force and a "no" to each of its questions."""
    wording = assignments.get_current_wording(at)
    assert wording is not None
    return wording.pk, {question["code"]: "no" for question in wording.questions}


def sign_attestation(
    assignment: ReviewerAssignment, *, at: datetime = MONDAY + timedelta(hours=5), **answers: str
) -> ReviewerAssignment:
    """The assignment after its reviewer signed the attestation; name an answer to change it."""
    wording_id, given = answer_no_to_all(at)
    assert assignment.reviewer is not None
    user = User.objects.get(pk=assignment.reviewer.user_id)
    return assignments.sign_attestation(
        assignment_id=assignment.pk,
        answers=given | answers,
        wording_id=wording_id,
        by=user,
        at=at,
    )


@stored_stage(*CASE_APPS, "reviewers", "records")
def accepted_case(
    *, at: datetime = MONDAY + timedelta(hours=4), **changes: Any
) -> ReviewerAssignment:
    """An assignment in review: offered, attested an hour later, its file open to the reviewer."""
    return sign_attestation(offered_case(at=at, **changes), at=at + timedelta(hours=1))
