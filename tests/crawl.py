"""Every page of the portal, opened once as every role; then every form, sent by the wrong person.

``crawl`` makes one office with cases at several stages and a reviewer in whose every field a canary
sits, opens everything, and keeps what several test modules ask about. All of it happens in one
transaction, which is rolled back.

Everyone on the staff of that office was a reviewer once and has a canary for a name: whoever acted
on a case must be shown by ``User.name_for``.
"""

import gc
import inspect
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import StringIO
from unittest import mock

from django.apps import apps
from django.core import mail
from django.core.management import CommandError, call_command
from django.core.signals import request_finished
from django.db import close_old_connections, connection, models, transaction
from django.db.models.signals import post_save
from django.http import HttpResponseForbidden
from django.test import Client, RequestFactory, override_settings
from django.test.client import ClientHandler
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views import defaults
from kombu import Connection

from accounts.models import AccessLogEntry, User
from accounts.roles import Role
from cases.models import (
    ApplicationPaper,
    Case,
    CaseClearance,
    Commitment,
    Event,
    Hold,
    ItemChange,
    MemberAffiliation,
    OrganizationMember,
    OwnConflictResult,
    PhoneCall,
    ReceivedDocument,
)
from cases.related_cases import list_related_cases
from cases.services import (
    calls,
    commitments,
    extensions,
    holds,
    item_changes,
    notes,
    organization,
    priority,
    received_documents,
    restrictions,
)
from complaints import services as complaints
from complaints.models import Complaint, CorrectiveAction
from correspondence.services import case_letters
from deadlines import services as rules
from deadlines.days import local_day
from deadlines.models import DeadlineRule, HolidayRule
from determinations.models import Opinion, OpinionCitation
from directory.models import Organization, OrganizationName, SameOrganization
from directory.services import organizations
from eligibility.models import InformationRequest
from eligibility.services import information
from files.services import read_bytes, receive_named_upload
from guidelines import services as guideline_services
from guidelines.models import Edition
from imr_portal.audiences import PUBLIC, audience_of, is_admitted
from imr_portal.celery import app as celery_app
from intake.models import CancelReason
from intake.services import drafts
from intake.services.receiving import URDecisionOnForm
from jobs import services as job_services
from jobs.models import ListExport
from letters import relay
from letters import services as letter_services
from letters.models import Letter, Service, WordingSet
from notices.models import Notice
from queues.models import SavedView
from queues.services import claims, saved_views
from records.models import Document
from reviewers.models import (
    ConflictResult,
    License,
    PayerBiasTest,
    ReportedChange,
    Reviewer,
    ReviewerAssignment,
)
from reviewers.services import assignment as assignments
from reviewers.services import credentialing, payer_bias
from tests.determinations.factories import (
    REVIEWED,
    make_approved_case,
    make_issued_case,
    make_submitted_case,
    write_review,
)
from tests.factories import (
    MONDAY,
    batch_of,
    begun_draft,
    eligible_case,
    parties,
    person,
    received_case,
    scanned_file,
)
from tests.letters.factories import file_all_letters
from tests.records.factories import case_with_records, make_upload, sign_attestation
from tests.reviewers import factories as panel
from tests.stored_stages import WrittenTables
from tests.test_urls import by_library, routes

NOW = REVIEWED + timedelta(hours=3)
NOBODY = "nobody"
THE_REVIEWER = "the reviewer of the case"

# What is in the file of the reviewer, and what is in their sign-in.
FILE_CANARIES = ("qvxfirst", "qvxlast", "qvxmail", "qvxphone", "qvxlicense", "qvxboard")
USER_CANARIES = ("qvxuser", "qvxlogin")
# The name and the address of everyone on the staff, each of whom was a reviewer once.
ACTOR_CANARIES = ("qvxactor", "qvxdesk")
# Words that people wrote about the reviewer, or that the reviewer wrote of themself.
NOTE_CANARIES = ("qvxtie", "qvxhospital", "qvxrelative", "qvxleave", "qvxproof", "qvxsanction",
                 "qvxtreatment", "qvxexperience", "qvxreport", "qvxdecline", "qvxsource",
                 "qvxkeeper", "qvxfair")  # fmt: skip
ADMIN_ROLES = {"ADMINISTRATOR", "GUIDELINE_ADMIN", "CREDENTIALING", "DIRECTOR", "AUDITOR"}
CANARIES = (*FILE_CANARIES, *USER_CANARIES, *ACTOR_CANARIES, *NOTE_CANARIES)
# They may know who a reviewer is. One of them opens every address, to prove that the canaries are
# there to be found; the others open each page until it shows itself once.
CASE_NUMBER = re.compile(r"\bcm\d{2}-\d{7}\b")
WORKER = re.compile(r"marisol quintanar|quintanar, marisol")
KNOWERS = {"COORDINATOR", "CREDENTIALING", "QA", "DIRECTOR"}
OPENS_ALL = "COORDINATOR"


