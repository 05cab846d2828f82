"""Receives an application: stores it as typed, gives it a case number, and starts screening."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.refusals import NotAllowed, StaleForm, refuse_if
from accounts.versions import VersionedQuerySet
from cases.lifecycle import Status
from cases.models import (
    Application,
    ApplicationPaper,
    Case,
    CaseLink,
    CaseNumberSeries,
    DisputedItem,
    Event,
    Priority,
    URDecision,
    URType,
)
from cases.services import case_deadlines, drafting, duplicates, own_conflicts
from cases.services.parties import PartyOnForm, store_party
from deadlines.days import local_day
from directory.names import fold_number
from files.models import StoredFile
from intake.models import Scan
from intake.policies import why_not_enter_application

from . import batches, drafts

# What clerks type if the form has no claim number. Two such forms do not dispute one decision.
_NO_NUMBER = {"NONE", "NA", "NOTSTATED", "UNKNOWN"}


@dataclass(frozen=True)
class ItemOnForm:
    """One disputed treatment, in the words of the form."""

    title: str
    category_id: int | None = None
    quantity: Decimal | None = None
    unit: str = ""
    body_part: str = ""
    service_from: date | None = None


@dataclass(frozen=True)
class AttachedFile:
    """A file of the application that the ``files`` app has already stored."""

    kind: ApplicationPaper.Kind
    file: StoredFile
    name: str


@dataclass(frozen=True)
class URDecisionOnForm:
    """The disputed UR decision, with what the form and its attachment state."""

    decided_on: date | None
    decided_printed: str = ""
    reference: str = ""
    different_because: str = ""  # the clerk's reason why it is not the decision already on file
    ur_type: URType = URType.REGULAR
    served_on: date | None = None
    service_method: str = ""
    requested_on: date | None = None
    liability_disputed: bool | None = None
    liability_reason: str = ""
    denied_for_missing_information: bool | None = None


@dataclass(frozen=True)
class ApplicationOnForm:
    """Everything that one application states, as typed by the clerk and not yet reviewed."""

    key: UUID
    channel: str
    received_at: datetime
    claim_number: str
    ur_decision: URDecisionOnForm
    parties: Sequence[PartyOnForm]
    items: Sequence[ItemOnForm]
    priority: Priority = Priority.REGULAR
    date_of_injury: date | None = None
    date_of_injury_printed: str = ""
    eams_number: str = ""
    wcis_number: str = ""
    diagnosis: str = ""
    sex: str = ""
    items_on_form: int | None = None
    signed_by: str = ""
    signed_on: date | None = None
    consent_on: date | None = None
    designated_on: date | None = None
    ur_decision_attached: bool | None = None
    copy_certified: bool | None = None
    printed: dict[str, Any] = field(default_factory=dict)
    papers: Sequence[AttachedFile] = ()
    scan_id: int | None = None  # the scan of a batch that was keyed


class ScanAlreadyEntered(StaleForm):
    """The same scan was entered before; the message names its case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        super().__init__(f"This scan was already entered as case {case.number}.")


def receive_application(*, application: ApplicationOnForm, by: User, at: datetime) -> Case:
    """Receive an application, even an incomplete or late one, and open its case.

    Saving the same form twice gives one case.
    If an open case already disputes the same UR decision, the new case is stored as a possible
    duplicate and linked to it. This also holds if two clerks save at the same second: unique
    constraints cover the form's key, the scan and the open UR decision.

    :raises NotAllowed: the user may not enter applications, a date is impossible, or no treatment
        is given.
    :raises ScanAlreadyEntered: the scan of the form was entered before.
    """
    refuse_if(why_not_enter_application(by))
    # These checks read no rows, so they need not run again with each try.
    _refuse_impossible_dates(application, at)
    # Two retries, because a save can fail on one constraint after another.
    for last_try in (False, False, True):
        try:
            return _receive_in_transaction(application=application, by=by, at=at)
        except IntegrityError:
            # Someone saved the same form, scan or decision at the same moment. Look it up again.
            if last_try:
                raise
    raise AssertionError("unreachable")


def fold_claim_number(*, text: str) -> str:
    """Normalize a claim number for comparison; empty if the form has none."""
    folded = fold_number(text)
    return "" if folded in _NO_NUMBER else folded


def find_case_of_form(key: UUID) -> Case | None:
    """Find the case that was saved from this form, if any."""
    found = Application.objects.filter(idempotency_key=key).select_related("case").first()
    return found.case if found else None


