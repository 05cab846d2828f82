"""Receives an application: stores it as typed, gives it a case number, and starts screening."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.refusals import BadFact, NotAllowed, StaleForm, refuse_if
from accounts.versions import VersionedQuerySet
from cases.duplicates import ApplicationFacts
from cases.formulary import (
    build_treatment,
    describe_other_choice,
    proposal_facts,
    propose_for_case,
    propose_for_treatments,
)
from cases.lifecycle import Status
from cases.models import (
    Application,
    ApplicationPaper,
    Case,
    CaseLink,
    DisputedItem,
    Event,
    PartyRole,
    PreferredChannel,
    Priority,
    TreatmentCategory,
    URDecision,
    URType,
)
from cases.models.restrictions import is_hidden
from cases.organization_facts import read_own_organization
from cases.party_facts import build_planned_party_facts
from cases.services import (
    case_deadlines,
    case_numbers,
    drafting,
    duplicates,
    own_conflicts,
    parties,
    restrictions,
)
from cases.services.parties import PartyOnForm
from deadlines.calendars import format_day
from deadlines.days import local_day
from deadlines.models import latest_rule_version
from deadlines.results import ComputedDeadline
from directory.names import fold_number
from eligibility.impossible_dates import find_impossible_dates
from files.models import StoredFile
from guidelines.formulary import Proposal
from intake.models import Scan
from intake.policies import why_not_enter_application, why_not_use_rescanned

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
    injury_last_day: date | None = None  # set for a cumulative injury
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
    """The same scan was entered before; the message names its case, unless it is hidden.

    :ivar case: the case, or ``None`` if it is hidden from the reader.
    """

    def __init__(self, case: Case, reader: User) -> None:
        self.case = None if is_hidden(case.pk, reader) else case
        where = f" as case {case.number}" if self.case else ""
        super().__init__(f"This scan was already entered{where}.")


class FormSavedOtherwise(StaleForm):
    """The form was saved before with other contents, which are on file in ``case``.

    :ivar case: the case, or ``None`` if it is hidden from the reader.
    """

    def __init__(self, case: Case, reader: User) -> None:
        self.case = None if is_hidden(case.pk, reader) else case
        where = f" as {case.number}" if self.case else ""
        super().__init__(
            f"This form was already saved{where}, with other contents. What you typed now is not "
            "saved."
        )


def receive_application(*, application: ApplicationOnForm, by: User, at: datetime) -> Case:
    """Receive an application, even an incomplete or late one, and open its case.

    Saving the same form twice gives one case.
    If an open case already disputes the same UR decision, the new case is stored as a possible
    duplicate and linked to it. This also holds if two clerks save at the same second: unique
    constraints cover the form's key, the scan and the open UR decision.

    :raises NotAllowed: the user may not enter applications, a date is impossible, or no treatment
        is given.
    :raises FormSavedOtherwise: the same form was saved before with other contents.
    :raises ScanAlreadyEntered: the scan of the form was entered before.
    """
    refuse_if(why_not_enter_application(by))
    # These checks read no rows, so they need not run again with each try.
    refuse_impossible_dates(application=application, at=at)
    # Two retries, because a save can fail on one constraint after another.
    for last_try in (False, False, True):
        # Before all other work, so that sending a form again shows its case and not a refusal.
        if entered := find_case_of_form(application, by=by):
            return entered
        # SQLite lets one transaction write at a time, and numbers are given out one after another,
        # so everything that can be computed is computed before the transaction.
        prepared = _prepare(application, at)
        try:
            return _receive_in_transaction(application, prepared, by=by, at=at)
        except IntegrityError:
            # Someone saved the same form, scan or decision at the same moment. Look it up again.
            if last_try:
                raise
    raise AssertionError("unreachable")


def fold_claim_number(*, text: str) -> str:
    """Normalize a claim number for comparison; empty if the form has none."""
    folded = fold_number(text)
    return "" if folded in _NO_NUMBER else folded


def find_case_of_form(application: ApplicationOnForm, *, by: User) -> Case | None:
    """Find the case that was saved from this form, if any.

    :param by: who sends the form. A refusal does not name a case that is hidden from them.
    :raises FormSavedOtherwise: the form was saved with other contents.
    """
    saved = Application.objects.filter(idempotency_key=application.key).first()
    if saved is None:
        return None
    if saved.form_digest != compute_form_digest(application):
        raise FormSavedOtherwise(saved.first_case, by)
    return saved.first_case


def compute_form_digest(application: ApplicationOnForm) -> str:
    """The SHA-256 of everything that the form states, to recognize the same form sent again."""
    # A file is its bytes and its kind; the names and rows of the files may differ.
    papers = [(paper.kind, paper.file.sha256) for paper in application.papers]
    stated = asdict(replace(application, papers=())) | {"key": None, "papers": papers}
    text = json.dumps(stated, default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class _Prepared:
    """What was computed before the transaction. What may have changed since is checked in it.

    :ivar rule_version: the rules and holidays from which ``screening`` was computed.
    :ivar requested_on: the day of the request from which ``proposal`` was computed.
    """

    parties: parties.PlannedParties
    compared: own_conflicts.ComparedParties
    comparison: duplicates.Comparison
    rule_version: tuple[int, int]
    screening: ComputedDeadline
    requested_on: date | None
    proposal: Proposal | None


def _prepare(application: ApplicationOnForm, at: datetime) -> _Prepared:
    """Compute everything about an application that needs no stored case. Reads only."""
    received_on = local_day(application.received_at)
    planned = parties.plan_parties(application.parties)
    facts = build_planned_party_facts(
        planned.rows,
        known_at=at,
        new_persons=planned.new_persons,
        new_organizations=planned.new_organizations,
    )
    own_organization = read_own_organization(on=local_day(at), known_at=at)
    rule_version = latest_rule_version()
    decision = _find_decision_on_file(application)
    requested_on = (decision or application.ur_decision).requested_on
    categories = TreatmentCategory.objects.select_related("parent").in_bulk(
        [item.category_id for item in application.items if item.category_id is not None]
    )
    return _Prepared(
        parties=planned,
        compared=own_conflicts.compare_parties(facts, own_organization),
        comparison=duplicates.compare_with_cases(facts=build_facts(application=application)),
        rule_version=rule_version,
        screening=case_deadlines.compute_rule_sum(
            deadline_kind=case_deadlines.SCREENING, given=screening_facts(received_on=received_on)
        ),
        requested_on=requested_on,
        proposal=propose_for_treatments(
            [
                build_treatment(title=item.title, category=categories.get(item.category_id or 0))
                for item in application.items
            ],
            requested_on=requested_on,
            decided_on=application.ur_decision.decided_on,
            received_on=received_on,
        ),
    )


def build_facts(*, application: ApplicationOnForm) -> ApplicationFacts:
    """The values of a form to compare, as ``read_application_facts`` reads them from its case."""
    names: dict[PartyRole, PartyOnForm] = {party.role: party for party in application.parties}
    employee = names.get(PartyRole.EMPLOYEE)
    physician = names.get(PartyRole.REQUESTING_PHYSICIAN)
    return ApplicationFacts(
        employee=employee.name if employee else "",
        born=employee.date_of_birth if employee else None,
        claim=read_claim_number(application=application),
        injured=application.date_of_injury,
        injured_until=application.injury_last_day,
        ur_decided=application.ur_decision.decided_on,
        ur_reference=fold_number(application.ur_decision.reference),
        physician=physician.name if physician else "",
        items=tuple(item.title for item in application.items),
    )


def screening_facts(*, received_on: date) -> dict[str, str]:
    """The trigger facts of the deadline of the eligibility review."""
    return {"received": received_on.isoformat()}


@transaction.atomic
def _receive_in_transaction(
    application: ApplicationOnForm, prepared: _Prepared, *, by: User, at: datetime
) -> Case:
    """Store what was prepared, after checking that it still holds."""
    # Again, because the same form may have been saved since.
    if entered := find_case_of_form(application, by=by):
        return entered
    # Lock the draft before the scan, as all services do, to avoid deadlocks.
    drafts.lock_intake_draft(key=application.key)
    scan = _lock_scan(application, by)
    _refuse_entered_file(application, by)
    # Again, because the role may have been removed while the rest was computed.
    refuse_if(why_not_enter_application(User.objects.get_with_roles(by.pk) or by))
    ur_decision, lead = _find_ur_decision(application)
    if ur_decision is None:
        latest = _find_same_decisions(application).first()
        ur_decision = build_ur_decision(
            application=application, running_number=latest.running_number + 1 if latest else 1
        ).store(by=by, at=at)
    received_on = local_day(application.received_at)
    (number,) = case_numbers.take_case_numbers(many=1, at=at)
    typed = _store_form(application, scan, by=by, at=at)
    case = build_case(
        application=application, number=number, typed=typed, ur_decision=ur_decision, lead=lead
    ).store(by=by, at=at)
    stored, is_as_planned = parties.store_planned_parties(
        case=case, planned=prepared.parties, by=by, at=at
    )
    DisputedItem.objects.bulk_store(build_items(application=application, case=case), by=by, at=at)
    is_same_day = ur_decision.requested_on == prepared.requested_on
    proposal = prepared.proposal if is_same_day else propose_for_case(case)
    received = build_received_event(
        application=application, case=case, proposal=proposal, by=by, at=at
    )
    received.save()
    if lead is None:
        case.move_to(Status.SCREENING, by=by, at=at)
    else:
        _link_duplicate(case, lead, by=by, at=at)
    # A possible duplicate must be reviewed as soon as any other application.
    case_deadlines.start_deadline(
        case=case,
        deadline_kind=case_deadlines.SCREENING,
        given=screening_facts(received_on=received_on),
        result=prepared.screening if latest_rule_version() == prepared.rule_version else None,
        by=by,
        at=at,
    )
    # Someone may have stored one of the same persons since, about whom more is on file now. Facts
    # about the organization that changed since are found by the scheduled check.
    ids = {row.pk: party.pk for row, party in zip(prepared.parties.rows, stored, strict=True)}
    own_conflicts.check_own_conflicts(
        case=case,
        compared=prepared.compared.renumber(ids) if is_as_planned else None,
        by=by,
        at=at,
    )
    drafts.mark_draft_entered(key=application.key, case=case, by=by, at=at)
    drafting.propose_letter(event=received, by=by, at=at)
    if scan is not None:
        batches.mark_scan_entered(scan_id=scan.pk, case=case, by=by, at=at)
    duplicates.propose_duplicates(case=case, comparison=prepared.comparison, by=by, at=at)
    return case


def build_case(
    *,
    application: ApplicationOnForm,
    number: str,
    typed: Application,
    ur_decision: URDecision,
    lead: Case | None,
) -> Case:
    """Build the unsaved case of a form. The caller moves it to its first stage.

    :param typed: the stored row of the form.
    """
    received_on = local_day(application.received_at)
    return Case(
        number=number,
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
        injury_last_day=application.injury_last_day,
        date_of_injury_printed=application.date_of_injury_printed,
        claim_number=application.claim_number.strip(),
        claim_number_normal=read_claim_number(application=application),
        eams_number=application.eams_number,
        wcis_number=application.wcis_number,
        diagnosis=application.diagnosis,
        sex=application.sex,
        application=typed,
        ur_decision=ur_decision,
        duplicate_of=lead,
        party_list_version=1,
    )


def _store_form(
    application: ApplicationOnForm, scan: Scan | None, *, by: User, at: datetime
) -> Application:
    """Store the form as typed, and each attached file once."""
    paper_form = build_typed_form(application=application, by=by, at=at).store(by=by, at=at)
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
    return paper_form


def build_typed_form(*, application: ApplicationOnForm, by: User, at: datetime) -> Application:
    """Build the unsaved row of the form as typed."""
    return Application(
        idempotency_key=application.key,
        form_digest=compute_form_digest(application),
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
    )


def build_items(*, application: ApplicationOnForm, case: Case) -> list[DisputedItem]:
    """Build the unsaved disputed items of a form."""
    return [
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
    ]


def build_received_event(
    *,
    application: ApplicationOnForm,
    case: Case,
    proposal: Proposal | None,
    by: User,
    at: datetime,
) -> Event:
    """Build the unsaved event that a case was received.

    :param proposal: what the drug list proposes. The clerk has chosen the priority; the event keeps
        both.
    """
    count = len(application.items)
    other_choice = describe_other_choice(proposal, application.priority)
    return Event(
        case=case,
        kind=Event.Kind.RECEIVED,
        happened_at=at,
        by=by,
        sentence=f"Application received {format_day(local_day(application.received_at))} with "
        f"{count} disputed item{'' if count == 1 else 's'}. {other_choice}".strip(),
        facts={
            "channel": application.channel,
            "received_at": application.received_at.isoformat(),
            **proposal_facts(proposal),
        },
    )


def refuse_impossible_dates(*, application: ApplicationOnForm, at: datetime) -> None:
    """Refuse a form without treatments, with a date that cannot be, or without consent to email.

    Reads no rows.

    :raises NotAllowed: names the date, or what the channel of a party needs.
    """
    if application.received_at > at:
        raise NotAllowed("The received date is in the future. Check the stamp.")
    dates = {
        "received": local_day(application.received_at),
        "ur_decided": application.ur_decision.decided_on,
        "served_on": application.ur_decision.served_on,
        "requested_on": application.ur_decision.requested_on,
        "signed_on": application.signed_on,
        "consent_on": application.consent_on,
        "date_of_injury": application.date_of_injury,
        "injury_last_day": application.injury_last_day,
    }
    for impossible in find_impossible_dates(dates, today=local_day(at)):
        raise BadFact(impossible.field, impossible.sentence)
    for party in application.parties:
        # A fax number may be missing: then a letter waits. Email needs consent in any case.
        if party.preferred_channel == PreferredChannel.ELECTRONIC:
            parties.refuse_impossible_channel(party, at=at)
    if not application.items:
        raise NotAllowed("Enter at least one disputed treatment.")


def _lock_scan(application: ApplicationOnForm, by: User) -> Scan | None:
    """Lock the scan of the form. The first clerk to save enters it, even if another holds it."""
    if application.scan_id is None:
        return None
    scan: Scan = Scan.objects.select_for_update(of=("self",)).get(pk=application.scan_id)
    if scan.case is not None:
        raise ScanAlreadyEntered(scan.case, by)
    refuse_if(why_not_use_rescanned(scan))
    return scan


def _refuse_entered_file(application: ApplicationOnForm, by: User) -> None:
    scans = [
        paper.file.pk
        for paper in application.papers
        if paper.kind == ApplicationPaper.Kind.APPLICATION
    ]
    entered_paper = (
        ApplicationPaper.objects.filter(file_id__in=scans, kind=ApplicationPaper.Kind.APPLICATION)
        .select_related("application")
        .first()
    )
    if entered_paper:
        raise ScanAlreadyEntered(entered_paper.application.first_case, by)


def _find_ur_decision(application: ApplicationOnForm) -> tuple[URDecision | None, Case | None]:
    """Find the UR decision on file that the form disputes, and lock the open case about it."""
    while True:
        decision = _find_decision_on_file(application)
        if decision is None:
            return None, None
        leads = Case.objects.filter(ur_decision=decision, is_open=True, duplicate_of=None)
        lead = leads.lock_first()
        # While this call waited for the lock, a correction may have changed the decision's key.
        if _find_same_decisions(application).first() == decision:
            return decision, lead


def _find_decision_on_file(application: ApplicationOnForm) -> URDecision | None:
    """Find the UR decision on file that the form disputes, unless the clerk says it is another."""
    if application.ur_decision.different_because:
        return None
    return _find_same_decisions(application).first()


def _find_same_decisions(application: ApplicationOnForm) -> VersionedQuerySet:
    """UR decisions on file with the form's claim number, date and reference, latest first."""
    claim, form = read_claim_number(application=application), application.ur_decision
    # Without a claim number or a date, two forms cannot be said to dispute one decision.
    if not claim or not form.decided_on:
        return URDecision.objects.none()
    same: VersionedQuerySet = URDecision.objects.filter(
        claim_number_normal=claim,
        decided_on=form.decided_on,
        reference_normal=fold_number(form.reference),
    )
    return same.order_by("-running_number")


def build_ur_decision(*, application: ApplicationOnForm, running_number: int = 1) -> URDecision:
    """Build the unsaved UR decision that a form disputes.

    :param running_number: keeps decisions apart that agree in all printed facts, but that a clerk
        has stated to be different.
    """
    form = application.ur_decision
    return URDecision(
        claim_number_normal=read_claim_number(application=application),
        decided_on=form.decided_on,
        decided_printed=form.decided_printed,
        reference=form.reference,
        reference_normal=fold_number(form.reference),
        running_number=running_number,
        different_because=form.different_because,
        ur_type=form.ur_type,
        served_on=form.served_on,
        service_method=form.service_method,
        requested_on=form.requested_on,
        liability_disputed=form.liability_disputed,
        liability_reason=form.liability_reason,
        denied_for_missing_information=form.denied_for_missing_information,
    )


def read_claim_number(*, application: ApplicationOnForm) -> str:
    """Return the form's claim number, normalized for comparison; empty if the form has none."""
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
    duplicates.propose_same_decision(case=case, lead=lead, by=by, at=at)
    restrictions.spread_restriction(case=case, other=lead, by=by, at=at)