@dataclass(frozen=True)
class Visit:
    """One request and what came back; of the page only what it must not say is kept."""

    who: str
    route: str
    url: str
    method: str
    status: int
    location: str
    canaries: frozenset[str]  # the canaries on the page
    in_headers: frozenset[str]
    access_count: int  # entries written to the access log
    wrote: frozenset[str]  # the tables that were written
    by_htmx: bool = False
    shows_case: bool = False  # the number of a case
    names_worker: bool = False  # the name of an employee


@dataclass
class Office:
    """What was crawled."""

    visits: list[Visit] = field(default_factory=list)
    htmx_visits: list[Visit] = field(default_factory=list)
    htmx_refusals: list[Visit] = field(default_factory=list)
    posts: list[Visit] = field(default_factory=list)
    posts_without_token: list[Visit] = field(default_factory=list)
    changed_by_posts: dict[str, set[str]] = field(default_factory=dict)
    letters: list[tuple[str, bytes]] = field(default_factory=list)
    letter_rows: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    without_address: set[str] = field(default_factory=set)
    code: str = ""  # the reviewer's number on the panel
    without_canary: set[str] = field(default_factory=set)
    printed: dict[str, str] = field(default_factory=dict)  # what commands for outsiders print
    mails: list[str] = field(default_factory=list)
    stored_names: list[str] = field(default_factory=list)


class _Kept(logging.Handler):
    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(f"{record.getMessage()} {record.__dict__}")


def crawl() -> Office:
    """Make the office, open and send everything, and undo it all."""
    office = Office()
    handler = _Kept(office.logged)
    root = logging.getLogger()
    root.addHandler(handler)
    level, root.level = root.level, logging.INFO
    try:
        with transaction.atomic(), _quickly():
            with mock.patch.object(timezone, "now", return_value=NOW):
                pools = _make(office)
                people = _people()
                _open_everything(office, people, pools)
                _send_everything(office, people, pools)
                _print_everything(office, pools["number"][-1])
                office.mails = [str(message.message()) for message in mail.outbox]
            transaction.set_rollback(True)
    finally:
        root.removeHandler(handler)
        root.level = level
    return office


@contextmanager
def _quickly() -> Iterator[None]:
    """Leave out work that says nothing about a page: sessions in the database, collecting garbage
    all the time, and drawing the page of a refusal again and again.
    """
    drawn = set()

    def refuse(request, exception):
        if request.user.pk in drawn:
            return HttpResponseForbidden()
        drawn.add(request.user.pk)
        return defaults.permission_denied(request, exception)

    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    request_finished.disconnect(close_old_connections)  # as the test client does
    try:
        with (
            override_settings(SESSION_ENGINE="django.contrib.sessions.backends.cache"),
            mock.patch("imr_portal.urls.handler403", refuse, create=True),
        ):
            yield
    finally:
        request_finished.connect(close_old_connections)
        gc.set_threshold(*thresholds)
        gc.unfreeze()


@contextmanager
def _staff_of_former_reviewers() -> Iterator[None]:
    """Within it, whoever a factory needs to act was a reviewer once and is called by a canary."""
    made: dict[tuple[Role, ...], User] = {}
    make = person

    def actor(*roles: Role, **fields) -> User:
        if fields or Role.REVIEWER in roles:
            return make(*roles, **fields)
        if roles not in made:
            duties = " and ".join(role.label.lower() for role in roles)
            made[roles] = make(
                *roles,
                Role.REVIEWER,
                name=f"Qvxactor of {duties}",
                email=f"qvxdesk{len(made)}@example.org",
            )
        return made[roles]

    with ExitStack() as stack:
        for name, module in list(sys.modules.items()):
            is_ours = name == __name__ or (name.startswith("tests.") and "factories" in name)
            if is_ours and getattr(module, "person", None) is make:
                stack.enter_context(mock.patch.object(module, "person", actor))
        yield


def _make(office: Office) -> dict[str, list]:
    """Cases at several stages, and the arguments that lead to them."""
    with _staff_of_former_reviewers():
        return _make_cases(office)