@transaction.atomic
def _receive_in_transaction(*, application: ApplicationOnForm, by: User, at: datetime) -> Case:
    # Before all other checks, so that sending a form again shows its case and not a refusal.
    if entered := find_case_of_form(application.key):
        return entered
    # Lock the draft before the scan, as all services do, to avoid deadlocks.
    drafts.lock_intake_draft(key=application.key)
    scan = _lock_scan(application)
    _refuse_entered_file(application)
    ur_decision, lead = _find_ur_decision(application)
    ur_decision = ur_decision or _store_ur_decision(application, by=by, at=at)
    received_on = local_day(application.received_at)
    case = _store_case(application, ur_decision, lead, by=by, at=at)
    _store_form(case, application, scan, by=by, at=at)
    for party in application.parties:
        store_party(case=case, party=party, by=by, at=at)
    _store_items(case, application, by=by, at=at)
    count = len(application.items)
    received = Event.objects.create(
        case=case,
        kind=Event.Kind.RECEIVED,
        happened_at=at,
        by=by,
        sentence=f"Application received {received_on:%m/%d/%Y} with "
        f"{count} disputed item{'' if count == 1 else 's'}.",
        facts={
            "channel": application.channel,
            "received_at": application.received_at.isoformat(),
        },
    )
    if lead is None:
        case.move_to(Status.SCREENING, by=by, at=at)
    else:
        _link_duplicate(case, lead, by=by, at=at)
    # A possible duplicate must be reviewed as soon as any other application.
    case_deadlines.start_deadline(
        case=case,
        deadline_kind=case_deadlines.SCREENING,
        given={"received": received_on.isoformat()},
        by=by,
        at=at,
    )
    # The organization's own conflicts depend on the parties stored above.
    own_conflicts.check_own_conflicts(case=case, by=by, at=at)
    drafts.mark_draft_entered(key=application.key, case=case, by=by, at=at)
    drafting.propose_letter(event=received, by=by, at=at)
    if scan is not None:
        batches.mark_scan_entered(scan_id=scan.pk, case=case, by=by, at=at)
    # Last, because the comparison reads the stored parties and items.
    duplicates.propose_duplicates(case=case, by=by, at=at)
    return case


def _store_case(
    application: ApplicationOnForm,
    ur_decision: URDecision,
    lead: Case | None,
    *,
    by: User,
    at: datetime,
) -> Case:
    received_on = local_day(application.received_at)
    return Case(
        number=_next_case_number(at),
        status=Status.RECEIVED,
        is_open=True,
        # Set again when the case moves to its first stage, in the same transaction.
        next_role="INTAKE",
        priority=application.priority,
        received_at=application.received_at,
        received_on=received_on,
        # Replaced when the screening deadline starts, in the same transaction.
        due_on=received_on,
        date_of_injury=application.date_of_injury,
        date_of_injury_printed=application.date_of_injury_printed,
        claim_number=application.claim_number.strip(),
        claim_number_normal=_read_claim_number(application),
        eams_number=application.eams_number,
        wcis_number=application.wcis_number,
        diagnosis=application.diagnosis,
        sex=application.sex,
        ur_decision=ur_decision,
        duplicate_of=lead,
        party_list_version=1,
    ).store(by=by, at=at)


def _store_form(
    case: Case, application: ApplicationOnForm, scan: Scan | None, *, by: User, at: datetime
) -> None:
    """Store the form as typed, and each attached file once."""
    paper_form = Application(
        case=case,
        idempotency_key=application.key,
        channel=application.channel,
        received_at=application.received_at,
        entered_at=at,
        entered_by=by,
        printed=application.printed,
        items_on_form=application.items_on_form,
        signed_by=application.signed_by,
        signed_on=application.signed_on,
        consent_on=application.consent_on,
        designated_on=application.designated_on,
        ur_decision_attached=application.ur_decision_attached,
        copy_certified=application.copy_certified,
    ).store(by=by, at=at)
    # The scan of a batch and the uploads of the form may be the same file; store each only once.
    papers = list(application.papers)
    if scan is not None and scan.file is not None:
        papers.append(
            AttachedFile(ApplicationPaper.Kind.APPLICATION, scan.file, scan.name_received)
        )
    once = {(paper.kind, paper.file.pk): paper for paper in papers}
    for paper in once.values():
        ApplicationPaper(
            application=paper_form,
            kind=paper.kind,
            file=paper.file,
            name_received=paper.name[:255],
        ).store(by=by, at=at)


def _store_items(case: Case, application: ApplicationOnForm, *, by: User, at: datetime) -> None:
    DisputedItem.objects.bulk_store(
        [
            DisputedItem(
                case=case,
                position=position,
                title=item.title,
                category_id=item.category_id,
                requested_quantity=item.quantity,
                unit=item.unit,
                body_part=item.body_part,
                service_from=item.service_from,
            )
            for position, item in enumerate(application.items, start=1)
        ],
        by=by,
        at=at,
    )


