"""Maintaining the panel: reviewers, their dated credential facts, and the changes they report.

A fact is never changed. A correction is a new row that points at the wrong one, so that the facts
known when a letter was signed can still be shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models.functions import Length

from accounts.models import User
from accounts.refusals import BadFact, NotAllowed, refuse_if
from accounts.roles import Role
from deadlines.days import local_day
from directory.models import AffiliationRelation
from directory.names import fold_name
from directory.services.facts import lock_dated_row
from directory.services.people import find_or_store_organization, store_person
from reviewers import policies
from reviewers.facts import PanelStatus, PracticeKind, ProofKind
from reviewers.models import (
    Affiliation,
    Certification,
    CredentialFact,
    FileProof,
    Leave,
    License,
    LicenseKind,
    PracticeFact,
    ReportedChange,
    Reviewer,
    SanctionCheck,
    Specialty,
    Training,
    TreatmentExperience,
)

# The name of each kind of fact in addresses and services.
FACT_KINDS: dict[str, type[CredentialFact]] = {
    "license": License,
    "certification": Certification,
    "practice": PracticeFact,
    "training": Training,
    "sanction-check": SanctionCheck,
    "experience": TreatmentExperience,
    "file-proof": FileProof,
    "leave": Leave,
    "affiliation": Affiliation,
}
Fact = TypeVar("Fact", bound=CredentialFact)


@dataclass(frozen=True)
class Evidence:
    """The days on which a fact is in force, both included, and its verification."""

    verified_on: date
    verified_by: str
    source: str  # the register, board or document that was consulted
    valid_from: date | None = None  # None: unknown or always
    valid_to: date | None = None  # None: no end


EVIDENCE_FIELDS = tuple(field.name for field in fields(Evidence))
# Not copied into a correction, because they describe the row and not the fact.
_WRITTEN_BY_THE_SERVICE = {"id", "reviewer", "recorded_at", "recorded_by", "corrects", "withdrawn"}


def create_reviewer(
    *,
    first_name: str,
    last_name: str,
    email: str = "",
    phone: str = "",
    capacity: int = 4,
    by: User | None,
    at: datetime,
) -> Reviewer:
    """Add a reviewer to the panel under the next code, such as ``R-0042``.

    If two people add a reviewer at the same time, the unique constraint makes one of them retry
    with the next code.

    :raises NotAllowed: wrong role, no name, or a capacity out of range.
    """
    refuse_if(policies.why_not_keep_credentials(by))
    if not first_name.strip() or not last_name.strip():
        raise BadFact("last_name", "Enter the first and last name.")
    _refuse_capacity(capacity)
    while True:
        row = Reviewer(
            code=_next_code(),
            first_name=first_name.strip(),
            last_name=last_name.strip(),
            email=email,
            phone=phone,
            capacity=capacity,
        )
        try:
            # A savepoint: after a failed insert PostgreSQL refuses all queries until it is undone.
            with transaction.atomic():
                return row.store(by=by, at=at)
        except IntegrityError:
            # Another constraint failed, and the next code would fail in the same way.
            if not Reviewer.objects.filter(code=row.code).exists():
                raise


@transaction.atomic
def link_user(*, reviewer_id: int, user_id: int, by: User | None, at: datetime) -> Reviewer:
    """Link a user account to a reviewer.

    :raises NotAllowed: wrong role, or an account of another reviewer or without the reviewer role.
    """
    refuse_if(policies.why_not_keep_credentials(by))
    reviewer = Reviewer.objects.select_for_update().get(pk=reviewer_id)
    user = User.objects.select_for_update().get(pk=user_id)  # locked: its roles
    # Without the role, the reviewer could not open a case that is offered to them.
    if Role.REVIEWER not in user.roles:
        raise BadFact("user", "This account has no reviewer role. Ask an administrator to add it.")
    if Reviewer.objects.filter(user=user).exclude(pk=reviewer.pk).exists():
        raise BadFact("user", "This account belongs to another reviewer.")
    reviewer.user = user
    return reviewer.store(by=by, at=at, why="Sign-in linked", fields=["user"])


@transaction.atomic
def change_reviewer(
    *,
    reviewer_id: int,
    first_name: str,
    last_name: str,
    email: str,
    phone: str,
    capacity: int,
    seen_version: int | None,
    by: User | None,
    at: datetime,
) -> Reviewer:
    """Change a reviewer's name, contact details and capacity.

    :raises NotAllowed: wrong role, no name, or a capacity out of range.
    :raises Stale: someone else changed the row meanwhile.
    """
    refuse_if(policies.why_not_keep_credentials(by))
    reviewer = Reviewer.objects.select_for_update().get(pk=reviewer_id)
    reviewer.refuse_if_stale(seen_version)
    if not first_name.strip() or not last_name.strip():
        raise BadFact("last_name", "Enter the first and last name.")
    _refuse_capacity(capacity)
    reviewer.first_name, reviewer.last_name = first_name.strip(), last_name.strip()
    reviewer.email, reviewer.phone, reviewer.capacity = email, phone, capacity
    fields = ["first_name", "last_name", "email", "phone", "capacity"]
    return reviewer.store(by=by, at=at, why="Details changed", fields=fields)


@transaction.atomic
def set_reviewer_status(
    *,
    reviewer_id: int,
    status: PanelStatus,
    reason: str,
    seen_version: int | None = None,
    by: User | None,
    at: datetime,
) -> Reviewer:
    """Suspend, deactivate or reactivate a reviewer, effective at once.

    :raises NotAllowed: wrong role, or no reason.
    :raises Stale: someone else changed the row meanwhile.
    """
    refuse_if(policies.why_not_keep_credentials(by))
    reviewer = Reviewer.objects.select_for_update().get(pk=reviewer_id)
    reviewer.refuse_if_stale(seen_version)
    if not reason.strip():
        raise BadFact("reason", "Enter why the status changes.")
    reviewer.status = Reviewer.Status(status)
    return reviewer.store(by=by, at=at, why=reason.strip(), fields=["status"])


def add_license(
    *,
    reviewer_id: int,
    state: str,
    number: str,
    kind: LicenseKind | str,
    evidence: Evidence,
    standing: License.Standing | str = License.Standing.ACTIVE,
    by: User | None,
    at: datetime,
) -> License:
    """Record a license and its last valid day.

    :raises NotAllowed: wrong role, or an impossible value.
    """
    row = License(state=state.strip(), number=number.strip(), kind=kind, standing=standing)
    return _store_fact(
        row,
        reviewer_id=reviewer_id,
        evidence=evidence,
        by=by,
        at=at,
    )


def add_certification(
    *,
    reviewer_id: int,
    board: str,
    specialty: Specialty | str,
    evidence: Evidence,
    parent: Specialty | str | None = None,
    standing: Certification.Standing | str = Certification.Standing.CERTIFIED,
    maintenance: Certification.Maintenance | str = "",
    by: User | None,
    at: datetime,
) -> Certification:
    """Record a board certification. Without a last day it is lifetime.

    :raises NotAllowed: wrong role, "board eligible", or an impossible value.
    """
    row = Certification(
        board=board.strip(),
        standing=standing,
        maintenance=maintenance,
        specialty=_find_specialty(specialty, "specialty"),
        parent=None if parent is None else _find_specialty(parent, "parent"),
    )
    return _store_fact(
        row,
        reviewer_id=reviewer_id,
        evidence=evidence,
        by=by,
        at=at,
    )


def add_practice_fact(
    *,
    reviewer_id: int,
    kind: PracticeKind | str,
    weekly_hours: Decimal | None = None,
    evidence: Evidence,
    by: User | None,
    at: datetime,
) -> PracticeFact:
    """Record the start of practice, or attested weekly hours with their last valid day.

    :raises NotAllowed: wrong role, or an impossible value.
    """
    row = PracticeFact(kind=kind, weekly_hours=weekly_hours)
    return _store_fact(
        row,
        reviewer_id=reviewer_id,
        evidence=evidence,
        by=by,
        at=at,
    )


def add_training(
    *,
    reviewer_id: int,
    topic: Training.Topic | str,
    version_taught: str,
    evidence: Evidence,
    by: User | None,
    at: datetime,
) -> Training:
    """Record training in the governing law or in the evidence hierarchy.

    :raises NotAllowed: wrong role, or an impossible value.
    """
    row = Training(topic=topic, version_taught=version_taught.strip())
    return _store_fact(
        row,
        reviewer_id=reviewer_id,
        evidence=evidence,
        by=by,
        at=at,
    )


@transaction.atomic
def add_sanction_check(
    *,
    reviewer_id: int,
    register: str,
    found: bool,
    note: str = "",
    evidence: Evidence,
    by: User | None,
    at: datetime,
) -> SanctionCheck:
    """Record the result of a sanction check. A sanction suspends the reviewer at once.

    :raises NotAllowed: wrong role, or an impossible value.
    """
    row = SanctionCheck(register=register.strip(), found=found, note=note)
    stored = _store_fact(
        row,
        reviewer_id=reviewer_id,
        evidence=evidence,
        by=by,
        at=at,
    )
    # Suspended in the same transaction, so that no case is offered after the finding.
    reviewer = Reviewer.objects.select_for_update().get(pk=reviewer_id)
    # An inactive reviewer stays inactive. The finding refuses new cases in any status.
    if found and reviewer.status == Reviewer.Status.ACTIVE:
        reviewer.status = Reviewer.Status.SUSPENDED
        why = f"Sanction found in {stored.register}"
        reviewer.store(by=by, at=at, why=why, fields=["status"])
    return stored


def add_experience(
    *,
    reviewer_id: int,
    treatment: str,
    detail: str = "",
    evidence: Evidence,
    by: User | None,
    at: datetime,
) -> TreatmentExperience:
    """Record clinical experience with a treatment. Without a last day it is ongoing.

    :raises NotAllowed: wrong role, or an impossible value.
    """
    return _store_fact(
        TreatmentExperience(treatment=treatment.strip(), detail=detail.strip()),
        reviewer_id=reviewer_id,
        evidence=evidence,
        by=by,
        at=at,
    )


def add_file_proof(
    *,
    reviewer_id: int,
    kind: ProofKind | str,
    detail: str,
    evidence: Evidence,
    by: User | None,
    at: datetime,
) -> FileProof:
    """Record proof of identity, malpractice coverage, or a QME appointment.

    A QME appointment blocks new cases while it is in force (Labor Code 139.5(d)(4), 139.2).

    :raises NotAllowed: wrong role, or an impossible value.
    """
    row = FileProof(kind=kind, detail=detail.strip())
    return _store_fact(
        row,
        reviewer_id=reviewer_id,
        evidence=evidence,
        by=by,
        at=at,
    )


def add_leave(
    *,
    reviewer_id: int,
    evidence: Evidence,
    note: str = "",
    by: User | None,
    at: datetime,
) -> Leave:
    """Record a leave. Matching respects it at once.

    :raises NotAllowed: wrong role, or an impossible value.
    """
    row = Leave(note=note.strip())
    return _store_fact(
        row,
        reviewer_id=reviewer_id,
        evidence=evidence,
        by=by,
        at=at,
    )


@transaction.atomic
def add_affiliation(
    *,
    reviewer_id: int,
    relation: AffiliationRelation | str,
    organization_id: int | None = None,
    organization_name: str = "",
    person_id: int | None = None,
    person_name: str = "",
    kin: str = "",
    share_percent: Decimal | None = None,
    note: str = "",
    evidence: Evidence,
    by: User | None,
    at: datetime,
) -> Affiliation:
    """Record an affiliation with an organization or a person, by id or as printed.

    A family affiliation names the relative, the relative's organization, or both. The printed name
    of an organization is matched to the one on file. A person's name alone does not identify the
    person, so it always makes a new row. A party with the same name is then a possible conflict to
    resolve.

    :raises NotAllowed: wrong role, no one named, or an impossible value.
    """
    # Checked before the party is stored; ``_store_fact`` would check it too late.
    refuse_if(policies.why_not_keep_credentials(by))
    if organization_id is None and organization_name.strip():
        organization_id = find_or_store_organization(
            name=organization_name.strip(), source=evidence.source, by=by, at=at
        ).pk
    if person_id is None and person_name.strip():
        person_id = store_person(name=person_name.strip(), source=evidence.source, by=by, at=at).pk
    row = Affiliation(
        relation=relation,
        organization_id=organization_id,
        person_id=person_id,
        kin=kin,
        share_percent=share_percent,
        note=note.strip(),
    )
    return _store_fact(
        row,
        reviewer_id=reviewer_id,
        evidence=evidence,
        by=by,
        at=at,
    )


@transaction.atomic
def correct_fact(
    *,
    kind: str,
    fact_id: int,
    changes: Mapping[str, Any],
    withdrawn: bool = False,
    by: User | None,
    at: datetime,
) -> CredentialFact:
    """Correct a fact by a new row. The wrong row is kept as what was known until now.

    :param kind: one of ``FACT_KINDS``.
    :param changes: the fields that differ from the old row.
    :param withdrawn: the old row was never true and is not replaced.
    :raises NotAllowed: wrong role, already corrected, or an impossible value.
    """
    refuse_if(policies.why_not_keep_credentials(by))
    model: Any = FACT_KINDS[kind]
    # Locked, so that two people cannot correct the same row.
    old: Any = lock_dated_row(model, fact_id)
    if model._default_manager.filter(corrects=old).exists():
        raise BadFact("", "Someone has already corrected this row. Correct the newer one.")
    row: CredentialFact = model(
        **{
            field.attname: getattr(old, field.attname)
            for field in model._meta.concrete_fields
            if field.name not in _WRITTEN_BY_THE_SERVICE
        }
    )
    for name, value in changes.items():
        setattr(row, name, value)
    row.corrects, row.withdrawn = old, withdrawn
    return _store_fact(
        row,
        reviewer_id=old.reviewer_id,
        evidence=Evidence(**{name: getattr(row, name) for name in EVIDENCE_FIELDS}),
        by=by,
        at=at,
    )


def _store_fact(
    row: Fact,
    *,
    reviewer_id: int,
    evidence: Evidence,
    by: User | None,
    at: datetime,
) -> Fact:
    """Check the fields of a fact and store it."""
    refuse_if(policies.why_not_keep_credentials(by))
    row.reviewer_id = reviewer_id
    row.valid_from, row.valid_to = evidence.valid_from, evidence.valid_to
    row.verified_on, row.verified_by = evidence.verified_on, evidence.verified_by.strip()
    row.source, row.recorded_at, row.recorded_by = evidence.source.strip(), at, by
    _refuse_impossible(row, today=local_day(at))
    # A row that has an id already must fail here and not replace a stored fact.
    row.save(force_insert=True)
    return row


def _refuse_impossible(row: CredentialFact, *, today: date) -> None:
    if not row.verified_on:
        raise BadFact("verified_on", "Enter the day of verification.")
    if row.verified_on > today:
        raise BadFact("verified_on", "The day of verification is in the future. Check it.")
    if not row.verified_by:
        raise BadFact("verified_by", "Enter who verified this.")
    if not row.source:
        raise BadFact("source", "Enter the source: the register, board or document.")
    if row.valid_from and row.valid_to and row.valid_to < row.valid_from:
        raise BadFact("valid_to", "The last day is before the first. Check both dates.")
    own = _OWN_CHECKS.get(type(row))
    if own is not None:
        own(row, today)


def _refuse_license(row: Any, today: date) -> None:
    if not row.state or not row.number:
        raise BadFact("number", "Enter the state and the number of the license.")
    if row.kind not in LicenseKind.values:
        raise BadFact("kind", "Choose the kind of license.")
    if row.standing not in License.Standing.values:
        raise BadFact("standing", "Choose the standing of the license.")
    # Every active license expires. A suspension or revocation may have no end.
    if row.standing == License.Standing.ACTIVE and row.valid_to is None:
        raise BadFact("valid_to", "Enter the last valid day of the license.")


def _refuse_certification(row: Any, today: date) -> None:
    if not row.board:
        raise BadFact("board", "Enter the board.")
    if "eligible" in fold_name(row.board).split():
        raise BadFact("board", "“Board eligible” is not a certification. Enter it when certified.")
    if row.standing not in Certification.Standing.values:
        raise BadFact("standing", "Choose the standing of the certification.")
    if row.valid_from is None:
        raise BadFact("valid_from", "Enter the day of the certification.")


def _refuse_practice(row: Any, today: date) -> None:
    if row.valid_from is None:
        raise BadFact("valid_from", "Enter the first day.")
    if row.kind == PracticeFact.Kind.START:
        # The form shows this field for both kinds. The start of practice has no hours.
        row.weekly_hours = None
        if row.valid_from > today:
            raise BadFact("valid_from", "The start of practice is in the future. Check it.")
        return
    if row.weekly_hours is None:
        raise BadFact("weekly_hours", "Enter the attested hours a week.")
    if not 0 <= row.weekly_hours <= 100:
        raise BadFact("weekly_hours", "Enter 0 to 100 hours a week. Check the attestation.")
    # Hours are attested for a period, and the reviewer has to attest again after it.
    if row.valid_to is None:
        raise BadFact("valid_to", "Enter the last valid day of the attestation.")


def _refuse_training(row: Any, today: date) -> None:
    if row.topic not in Training.Topic.values:
        raise BadFact("topic", "Choose the topic.")
    if not row.version_taught:
        raise BadFact("version_taught", "Enter the version of the training.")
    if row.valid_from is None:
        raise BadFact("valid_from", "Enter the day of the training.")


def _refuse_sanction_check(row: Any, today: date) -> None:
    if not row.register:
        raise BadFact("register", "Enter the register.")


def _refuse_experience(row: Any, today: date) -> None:
    # Punctuation alone folds to no words, which would match the title of every item.
    if not fold_name(row.treatment):
        raise BadFact("treatment", "Enter the treatment.")
    if row.valid_from is None:
        raise BadFact("valid_from", "Enter the first day.")
    if row.valid_from > today:
        raise BadFact("valid_from", "The experience begins in the future. Check it.")


def _refuse_file_proof(row: Any, today: date) -> None:
    if row.kind not in FileProof.Kind.values:
        raise BadFact("kind", "Choose what the document proves.")
    if not row.detail:
        raise BadFact("detail", "Describe the document.")


def _refuse_leave(row: Any, today: date) -> None:
    if row.valid_from is None or row.valid_to is None:
        raise BadFact("valid_to", "Enter the first and last day of leave.")


def _refuse_affiliation(row: Any, today: date) -> None:
    if row.organization_id is None and row.person_id is None:
        raise BadFact("organization_name", "Enter the organization or the person.")
    if row.relation not in Affiliation.Relation.values:
        raise BadFact("relation", "Choose the relation.")
    if row.kin and row.relation != Affiliation.Relation.FAMILY:
        raise BadFact(
            "kin", "Only a family affiliation has a relative. Choose “Family” or clear this field."
        )
    if row.share_percent is not None and not 0 <= row.share_percent <= 100:
        raise BadFact("share_percent", "Enter a share from 0 to 100 percent.")


_OWN_CHECKS: dict[type[CredentialFact], Any] = {
    License: _refuse_license,
    Certification: _refuse_certification,
    PracticeFact: _refuse_practice,
    Training: _refuse_training,
    SanctionCheck: _refuse_sanction_check,
    TreatmentExperience: _refuse_experience,
    FileProof: _refuse_file_proof,
    Leave: _refuse_leave,
    Affiliation: _refuse_affiliation,
}


def _refuse_capacity(capacity: int) -> None:
    # 0 is allowed: the reviewer stays active and keeps open cases, but gets no new ones.
    if not 0 <= capacity <= 200:
        raise BadFact("capacity", "Enter how many open cases at one time: 0 to 200.")


def _next_code() -> str:
    last = (
        Reviewer.objects.filter(code__startswith="R-")
        # Longest first, because "R-9999" sorts after "R-10000" as text.
        .order_by(Length("code").desc(), "-code")
        .values_list("code", flat=True)
        .first()
    )
    return f"R-{int(last[2:]) + 1 if last else 1:04d}"


def _find_specialty(named: Specialty | str, field: str) -> Specialty:
    if isinstance(named, Specialty):
        return named
    specialty = Specialty.objects.filter(name__iexact=named.strip()).first()
    if specialty is None:
        raise BadFact(field, f"The specialty “{named}” is not on the list.")
    return specialty


@transaction.atomic
def report_change(
    *, subject: ReportedChange.Subject | str, words: str, changed_on: date, by: User, at: datetime
) -> ReportedChange:
    """Report a change of the reviewer's own credentials, practice or affiliations.

    The report changes no facts. Credentialing verifies it at the source.

    :raises NotAllowed: not a reviewer, an empty text, or a day in the future.
    """
    # Found by the account, so that no one can report for another reviewer.
    reviewer = Reviewer.objects.filter(user=by).first()
    if reviewer is None:
        raise NotAllowed("Your account is not linked to a reviewer. Contact credentialing.")
    refuse_if("" if words.strip() else "Describe what has changed.")
    refuse_if("" if subject in ReportedChange.Subject.values else "Choose what has changed.")
    if changed_on > local_day(at):
        refuse_if("This day is in the future. Enter the day of the change.")
    return ReportedChange(
        reviewer=reviewer,
        subject=subject,
        words=words.strip()[:1000],
        changed_on=changed_on,
        reported_at=at,
    ).store(by=by, at=at)


@transaction.atomic
def resolve_report(*, report_id: int, note: str, by: User, at: datetime) -> ReportedChange:
    """Resolve a reported change with a note on what was found at the source.

    :raises NotAllowed: wrong role, no note, the reviewer themself, or already resolved.
    """
    refuse_if(policies.why_not_keep_credentials(by))
    report = ReportedChange.objects.select_for_update().get(pk=report_id)
    refuse_if("Someone has already resolved this." if report.resolved_at else "")
    # One account may have both roles, the reviewer and credentialing.
    if Reviewer.objects.filter(pk=report.reviewer_id, user=by).exists():
        refuse_if("Someone other than the reviewer must resolve this.")
    refuse_if("" if note.strip() else "Enter what you found at the source.")
    report.resolved_at, report.resolved_by, report.resolved_note = at, by, note.strip()[:300]
    return report.store(
        by=by, at=at, why=note, fields=["resolved_at", "resolved_by", "resolved_note"]
    )