def _make_cases(office: Office) -> dict[str, list]:
    user = person(Role.REVIEWER, name="Qvxuser Qvxuserson", email="qvxlogin@example.org")
    reviewer = panel.fit_reviewer(
        first_name="Qvxfirst",
        last_name="Qvxlast",
        email="qvxmail@example.org",
        user=user,
        capacity=9,
        license={"number": "QVXLICENSE1", "source": "Qvxsource", "verified_by": "Qvxkeeper"},
        sanctions={"note": "qvxsanction"},
        identity={"detail": "qvxproof"},
        experience={
            "treatment": "qvxtreatment",
            "detail": "qvxexperience",
            "valid_from": date(2010, 1, 1),
        },
        certification={"board": "Qvxboard of Medicine"},
    )
    credentialing.change_reviewer(
        reviewer_id=reviewer.pk,
        first_name="Qvxfirst",
        last_name="Qvxlast",
        email="qvxmail@example.org",
        phone="qvxphone 555-0100",
        capacity=9,
        seen_version=None,
        by=None,
        at=MONDAY,
    )
    office.code = reviewer.code
    _write_about(reviewer, user)

    _of_the_own_organization()
    few = parties(EMPLOYEE_ATTORNEY="")  # fewer notices to typeset

    def offered() -> ReviewerAssignment:
        case = case_with_records(pages=(1,), parties=few)
        return panel.offered_case(case=case, reviewer=reviewer, at=MONDAY + timedelta(days=1))

    earlier = received_case()
    scan = batch_of(scanned_file()).scans.get()
    eligible = _eligible_like(earlier)
    open_offer = offered()
    assignments.decline_assignment(
        assignment_id=open_offer.pk, reason="qvxdecline", by=user, at=MONDAY + timedelta(days=1)
    )
    open_offer = panel.offered_case(
        case=Case.objects.get(pk=open_offer.case_id),
        reviewer=reviewer,
        at=MONDAY + timedelta(days=1, hours=1),
    )
    writing = sign_attestation(offered())
    write_review(writing)
    to_issue = make_approved_case(make_submitted_case(sign_attestation(offered())))
    done = make_issued_case(make_approved_case(make_submitted_case(sign_attestation(offered()))))
    steered = _looked_into()
    _move_dates(writing.case)
    claims.claim_case(case_id=earlier.pk, by=person(Role.COORDINATOR), at=NOW)
    _confirm_rule()
    _hand_over(office)
    file_all_letters(at=NOW)
    guideline_services.seed_guidelines(by=None, at=MONDAY)
    guideline_services.confirm_edition(
        edition_id=Edition.objects.earliest("pk").pk,
        on=MONDAY.date(),
        by=person(Role.GUIDELINE_ADMIN),
        at=MONDAY,
    )
    letters_of = [one.case_letters.earliest("pk").pk for one in (eligible, open_offer.case)]
    case_letters.preview_letter(letter_id=letters_of[0], by=person(Role.COORDINATOR), at=NOW)
    case_letters.discard_letter_draft(
        letter_id=letters_of[1], reason="NOT_NEEDED", by=person(Role.COORDINATOR), at=NOW
    )
    drafts.cancel_intake_draft(
        key=begun_draft().key,
        reason=CancelReason.UNREADABLE,
        note="",
        by=person(Role.INTAKE),
        at=NOW,
    )
    for letter in Letter.objects.select_related("file"):
        office.letters.append((letter.file_name, read_bytes(letter.file)))
        office.letter_rows.append(f"{letter.title} {letter.file_name} {letter.words}")
    office.without_canary = fields_without_canary()
    office.stored_names = [f"{paper.name_received}" for paper in ApplicationPaper.objects.all()] + [
        document.title for document in Document.objects.all()
    ]
    cases = [eligible, open_offer.case, writing.case, to_issue, done]
    numbers = [Case.objects.get(pk=case.pk).number for case in cases]
    documents = Document.objects.filter(case=writing.case).values_list("pk", flat=True)
    return {
        "number": numbers,
        "slug": ["eligibility", "qa", "mail"],
        "view_id": [_saved_view().pk],
        "assignment_id": [writing.pk, open_offer.pk, done.assignments.get().pk],
        "document_id": list(documents)[:1],
        "received_id": [_received(eligible).pk],
        "page": [1],
        "position": [1],
        "job": ["queues.measure_stage_durations"],
        "part": ["summary"],
        "request_id": [_asked().pk],
        "event_id": [_noted(eligible).pk],
        "act_id": [eligible.undoable_acts.earliest("pk").pk],
        "notice_id": [_notified(eligible).pk],
        "change_id": [_proposed(eligible).pk],
        "deadline_kind": ["noarfi"],
        "rule_id": [DeadlineRule.objects.get(deadline_kind="noarfi").pk],
        "holiday_id": [HolidayRule.objects.filter(calendar="office").earliest("pk").pk],
        "hold_id": [_held(eligible).pk],
        "clearance_id": [_cleared(eligible).pk],
        "proposal_id": [eligible.possible_duplicates.get().pk],
        "commitment_id": [_commitment(eligible).pk],
        "complaint_id": [(complained := _complained(eligible)).pk],
        "action_id": [_acted_on(complained).pk],
        "letter_id": letters_of,  # of the first two numbers
        "party_id": list(eligible.parties.values_list("pk", flat=True))[:1],
        "item_id": [Opinion.objects.filter(assignment=writing)[0].item_id],
        "citation_id": [OpinionCitation.objects.filter(opinion__assignment=writing)[0].pk],
        "member_id": [OrganizationMember.objects.first().pk],
        "own_conflict_result_id": [OwnConflictResult.objects.filter(result="UNKNOWN").first().pk],
        "own_conflict": [MemberAffiliation.objects.get().pk],
        "result_id": [ConflictResult.objects.first().pk],
        "code": [reviewer.code],
        "kind": ["license"],
        "fact_id": [License.objects.get(reviewer=reviewer).pk],
        "ticket": ["forged"],
        "test_id": [steered.pk],
        "report_id": [ReportedChange.objects.get().pk],
        "export_id": [_exported().pk],
        "call_id": [_called(done).pk],
        "person_id": [done.parties.get(role="EMPLOYEE").person_id],
        "organization_id": [done.parties.get(role="CLAIMS_ADMINISTRATOR").organization_id],
        "organization": list(Organization.objects.values_list("pk", flat=True))[:1],
        "same": [_merged().pk],
        "batch": [scan.batch_id],
        "draft": [begun_draft().key],
        "scan": [scan.pk],
        "letter": [done.determinations.get().letter_id],
        # Served on the employee. It belongs to one of the numbers; the others answer 404.
        "service_id": [_served(done).pk],
        "set": [WordingSet.objects.first().pk],
    }