def _refuse_impossible_dates(application: ApplicationOnForm, at: datetime) -> None:
    today, received_on = local_day(at), local_day(application.received_at)
    if application.received_at > at:
        raise NotAllowed("The received date is in the future. Check the stamp.")
    decided_on = application.ur_decision.decided_on
    if decided_on and decided_on > received_on:
        raise NotAllowed("The UR decision is dated after the day we received it. Check both dates.")
    for name, day in (
        ("date of injury", application.date_of_injury),
        ("signature date", application.signed_on),
        ("consent date", application.consent_on),
        ("date of service of the UR decision", application.ur_decision.served_on),
    ):
        if day and day > today:
            raise NotAllowed(f"The {name} is in the future. Check the form.")
    if not application.items:
        raise NotAllowed("Enter at least one disputed treatment.")


def _lock_scan(application: ApplicationOnForm) -> Scan | None:
    """Lock the scan of the form. The first clerk to save enters it, even if another holds it."""
    if application.scan_id is None:
        return None
    scan: Scan = Scan.objects.select_for_update(of=("self",)).get(pk=application.scan_id)
    if scan.case is not None:
        raise ScanAlreadyEntered(scan.case)
    return scan


def _refuse_entered_file(application: ApplicationOnForm) -> None:
    scans = [
        paper.file.pk
        for paper in application.papers
        if paper.kind == ApplicationPaper.Kind.APPLICATION
    ]
    known = (
        ApplicationPaper.objects.filter(file_id__in=scans, kind=ApplicationPaper.Kind.APPLICATION)
        .select_related("application__case")
        .first()
    )
    if known:
        raise ScanAlreadyEntered(known.application.case)


def _next_case_number(at: datetime) -> str:
    """Take the next free case number of the current year: ``CMyy-nnnnnnn``.

    Numbers already used by cases loaded from published decisions are passed over.
    """
    year = local_day(at).year
    # Locking the year's row makes concurrent transactions wait, so no number is used twice.
    CaseNumberSeries.objects.get_or_create(year=year)
    series = CaseNumberSeries.objects.select_for_update().get(year=year)
    while True:
        series.last += 1
        number = f"CM{year % 100:02d}-{series.last:07d}"
        if not Case.objects.filter(number=number).exists():
            series.save(update_fields=["last"])
            return number


def _find_ur_decision(application: ApplicationOnForm) -> tuple[URDecision | None, Case | None]:
    """Find the UR decision on file that the form disputes, and lock the open case about it."""
    while True:
        found = _find_same_decisions(application).first()
        if found is None or application.ur_decision.different_because:
            return None, None
        leads = Case.objects.filter(ur_decision=found, is_open=True, duplicate_of=None)
        lead = leads.lock_first()
        # While this call waited for the lock, a correction may have changed the decision's key.
        if _find_same_decisions(application).first() == found:
            return found, lead


def _find_same_decisions(application: ApplicationOnForm) -> VersionedQuerySet:
    """UR decisions on file with the form's claim number, date and reference, latest first."""
    claim, form = _read_claim_number(application), application.ur_decision
    # Without a claim number or a date, two forms cannot be said to dispute one decision.
    if not claim or not form.decided_on:
        return URDecision.objects.none()
    same: VersionedQuerySet = URDecision.objects.filter(
        claim_number_normal=claim,
        decided_on=form.decided_on,
        reference_normal=fold_number(form.reference),
    )
    return same.order_by("-running_number")


def _store_ur_decision(application: ApplicationOnForm, *, by: User, at: datetime) -> URDecision:
    form = application.ur_decision
    # The running number keeps decisions apart that agree in all printed facts, but that a clerk has
    # stated to be different.
    latest = _find_same_decisions(application).first()
    return URDecision(
        claim_number_normal=_read_claim_number(application),
        decided_on=form.decided_on,
        decided_printed=form.decided_printed,
        reference=form.reference,
        reference_normal=fold_number(form.reference),
        running_number=latest.running_number + 1 if latest else 1,
        different_because=form.different_because,
        ur_type=form.ur_type,
        served_on=form.served_on,
        service_method=form.service_method,
        requested_on=form.requested_on,
        liability_disputed=form.liability_disputed,
        liability_reason=form.liability_reason,
        denied_for_missing_information=form.denied_for_missing_information,
    ).store(by=by, at=at)


def _read_claim_number(application: ApplicationOnForm) -> str:
    """The form's claim number, normalized for comparison; empty if the form has none."""
    return fold_claim_number(text=application.claim_number)


def _link_duplicate(case: Case, lead: Case, *, by: User, at: datetime) -> None:
    reason = "An open case disputes the same UR decision."
    CaseLink(kind=CaseLink.Kind.DUPLICATE, case=case, other=lead, reason=reason).store(
        by=by, at=at, why=reason
    )
    # Both cases get an event, so that each timeline shows the link.
    for one, other in ((case, lead), (lead, case)):
        Event.objects.create(
            case=one,
            kind=Event.Kind.LINKED,
            happened_at=at,
            by=by,
            sentence=f"Linked to {other.number}: both dispute the same UR decision.",
            why=reason,
            facts={"other": other.number},
        )
    case.move_to(Status.DUPLICATE, by=by, at=at, why=reason)