def _exported() -> ListExport:
    """A list that waits to be written as a file."""
    return job_services.request_export(
        name="letters-to-review", label="Letters to review", query="", rows_expected=1,
        by=person(Role.SUPERVISOR), at=NOW,
    )  # fmt: skip


def _called(case: Case) -> PhoneCall:
    """A call of the worker about a case, as a coordinator logged it."""
    return calls.log_call(
        case_id=case.pk,
        facts=calls.CallFacts(
            direction="RECEIVED", party_id=case.parties.get(role="EMPLOYEE").pk, spoke_with="",
            number="916-555-0142", called_at=NOW, summary="Asked when the letter was sent.",
        ),
        by=person(Role.COORDINATOR), at=NOW,
    )  # fmt: skip


def _received(case: Case) -> ReceivedDocument:
    """A document received on a case before its notice, as the mail room added it."""
    mailroom = person(Role.MAILROOM)
    file = receive_named_upload(upload=make_upload(), at=NOW)
    return received_documents.add_received_document(
        case_id=case.pk, file=file, kind="LETTER", sender="EMPLOYEE", channel="MAIL",
        received_on=local_day(MONDAY), description="A letter of the worker", by=mailroom, at=NOW,
    )  # fmt: skip


def _served(case: Case) -> Service:
    """The service of the determination on the employee, as the mail room marked it."""
    letter_id = case.determinations.get().letter_id
    employee = case.parties.get(role="EMPLOYEE")
    service = Service.objects.get(letter_id=letter_id, recipient_id=employee.pk)
    return letter_services.mark_served(
        service_id=service.pk, on=local_day(NOW), by=person(Role.MAILROOM), at=NOW
    )


def _of_the_own_organization() -> None:
    """An owner with an affiliation elsewhere, and someone who is called like the employee of every
    case.
    """
    about = {"source": "Register of companies", "by": None, "at": MONDAY}
    owner = organization.record_member(kind="OWNER", name="Elin Marsh", **about)
    organization.record_member_affiliation(
        member_id=owner.pk, relation="EMPLOYMENT", organization_name="Far Freezers", **about
    )
    namesake = person(Role.INTAKE, name="Marisol Quintanar")
    organization.record_member(kind="STAFF", user_id=namesake.pk, **about)


def _write_about(reviewer: Reviewer, user: User) -> None:
    """Every kind of words that a reviewer's file may hold."""
    about = {"reviewer_id": reviewer.pk, "by": None, "at": MONDAY, **panel.VERIFIED}
    days = {"valid_from": date(2020, 1, 6), "valid_to": date(2020, 1, 10)}
    credentialing.add_leave(**panel.with_evidence(note="qvxleave", **about | days))
    credentialing.add_affiliation(**panel.with_evidence(
        relation="PRIVILEGES", organization_name="Qvxhospital", note="qvxtie",
        valid_from=date(2020, 1, 1), **about,
    ))  # fmt: skip
    credentialing.add_affiliation(**panel.with_evidence(
        relation="FAMILY", person_name="Qvxrelative Someone", kin="SPOUSE",
        valid_from=date(2020, 1, 1), **about,
    ))  # fmt: skip
    credentialing.report_change(
        subject="PRACTICE", words="qvxreport", changed_on=date(2026, 2, 1), by=user, at=MONDAY
    )


def fields_without_canary() -> set[str]:
    """The fields of the panel's tables that hold words and no canary."""
    found = set()
    for model in apps.get_app_config("reviewers").get_models():
        if hasattr(model, "history_id"):
            continue
        for one in model._meta.concrete_fields:
            if not isinstance(one, models.CharField | models.TextField) or one.choices:
                continue
            planted = model._base_manager.filter(**{f"{one.name}__icontains": "qvx"})
            if not planted.exists():
                found.add(f"{model.__name__}.{one.name}")
    return found


def _noted(case: Case) -> Event:
    return notes.add_note(
        case_id=case.pk, text="Rang the office.", by=person(Role.INTAKE), at=MONDAY
    )


def _notified(case: Case) -> Notice:
    person(Role.COORDINATOR, name="Nadia Notified")
    note = notes.add_note(
        case_id=case.pk,
        text="Please call, @Nadia Notified.",
        by=person(Role.SUPERVISOR),
        at=MONDAY,
    )
    return Notice.objects.get(event_id=note.pk)


def _looked_into() -> PayerBiasTest:
    """A test that found steering, with someone else's choice to compare, and what came of it."""
    panel.offered_case(
        case=panel.ready_case(parties=parties(CLAIMS_ADMINISTRATOR="Far Away Claims")),
        at=MONDAY + timedelta(days=1),
    )
    steered = PayerBiasTest.objects.create(
        first=date(2026, 3, 1), last=date(2026, 3, 31), party_role="CLAIMS_ADMINISTRATOR",
        choices=7, compared=7, unevenness=7, p="0.001", alarm="0.01", is_steered=True,
        deals=999, seed=1, made_at=NOW,
    )  # fmt: skip
    payer_bias.add_bias_note(
        test_id=steered.pk, words="All with qvxfair", by=person(Role.DIRECTOR), at=NOW
    )
    return steered


def _merged() -> SameOrganization:
    """Two rows that are known to be one organization."""
    first, second = OrganizationName.objects.order_by("organization_id")[:2]
    return organizations.record_same_organization(
        organization_id=first.organization_id, same_as_name=second.printed,
        reason="Told by both", by=None, at=MONDAY,
    )  # fmt: skip


def _eligible_like(earlier: Case) -> Case:
    """An eligible case of another UR decision that looks like an earlier case."""
    again = URDecisionOnForm(
        decided_on=date(2026, 2, 16), served_on=date(2026, 2, 16), service_method="mail_ca",
        requested_on=date(2026, 2, 10), reference="UR-2",
    )  # fmt: skip
    return eligible_case(claim_number=earlier.claim_number, ur_decision=again)


def _asked() -> InformationRequest:
    """A question to a party of a case that is being screened."""
    case = received_case()
    return information.ask_information(
        case_id=case.pk,
        party_id=case.parties.get(role="EMPLOYEE").pk,
        facts=["SIGNED"],
        question="Who signed the form?",
        received_on=MONDAY.date(),
        by=person(Role.COORDINATOR),
        at=MONDAY,
    )


def _proposed(case: Case) -> ItemChange:
    """A change of an item that waits for a second person."""
    item = case.items.get()
    facts = item_changes.ItemValues(title=f"{item.title}, with imaging")
    return item_changes.propose_item_change(
        item_id=item.pk,
        facts=facts,
        seen_version=None,
        why="The application says so.",
        by=person(Role.COORDINATOR),
        at=MONDAY + timedelta(hours=2),
    )


def _saved_view() -> SavedView:
    return saved_views.save_view(
        name="Shared by the organization",
        queue="eligibility",
        query="due=over",
        shared=True,
        today=NOW.date(),
        by=person(Role.COORDINATOR),
        at=NOW,
    )


def _move_dates(case: Case) -> None:
    """A hold that was ended, an extension, a commitment that was moved and another priority."""
    coordinator = person(Role.COORDINATOR)
    at = NOW - timedelta(hours=1)
    today = local_day(at)
    held = holds.begin_hold(
        case_id=case.pk,
        reason="OFFICE_CLOSED",
        starts_on=today,
        planned_end=today + timedelta(days=3),
        by=coordinator,
        at=at,
    )
    holds.end_hold(hold_id=held.pk, ended_on=today, reason="Open again.", by=coordinator, at=at)
    extensions.extend_determination(
        case_id=case.pk,
        days=1,
        approved_by="Dr. Approver",
        approved_on=today,
        letter_reference="Letter of the Division",
        good_cause="The records came late.",
        by=coordinator,
        at=at,
    )
    fields = {"informed_on": today, "letter_reference": "Letter", "by": coordinator, "at": at}
    commitment = commitments.add_commitment(
        case_id=case.pk,
        party_id=case.parties.get(role="EMPLOYEE").pk,
        description="The letter",
        due_on=today + timedelta(days=7),
        why="Asked by telephone.",
        **fields,
    )
    commitments.move_commitment(
        commitment_id=commitment.pk,
        due_on=today + timedelta(days=9),
        why="The post is late.",
        **fields,
    )
    priority.change_priority(
        case_id=case.pk,
        new="EXPEDITED",
        why="The physician asks for it.",
        certified_by="Dr. Physician",
        certified_on=today,
        support="Loss of function.",
        information_complete_at=at,
        by=coordinator,
        at=at,
    )


def _confirm_rule() -> None:
    """A rule that the director compared with the law."""
    rules.confirm_rule(
        rule_id=DeadlineRule.objects.exclude(deadline_kind="noarfi").earliest("pk").pk,
        compared_with="8 CCR 9792.10.5",
        on=MONDAY.date(),
        seen_version=None,
        by=person(Role.DIRECTOR),
        at=MONDAY,
    )


def _held(case: Case) -> Hold:
    """A hold that lasts."""
    return holds.begin_hold(
        case_id=case.pk,
        reason="OFFICE_CLOSED",
        starts_on=local_day(MONDAY),
        planned_end=local_day(MONDAY) + timedelta(days=14),
        by=person(Role.COORDINATOR),
        at=MONDAY + timedelta(hours=2),
    )


def _cleared(case: Case) -> CaseClearance:
    """The clearance that someone had while the case was restricted."""
    director = person(Role.DIRECTOR)
    related = [one.case.pk for one in list_related_cases(case)]
    restrictions.restrict_case(
        related=related,
        case_id=case.pk,
        ground="PUBLIC",
        reason="A former mayor",
        by=director,
        at=NOW,
    )
    restrictions.lift_restriction(case_id=case.pk, reason="By mistake", by=director, at=NOW)
    clearance: CaseClearance = case.clearances.get()
    return clearance


def _commitment(case: Case) -> Commitment:
    """A date that the employee was told."""
    return commitments.add_commitment(
        case_id=case.pk,
        party_id=case.parties.get(role="EMPLOYEE").pk,
        description="A copy of the file",
        due_on=local_day(MONDAY) + timedelta(days=7),
        informed_on=local_day(MONDAY),
        letter_reference="Letter of 2 March",
        why="Asked by telephone.",
        by=person(Role.COORDINATOR),
        at=MONDAY + timedelta(hours=2),
    )


def _complained(case: Case) -> Complaint:
    """A complaint of the employee about a case, which was answered."""
    complaint = complaints.record_complaint(
        values=complaints.ComplaintValues(
            received_on=local_day(MONDAY), channel="PHONE", party_kind="EMPLOYEE",
            party_name="Marisol Quintanar", category="TIMELINESS", text="The letter came late.",
            case_number=case.number,
        ),
        by=person(Role.COORDINATOR),
        at=MONDAY,
    )  # fmt: skip
    return complaints.answer_complaint(
        complaint_id=complaint.pk, answer="We apologized.", answered_on=local_day(MONDAY),
        seen_version=None, by=person(Role.DIRECTOR), at=MONDAY,
    )  # fmt: skip


def _acted_on(complaint: Complaint) -> CorrectiveAction:
    """A corrective action that is not done yet, of someone who was a reviewer once."""
    director = person(Role.DIRECTOR)
    return complaints.add_corrective_action(
        complaint_id=complaint.pk, description="Call back within a day",
        responsible_id=director.pk, due_on=local_day(MONDAY), by=director, at=MONDAY,
    )  # fmt: skip


def _hand_over(office: Office) -> None:
    """Give the letters to the broker as the relay does, and keep each message as it goes out."""

    def keep(producer, name, message, **options):
        office.messages.append(f"{name} {message} {options}")

    producer = nullcontext(Connection("memory://").Producer())
    with (
        mock.patch.object(celery_app.amqp, "send_task_message", keep),
        mock.patch.object(celery_app, "producer_or_acquire", return_value=producer),
    ):
        letter_services.publish_due_letters(send=relay.send_to_broker, broker_error=OSError, at=NOW)


def _people() -> dict[str, object]:
    people = {role.value: person(role) for role in Role}
    people[THE_REVIEWER] = type(people["INTAKE"]).objects.get(email="qvxlogin@example.org")
    return people


def _addresses(pools: dict[str, list]) -> dict[str, list[str]]:
    """Every route with the addresses at which to open it; none where it has no name of its own."""
    found: dict[str, list[str]] = {}
    for name, pattern in routes():
        groups = list(pattern.pattern.converters) or list(pattern.pattern.regex.groupindex)
        found.setdefault(name, [])
        if name.startswith("admin:"):
            found[name] += _admin_address(name, groups)
            continue
        if name.startswith("account_confirm") or name == "account_reset_password_from_key":
            continue  # their keys are secrets of the library
        if name in {"mfa_remove_webauthn", "mfa_edit_webauthn"}:
            found[name].append(reverse(name, args=[1]))  # no one has such a key
            continue
        if name in {"desk:export_list", "desk:request_export"}:
            found[name].append(f"{reverse(name, args=['queue'])}?list=eligibility")
            continue
        pool = pools | {"pk": pools["letter" if "wording" not in name else "set"]}
        if "organization" in name:
            pool |= {"pk": pools["organization"], "kind": ["same"], "fact_id": pools["same"]}
        if "own_organization" in name:
            pool |= {"kind": ["affiliation"], "fact_id": pools["own_conflict"]}
        variants = max((len(pool[group]) for group in groups), default=1)
        for n in range(variants):
            chosen = {group: pool[group][n % len(pool[group])] for group in groups}
            found[name].append(reverse(name, kwargs=chosen))
    found["desk:jump"] += [f"{reverse('desk:jump')}?q=qvx", f"{reverse('desk:jump')}?q=CM26"]
    found["reviewers:panel"].append(f"{reverse('reviewers:panel')}?find=qvx")
    return found


def _admin_address(name: str, groups: list[str]) -> list[str]:
    from django.contrib import admin

    by_name = {
        f"{model._meta.app_label}_{model._meta.model_name}": model for model in admin.site._registry
    }
    _, _, rest = name.partition(":")
    model = by_name.get(rest.rpartition("_")[0]) or by_name.get(
        rest.removesuffix("_simple_history")
    )
    try:
        if "object_id" in groups or rest.endswith("_simple_history"):
            row = model and model._base_manager.order_by("-pk").first()
            if row is None:
                return []
            if rest.endswith("_simple_history"):
                version = row.history.latest("history_id")
                return [reverse(name, args=[row.pk, version.pk])]
            return [reverse(name, args=[row.pk])]
        if rest == "app_list":
            return [reverse(name, args=[app]) for app in ("accounts", "cases", "reviewers")]
        return [] if groups else [reverse(name)]
    except NoReverseMatch:
        return []


class _Browser:
    """One person's browser, which keeps nothing of an answer but the answer."""

    def __init__(self, user: User | None) -> None:
        self.factory = RequestFactory()
        if user is not None:
            client = Client()
            client.force_login(user)
            self.factory.cookies = client.cookies

    def send(self, handler, method: str, url: str, *, token: bool = True, **more):
        request = getattr(self.factory, method)(url, **more)
        request._dont_enforce_csrf_checks = token
        return handler.get_response(request)


class _Visitor:
    """Sends requests through the whole stack, and keeps of each answer what is asked about."""

    def __init__(self, people: dict[str, User]) -> None:
        self.handler = ClientHandler()
        self.handler.load_middleware()
        self.browsers = {who: _Browser(user) for who, user in people.items()}
        self.access_count = 0

    def count_access(self, created: bool, **_) -> None:
        self.access_count += created

    def visit(
        self, who: str, route: str, url: str, method: str = "get", *, by_htmx=False, **more
    ) -> Visit:
        # Someone who has not signed in is new each time.
        browser = self.browsers.get(who) or _Browser(None)
        if by_htmx:
            more["headers"] = {"HX-Request": "true", "HX-Target": "x", "HX-Current-URL": url}
        before = self.access_count
        written = WrittenTables()
        with connection.execute_wrapper(written):
            answer = browser.send(self.handler, method, url, **more)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        text = body.decode("utf-8", "replace").lower()
        headers = str(dict(answer.headers)).lower()
        answer.close()
        return Visit(
            who=who,
            route=route,
            url=url,
            method=method,
            status=answer.status_code,
            location=answer.headers.get("Location", ""),
            canaries=_canaries_in(text),
            in_headers=_canaries_in(headers),
            access_count=self.access_count - before,
            wrote=frozenset(written.names),
            by_htmx=by_htmx,
            shows_case=bool(CASE_NUMBER.search(text)),
            names_worker=bool(WORKER.search(text)),
        )


def _canaries_in(text: str) -> frozenset[str]:
    return frozenset(one for one in CANARIES if one in text) if "qvx" in text else frozenset()


@contextmanager
def _visitor(people: dict[str, User]) -> Iterator[_Visitor]:
    visitor = _Visitor(people)
    post_save.connect(visitor.count_access, sender=AccessLogEntry)
    try:
        yield visitor
    finally:
        post_save.disconnect(visitor.count_access, sender=AccessLogEntry)


def routes_that_know_htmx() -> set[str]:
    """The routes whose module answers a request of htmx otherwise than one of a browser."""
    found = set()
    for name, pattern in routes():
        view = inspect.unwrap(pattern.callback)
        module = sys.modules[view.__module__]
        if not by_library(name) and any(
            word in inspect.getsource(module) for word in (".htmx", "HX-")
        ):
            found.add(name)
    return found


def _open_everything(office: Office, people: dict, pools: dict) -> None:
    addresses = _addresses(pools)
    office.without_address = {name for name, urls in addresses.items() if not urls}
    know_htmx = routes_that_know_htmx()
    with _visitor(people) as visitor:
        for who in [NOBODY, *people]:
            for route, urls in addresses.items():
                if "logout" in route or _is_like_the_others(who, route):
                    continue
                opens_all = who not in KNOWERS or who == OPENS_ALL or route == "desk:jump"
                shown = _open(office, visitor, who, route, urls, opens_all=opens_all)
                if shown and route in know_htmx:
                    office.htmx_visits.append(visitor.visit(who, route, shown, by_htmx=True))
                elif urls and not shown and who != NOBODY and not by_library(route):
                    # What is refused to a browser is refused to htmx too.
                    office.htmx_refusals.append(visitor.visit(who, route, urls[-1], by_htmx=True))


def _open(
    office: Office, visitor: _Visitor, who: str, route: str, urls: list[str], *, opens_all: bool
) -> str:
    """Open a route at its addresses; the last one that showed a page, or nothing."""
    shown = ""
    # The last address belongs to the case that is furthest.
    for url in urls if opens_all else reversed(urls):
        visit = visitor.visit(who, route, url)
        office.visits.append(visit)
        shown = url if visit.status == 200 else shown
        if visit.status in {403, 405} or (who == NOBODY and visit.status == 302):
            break  # it is the role or the method, whatever the argument
        if shown and not opens_all:
            break
    return shown


def _print_everything(office: Office, number: str) -> None:
    """The commands whose output leaves the organization, and those that operators paste into
    tickets.
    """
    for name, arguments in {
        "export_case_facts": [number],
        "rank_reviewers": [number],
        "check_heartbeat": [],
    }.items():
        out = StringIO()
        with suppress(CommandError):
            call_command(name, *arguments, stdout=out, stderr=out)
        office.printed[name] = out.getvalue()


def _is_like_the_others(who: str, route: str) -> bool:
    """One line of the table refuses the whole admin site to most roles: three doors are tried."""
    doors = {"admin:index", "admin:accounts_user_changelist", "admin:cases_case_changelist"}
    return route.startswith("admin:") and route not in doors and who not in ADMIN_ROLES


def _send_everything(office: Office, people: dict, pools: dict) -> None:
    """Each form by everyone who may not, and without its token by someone who may.

    Every second form is sent as htmx sends it.
    """
    addresses = _addresses(pools)
    routes_of_ours = [
        (route, urls[0])
        for route, urls in addresses.items()
        if urls and not by_library(route) and audience_of(route) is not PUBLIC
    ]
    sent = {"reason": "x", "comment": "x", "text": "x", "sent_on": "t"}
    without_token = set()
    before = _fingerprint()
    with _visitor(people) as visitor:
        for who in [NOBODY, *people]:
            for place, (route, url) in enumerate(routes_of_ours):
                by_htmx = bool(place % 2)
                if who == NOBODY or not is_admitted(audience_of(route), people[who]):
                    office.posts.append(
                        visitor.visit(who, route, url, "post", by_htmx=by_htmx, data=sent)
                    )
                elif route not in without_token:
                    without_token.add(route)
                    office.posts_without_token.append(
                        visitor.visit(who, route, url, "post", token=False)
                    )
            after = _fingerprint()
            office.changed_by_posts[who] = {
                table for table in after if before[table] != after[table]
            }
            before = after


def _fingerprint() -> dict[str, tuple]:
    """Rows and versions of every table of ours, in one number each."""
    found = {}
    for model in apps.get_models():
        versioned = any(one.name == "version" for one in model._meta.fields)
        total = f", coalesce(sum({connection.ops.quote_name('version')}), 0)" if versioned else ""
        with connection.cursor() as cursor:
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"SELECT count(*){total} FROM {table}")
            found[model._meta.label] = cursor.fetchone()
    return found
