"""The demonstration: people, a panel, and cases at every stage, made by the office's own services.

The first case tells the facts of a decision published in 2014 in our own words and goes the whole
way to an issued letter. Every name is invented. Letters are rendered by the worker, as always:
``wait_for_letters`` is called where the office would wait for a PDF.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.core.files.uploadedfile import SimpleUploadedFile

import files.services
import letters.services
import records.services.documents
import records.services.reading
import reviewers.services.assignment
import reviewers.services.credentialing as credentialing
import reviewers.services.matching
from accounts.models import User
from accounts.roles import Role
from accounts.services import create_user
from cases.models import (
    ApplicationPaper,
    Case,
    Priority,
    Signer,
    TreatmentCategory,
)
from cases.models import Role as PartyRole
from cases.services import organization
from cases.services.parties import PartyOnForm
from correspondence.services import notices
from deadlines.days import local_day
from determinations.services import issuing, quality, writing
from eligibility.services import screening
from eligibility.services.citations import AdministratorCited, record_administrator_citations
from files.models import StoredFile
from guidelines.citations import Citation
from guidelines.models import Recommendation
from intake.services import receiving
from intake.services.receiving import ApplicationOnForm, ItemOnForm, Paper, URDecisionOnForm
from letters.models import WordingSet
from letters.outcomes import Outcome
from records.models import Document, ReadMark
from reviewers.models import LicenseKind, Reviewer, ReviewerAssignment
from reviewers.services.credentialing import Evidence

from . import demo_papers

PASSWORD = "imr-portal-demo"  # noqa: S105 - printed on the demo's sign-in page on purpose
DOMAIN = "demo.example"

PEOPLE: dict[str, tuple[str, list[Role]]] = {
    "administrator": ("Ada Lindqvist", [Role.ADMINISTRATOR]),
    "intake": ("Rosa Okafor", [Role.INTAKE]),
    "supervisor": ("Henry Castellano", [Role.SUPERVISOR, Role.INTAKE]),
    "coordinator": ("Mina Petrov", [Role.COORDINATOR]),
    "credentialing": ("Tomas Berg", [Role.CREDENTIALING]),
    "reviewer": ("Alice Whitfield", [Role.REVIEWER]),
    "reviewer2": ("Samuel Nakamura", [Role.REVIEWER]),
    "reviewer3": ("Lucia Ferreira", [Role.REVIEWER]),
    "qa": ("Maria Delgado", [Role.QA]),
    "director": ("Ingrid Solberg", [Role.DIRECTOR]),
    "mailroom": ("Ben Akande", [Role.MAILROOM]),
    "guidelines": ("Grace Lim", [Role.GUIDELINE_ADMIN]),
    "auditor": ("Olga Ivers", [Role.AUDITOR]),
}


@dataclass
class Demo:
    """The running demonstration: who acts, and how to wait for letters."""

    now: datetime
    people: dict[str, User]
    wait_for_letters: Callable[[str], None]
    say: Callable[[str], None]


def is_loaded() -> bool:
    """Whether the demonstration was made before."""
    return User.objects.filter(is_demo=True).exists()


def load(
    *, now: datetime, wait_for_letters: Callable[[str], None], say: Callable[[str], None]
) -> Case:
    """Make everyone and everything; the answer is the case whose letter was issued.

    :param wait_for_letters: called with a case number; returns when its letters are filed.
    :param say: told in a few words what is being done.
    """
    start = now - timedelta(days=60)
    people = _people(at=start)
    demo = Demo(now=now, people=people, wait_for_letters=wait_for_letters, say=say)
    say("People, roles and the panel")
    _publish_wording(demo, at=start)
    _panel(demo, at=start)
    _own_organization(demo, at=start)
    say("The first case, from application to letter")
    first = _first_case(demo)
    say("More cases, one at every stage")
    _other_cases(demo)
    return first


# --- People, wording, panel ---------------------------------------------------------------------


def _people(*, at: datetime) -> dict[str, User]:
    return {
        key: create_user(
            email=f"{key}@{DOMAIN}",
            name=name,
            password=PASSWORD,
            roles=roles,
            by=None,
            at=at,
            is_demo=True,
        )
        for key, (name, roles) in PEOPLE.items()
    }


def _publish_wording(demo: Demo, *, at: datetime) -> None:
    for draft in WordingSet.objects.filter(state=WordingSet.State.DRAFT):
        letters.services.publish_wording(set_id=draft.pk, by=demo.people["director"], at=at)


def _own_organization(demo: Demo, *, at: datetime) -> None:
    """An owner, an officer on staff, and an affiliation with nobody in the cases."""
    keeper, director = demo.people["credentialing"], demo.people["director"]
    owner = organization.record_member(
        kind="OWNER",
        name="Thea Lindholm",
        share_percent=Decimal(100),
        valid_from=date(2012, 1, 1),
        source="Register of shareholders",
        by=keeper,
        at=at,
    )
    organization.record_conflict(
        member_id=owner.pk,
        relation="OWNERSHIP",
        organization_name="Lindholm Vineyards",
        share_percent=Decimal(40),
        valid_from=date(2009, 5, 1),
        source="Statement of interests",
        by=keeper,
        at=at,
    )
    organization.record_member(
        kind="OFFICER",
        name=director.name,
        user_id=director.pk,
        title="Medical director",
        valid_from=date(2016, 9, 1),
        source="Minutes of the board",
        by=keeper,
        at=at,
    )


def _panel(demo: Demo, *, at: datetime) -> None:
    keeper = demo.people["credentialing"]
    day = local_day(at)
    for key, kind, states, board, specialties, practicing_since in (
        (
            "reviewer",
            LicenseKind.MD,
            ["California"],
            "American Board of Physical Medicine and Rehabilitation",
            ["Physical Medicine & Rehabilitation"],
            date(2003, 9, 1),
        ),
        (
            "reviewer2",
            LicenseKind.MD,
            ["California", "Nevada"],
            "American Board of Anesthesiology",
            ["Pain Management", "Anesthesiology"],
            date(2009, 7, 1),
        ),
        (
            "reviewer3",
            LicenseKind.DO,
            ["Texas"],
            "American Osteopathic Board of Orthopedic Surgery",
            ["Orthopedic Surgery"],
            date(2011, 8, 1),
        ),
    ):
        user = demo.people[key]
        first, _, last = user.name.partition(" ")
        row = credentialing.create_reviewer(
            first_name=first, last_name=last, email=user.email, by=keeper, at=at
        )
        credentialing.link_user(reviewer_id=row.pk, user_id=user.pk, by=keeper, at=at)
        _credentials(row, kind, states, board, specialties, practicing_since, day, keeper, at)


def _credentials(
    row: Reviewer,
    kind: LicenseKind,
    states: Sequence[str],
    board: str,
    specialties: Sequence[str],
    practicing_since: date,
    day: date,
    keeper: User,
    at: datetime,
) -> None:
    told: dict[str, Any] = {"reviewer_id": row.pk, "by": keeper, "at": at}

    def seen(source: str, first: date, last: date | None = None) -> Evidence:
        return Evidence(day, keeper.name, source, valid_from=first, valid_to=last)

    year = timedelta(days=365)
    for number, state in enumerate(states):
        credentialing.add_license(
            state=state,
            number=f"{state[0]}{row.pk:02d}{number}4417",
            kind=kind,
            evidence=seen(
                f"Medical board of {state}, public register", practicing_since, day + 2 * year
            ),
            **told,
        )
    for specialty in specialties:
        credentialing.add_certification(
            board=board,
            specialty=specialty,
            evidence=seen("Register of the board", practicing_since, day + 3 * year),
            **told,
        )
    credentialing.add_practice_fact(
        kind="START",
        evidence=seen("Curriculum vitae and two employers", practicing_since),
        **told,
    )
    credentialing.add_practice_fact(
        kind="HOURS",
        weekly_hours=Decimal("30"),
        evidence=seen("Signed statement of the reviewer", day, day + year),
        **told,
    )
    for topic in ("LAW", "EVIDENCE"):
        credentialing.add_training(
            topic=topic,
            version_taught=str(day.year),
            evidence=seen("Training log", day),
            **told,
        )
    credentialing.add_sanction_check(
        register="NPDB",
        found=False,
        evidence=seen("Query of the data bank", day),
        **told,
    )
    credentialing.add_file_proof(
        kind="IDENTITY",
        detail="Passport, seen in person",
        evidence=seen("The document itself", day),
        **told,
    )
    if "Texas" not in states:  # one file has a gap, for the worklist to show
        credentialing.add_file_proof(
            kind="MALPRACTICE",
            detail="Carrier's letter: covered, no claims in ten years",
            evidence=seen("Letter of the carrier", day, day + year),
            **told,
        )


# --- The first case ----------------------------------------------------------------------------

TITLE = "Cervical epidural steroid injections at C3-4 and C4-5 with fluoroscopic guidance"
SUMMARY = """\
The injured worker is a 46 year old woman. Her work badge was caught in the door of a refrigerator,
and her neck was thrown forward. Since then she has had severe neck pain and headaches.

She has been treated with steroid injections into the cervical epidural space at two levels, with
some relief, and with 16 sessions of physical therapy. Norco and ibuprofen are among the medicines
that she has taken. A CT of the cervical spine of 07/10/2013 shows focal narrowing on the left at
C3-C4.

At an orthopedic visit on 06/05/2014 she reported strong pain at the base of the neck, headaches at
the back and front of the head, poor sleep and reduced activity. The neck muscles were tender and
in spasm, more on the left; flexion and extension reached 60 degrees, side bending 20 and rotation
60. The findings were neck pain, degenerative disk disease and a herniated cervical disk. The
injections of 10/01/2013 and 02/11/2014 had helped only for a short time.

Utilization review refused the request."""
RATIONALE = """\
The schedule offers an epidural injection for radicular pain with findings that support it. It asks
that a further injection be given only when earlier ones have brought at least half of the pain
away for six to eight weeks, with function that is documented throughout, and it seldom sees reason
for more than two.

The worker has had two, on 10/01/2013 and 02/11/2014. The report of 06/05/2014 says that both gave
passing relief only. Neither the degree of relief nor its length reaches what the schedule asks.
The request is not medically necessary."""


OTHER_SUMMARY = """\
The injured worker was hurt at work early last year and has been in care since. The reports on file
describe the complaint, the examination and the earlier treatment.

The requesting physician now asks for this: {title}. Utilization review refused it."""
OTHER_RATIONALE = """\
The source that is cited names the findings which ought to be on record before this treatment. The
reports on file do not show them. The request is not medically necessary."""


def _flowing(text: str) -> str:
    """The paragraphs of a text without the line breaks of this file."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _first_case(demo: Demo) -> Case:
    """The dates are those of the story, moved to the last weeks so that no clock has run out."""
    coordinator, clerk = demo.people["coordinator"], demo.people["intake"]
    received = demo.now - timedelta(days=33)
    case = receiving.receive(
        application=_application(
            demo,
            "first",
            received,
            employee="Marisol Quintanar",
            employer="Harbor Cold Storage",
            title=TITLE,
            category=("Injection", "Injection"),
            body_part="neck",
            with_scan=True,
        ),
        by=clerk,
        at=received + timedelta(hours=1),
    )
    _to_records(demo, case, received)
    _add_records(demo, case, received + timedelta(days=8))
    at = received + timedelta(days=9)
    records.services.documents.mark_complete(
        case_id=case.pk,
        received_on=local_day(at),
        basis="COMPLETE",
        seen_version=None,
        by=coordinator,
        at=at,
    )
    assignment = _assign(demo, case, "reviewer", at + timedelta(days=1))
    _write(demo, assignment, "reviewer", at + timedelta(days=3), with_schedule=True)
    by, submitted = demo.people["reviewer"], at + timedelta(days=4)
    writing.submit(assignment_id=assignment.pk, by=by, at=submitted)
    item = case.items.get()
    quality.return_for_changes(
        case_id=case.pk,
        comment="Say how long the relief lasted; the report of 06/05/2014 has it.",
        item_id=item.pk,
        seen_version=None,
        by=demo.people["qa"],
        at=submitted + timedelta(hours=4),
    )
    _type(
        assignment,
        f"item-{item.pk}",
        {"rationale": _flowing(RATIONALE)},
        by,
        submitted + timedelta(days=1),
    )
    writing.submit(assignment_id=assignment.pk, by=by, at=submitted + timedelta(days=1, hours=1))
    quality.approve(
        case_id=case.pk,
        comment="",
        seen_version=None,
        by=demo.people["qa"],
        at=submitted + timedelta(days=1, hours=3),
    )
    director, issued = demo.people["director"], demo.now
    issuing.preview(case_id=case.pk, by=director, at=issued)
    issuing.issue(case_id=case.pk, seen_version=None, by=director, at=issued)
    demo.wait_for_letters(case.number)
    return Case.objects.get(pk=case.pk)


# --- The other cases -----------------------------------------------------------------------------

_OTHERS: tuple[tuple[str, str, str, tuple[str, str], str, int], ...] = (
    # employee, employer, treatment, category, how far it goes, days since receipt
    (
        "Devon Achterberg",
        "Valley Orchards",
        "Lumbar MRI without contrast",
        ("Diagnostic Testing", "Imaging/Radiology"),
        "screening",
        0,
    ),
    (
        "Priya Raman",
        "Coastline Hotels",
        "Norco 10/325 mg #90",
        ("Pharmaceuticals", "Opioids"),
        "screening",
        1,
    ),
    (
        "Luis Fontana",
        "Bayside Freight",
        "Acupuncture, 8 sessions, cervical",
        ("Rehabilitation", "Acupuncture"),
        "ineligible",
        3,
    ),
    (
        "Tanya Brandt",
        "Mesa Clinics",
        "TENS unit, purchase, with supplies",
        ("DMEPOS", "Electrical Stimulation"),
        "eligible",
        2,
    ),
    (
        "Amara Nwosu",
        "Redwood Mills",
        "Functional restoration program, 160 hours",
        ("Programs", ""),
        "noticed",
        12,
    ),
    (
        "Walter Grimes",
        "Delta Water District",
        "Psychotherapy, 12 sessions",
        ("Psych Services", "Therapies"),
        "noticed",
        6,
    ),
    (
        "Keiko Tanabe",
        "Sierra Foods",
        "Physical therapy, 12 sessions, left shoulder",
        ("Rehabilitation", "PT/OT"),
        "complete",
        15,
    ),
    (
        "Joaquin Reyes",
        "Summit Roofing",
        "Lidocaine patch 5% #30",
        ("Pharmaceuticals", "Topical analgesics"),
        "complete",
        21,
    ),
    (
        "Hannah Voss",
        "Lakeside Schools",
        "Cervical facet injections C5-6 and C6-7",
        ("Injection", "Facet"),
        "offered",
        18,
    ),
    (
        "Omar Haddad",
        "Pioneer Packing",
        "Right knee arthroscopy with partial meniscectomy",
        ("Surgery", "Arthroscopic"),
        "reviewing",
        23,
    ),
    (
        "Celeste Moreau",
        "Golden Requirement Transit",
        "Electrodiagnostic study, both arms",
        ("Diagnostic Testing", "EMG/NCV/NCS"),
        "quality",
        25,
    ),
    (
        "Ruth Abelson",
        "Evergreen Nursery",
        "Massage therapy, 6 sessions",
        ("Rehabilitation", "Other"),
        "approved",
        27,
    ),
)


def _other_cases(demo: Demo) -> None:
    for employee, employer, title, category, stage, days in _OTHERS:
        received = demo.now - timedelta(days=days, hours=3)
        case = receiving.receive(
            application=_application(
                demo,
                employee,
                received,
                employee=employee,
                employer=employer,
                title=title,
                category=category,
            ),
            by=demo.people["intake"],
            at=received + timedelta(minutes=40),
        )
        _advance(demo, case, stage, received)


def _advance(demo: Demo, case: Case, stage: str, received: datetime) -> None:
    if stage == "screening":
        return
    if stage == "ineligible":
        answers = _six_yes() | {"SIGNED": "NO"}
        _decide(demo, case, answers, received + timedelta(hours=2))
        return
    if stage == "eligible":
        _decide(demo, case, _six_yes(), received + timedelta(hours=2))
        return
    _to_records(demo, case, received)
    if stage == "noticed":
        return
    _add_records(demo, case, received + timedelta(days=5))
    complete = received + timedelta(days=6)
    records.services.documents.mark_complete(
        case_id=case.pk,
        received_on=local_day(complete),
        basis="COMPLETE",
        seen_version=None,
        by=demo.people["coordinator"],
        at=complete,
    )
    if stage == "complete":
        return
    if stage == "offered":
        _offer(demo, case, "reviewer", complete + timedelta(days=1))
        return
    assignment = _assign(demo, case, "reviewer", complete + timedelta(days=1))
    if stage == "reviewing":
        return
    _write(demo, assignment, "reviewer", complete + timedelta(days=3))
    at = complete + timedelta(days=4)
    writing.submit(assignment_id=assignment.pk, by=demo.people["reviewer"], at=at)
    if stage == "approved":
        quality.approve(
            case_id=case.pk,
            comment="",
            seen_version=None,
            by=demo.people["qa"],
            at=at + timedelta(hours=5),
        )


# --- Steps that several cases share ---------------------------------------------------------------


def _application(
    demo: Demo,
    key: str,
    received: datetime,
    *,
    employee: str,
    employer: str,
    title: str,
    category: tuple[str, str],
    body_part: str = "",
    with_scan: bool = False,
) -> ApplicationOnForm:
    decided = local_day(received) - timedelta(days=15)
    injured = date(decided.year - 1, 2, 11)
    claim = f"06-{uuid5(NAMESPACE_URL, key).int % 10**9:09d}"
    parties = [
        _party(PartyRole.EMPLOYEE, employee, "2210 Alder Street\nStockton, CA 95204"),
        _party(PartyRole.EMPLOYER, employer, "400 Harbor Way\nOakland, CA 94607"),
        _party(
            PartyRole.EMPLOYEE_ATTORNEY, "Ruth Castellanos", "18 Court Plaza\nSacramento, CA 95814"
        ),
        _party(
            PartyRole.REQUESTING_PHYSICIAN, "Dana Oyelaran", "900 Spine Avenue\nModesto, CA 95350"
        ),
        _party(PartyRole.PHYSICIAN_GROUP, "Valley Spine & Joint Group", ""),
        replace(
            _party(
                PartyRole.CLAIMS_ADMINISTRATOR,
                "Pacific Comp Claims",
                "PO Box 40122\nSacramento, CA 95841",
            ),
            contact="J. Merriweather",
        ),
    ]
    parties[0] = replace(
        parties[0], date_of_birth=date(1968, 3, 14), date_of_birth_printed="3/14/1968"
    )
    papers: list[Paper] = []
    if with_scan:
        papers = _papers(demo, received, employee, employer, claim, decided, injured, title)
    return ApplicationOnForm(
        key=uuid5(NAMESPACE_URL, f"demo-{key}"),
        channel="MAIL",
        received_at=received,
        claim_number=claim,
        priority=Priority.REGULAR,
        date_of_injury=injured,
        date_of_injury_printed=f"{injured:%m/%d/%Y}",
        diagnosis="M50.20, M54.12",
        sex="FEMALE",
        items_on_form=1,
        signed_by=Signer.EMPLOYEE,
        signed_on=local_day(received) - timedelta(days=3),
        consent_on=local_day(received) - timedelta(days=3),
        ur_decision_attached=True,
        copy_certified=True,
        ur_decision=URDecisionOnForm(
            decided_on=decided,
            decided_printed=f"{decided:%m/%d/%Y}",
            reference=f"UR-{claim[-5:]}",
            served_on=decided,
            service_method="mail_ca",
            requested_on=decided - timedelta(days=5),
            liability_disputed=False,
        ),
        parties=parties,
        items=[ItemOnForm(title=title, category_id=_category(category), body_part=body_part)],
        papers=papers,
    )


def _papers(
    demo: Demo,
    received: datetime,
    employee: str,
    employer: str,
    claim: str,
    decided: date,
    injured: date,
    title: str,
) -> list[Paper]:
    scan = demo_papers.form(
        "APPLICATION FOR INDEPENDENT MEDICAL REVIEW",
        {
            "Type of utilization review": "[X] Regular   [ ] Expedited",
            "Employee name": employee.upper(),
            "Date of birth / Date of injury": f"3/14/1968      {injured:%m/%d/%Y}",
            "Claim number": claim,
            "Date of UR decision": f"{decided:%m/%d/%Y}",
            "Employer": employer.upper(),
            "Claims administrator": "PACIFIC COMP CLAIMS, PO BOX 40122, SACRAMENTO CA",
            "Physician": "D. OYELARAN MD, PM&R",
            "Primary diagnosis (ICD)": "M50.20, M54.12",
            "Disputed treatment 1": title.upper(),
            "Signature / Date": f"[signed]   {received - timedelta(days=3):%m/%d/%Y}",
        },
    )
    decision = demo_papers.pages(
        f"Date of decision: {decided:%m/%d/%Y}\nEmployee: {employee}\nClaim: {claim}\n"
        f"Request: {title}\nDecision: not certified.\n"
        "Two earlier injections gave relief for a short time only. The criteria of the schedule "
        "for a repeated injection are not met.",
        title="UTILIZATION REVIEW DECISION",
    )
    return [
        Paper(kind, _receive(name, content, received), name)
        for kind, name, content in (
            (ApplicationPaper.Kind.APPLICATION, "application.pdf", scan),
            (ApplicationPaper.Kind.UR_DECISION, "ur-decision.pdf", decision),
        )
    ]


def _receive(name: str, content: bytes, at: datetime) -> StoredFile:
    upload = SimpleUploadedFile(name, content, content_type="application/pdf")
    return files.services.receive(upload=upload, at=at)


def _party(role: PartyRole, name: str, address: str) -> PartyOnForm:
    first, _, last = name.rpartition(" ")
    return PartyOnForm(role=role, name=name, first=first, last=last, address=address)


def _category(names: tuple[str, str]) -> int | None:
    parent, child = names
    rows = (
        TreatmentCategory.objects.filter(parent__name=parent, name=child)
        if child
        else (TreatmentCategory.objects.filter(parent=None, name=parent))
    )
    return rows.values_list("pk", flat=True).first()


_CITED = (
    Citation(
        source="MTUS",
        mtus=True,
        chapter="Chronic Pain Medical Treatment",
        edition="2016",
        sections=("Epidural steroid injections (ESIs)",),
    ),
    Citation(as_printed="Official Disability Guidelines (ODG), Neck and Upper Back"),
)


def _cited_by_administrator(demo: Demo, case: Case, at: datetime) -> None:
    item = case.items.get()
    record_administrator_citations(
        item_id=item.pk,
        cited=AdministratorCited(_CITED)
        if item.title == TITLE
        else AdministratorCited(nothing=True),
        by=demo.people["coordinator"],
        at=at,
    )


def _six_yes() -> dict[str, str]:
    from eligibility.rules import FACTS

    return dict.fromkeys(FACTS, "YES")


def _decide(demo: Demo, case: Case, answers: dict[str, str], at: datetime) -> None:
    screening.decide_eligibility(
        case_id=case.pk,
        answers=answers,
        notes={fact: "As read on the form." for fact in answers if answers[fact] == "NO"},
        seen_version=None,
        by=demo.people["coordinator"],
        at=at,
    )


def _to_records(demo: Demo, case: Case, received: datetime) -> None:
    """Found eligible, noticed, sent."""
    coordinator = demo.people["coordinator"]
    _cited_by_administrator(demo, case, received + timedelta(hours=2))
    _decide(demo, case, _six_yes(), received + timedelta(hours=3))
    made = received + timedelta(days=1)
    notices.make_notices(case_id=case.pk, by=coordinator, at=made)
    demo.wait_for_letters(case.number)
    notices.mark_notices_sent(
        case_id=case.pk,
        sent_on=local_day(made),
        received_at=made + timedelta(hours=1) if case.priority == "EXPEDITED" else None,
        by=demo.people["mailroom"],
        at=made + timedelta(hours=2),
    )


_RECORDS: tuple[tuple[Document.Kind, str, str, int, tuple[str, ...]], ...] = (
    (
        Document.Kind.CONSULTATION,
        "Orthopedic consultation",
        "D. Oyelaran MD",
        30,
        (
            "Subjective: severe pain at the base of the neck, headaches at the back and front of "
            "the head. Sleeps badly. Activities are reduced.\n"
            "Objective: tenderness over the neck muscles with spasm, left more than right. Flexion "
            "60, extension 60, side bending 20/20, rotation 60/60.",
            "Earlier treatment: two epidural injections, each with transient relief of neck pain. "
            "Physical therapy, 16 sessions. Norco, ibuprofen.\n"
            "Assessment: neck pain; degenerative disk disease; herniated cervical disk.\n"
            "Plan: a further cervical epidural steroid injection under fluoroscopy.",
        ),
    ),
    (
        Document.Kind.IMAGING,
        "CT of the cervical spine",
        "Valley Imaging",
        120,
        ("Findings: focal narrowing on the left at C3-C4. No fracture.",),
    ),
    (
        Document.Kind.OPERATIVE,
        "Procedure notes, epidural injections",
        "Valley Spine & Joint Group",
        90,
        (
            "First injection, C3-C4 and C4-C5, without complication.",
            "Second injection, same levels. Relief reported for about nine days.",
        ),
    ),
)


def _add_records(demo: Demo, case: Case, at: datetime) -> None:
    """Each case gets its own pages, so that no two cases share a file."""
    for kind, title, author, age, texts in _RECORDS:
        dated = local_day(at) - timedelta(days=age)
        content = demo_papers.pages(
            *(
                f"Case file {case.number}\nDate of service: {dated:%m/%d/%Y}\n{text}"
                for text in texts
            ),
            title=title.upper(),
        )
        records.services.documents.add_document(
            case_id=case.pk,
            upload=SimpleUploadedFile(
                f"{title.lower().replace(' ', '-')}.pdf", content, content_type="application/pdf"
            ),
            kind=kind,
            title=title,
            author=author,
            dated_from=dated,
            dated_to=None,
            sent_by=Document.SentBy.CLAIMS_ADMINISTRATOR,
            received_on=local_day(at),
            by=demo.people["coordinator"],
            at=at,
        )


def _offer(demo: Demo, case: Case, key: str, at: datetime) -> ReviewerAssignment:
    coordinator = demo.people["coordinator"]
    listed = reviewers.services.matching.rank(case_id=case.pk, by=coordinator, at=at)
    return reviewers.services.assignment.assign(
        case_id=case.pk,
        reviewer_id=demo.people[key].reviewer.pk,
        candidate_list_id=listed.pk,
        seen_version=None,
        override_code="OTHER",
        override_reason="Chosen for the demonstration",
        by=coordinator,
        at=at,
    )


def _assign(demo: Demo, case: Case, key: str, at: datetime) -> ReviewerAssignment:
    assignment = _offer(demo, case, key, at)
    signed = at + timedelta(hours=2)
    wording = reviewers.services.assignment.current_wording(signed)
    if wording is None:
        raise RuntimeError("Run seed_reference first: there is no attestation to sign.")
    return reviewers.services.assignment.attest(
        assignment_id=assignment.pk,
        answers={question["code"]: "no" for question in wording.questions},
        wording_id=wording.pk,
        by=demo.people[key],
        at=signed,
    )


def _write(
    demo: Demo,
    assignment: ReviewerAssignment,
    key: str,
    at: datetime,
    *,
    with_schedule: bool = False,
) -> None:
    by = demo.people[key]
    writing.open_review(assignment_id=assignment.pk, by=by, at=at)
    for document in records.services.reading.unopened(assignment):
        records.services.reading.mark(
            assignment_id=assignment.pk,
            document_id=document.pk,
            mark=ReadMark.Mark.REVIEWED,
            by=by,
            at=at,
        )
    title = assignment.case.items.get().title
    story = SUMMARY if with_schedule else OTHER_SUMMARY.format(title=title)
    reasons = (
        RATIONALE.replace(" says that both gave\npassing relief only", "")
        if with_schedule
        else OTHER_RATIONALE
    )
    _type(assignment, "summary", {"summary": _flowing(story)}, by, at)
    for opinion in assignment.opinions.all():
        _type(
            assignment,
            f"item-{opinion.item_id}",
            {
                "outcome": Outcome.UPHELD,
                "rationale": _flowing(reasons),
                "basis": "A" if with_schedule else "C",
                "why_not_higher": ""
                if with_schedule
                else "The schedule does not address this treatment for the condition.",
            },
            by,
            at,
        )
        section = "Epidural steroid injections (ESIs)"
        schedule = Recommendation.objects.filter(
            section=section, edition__guideline__source__is_mtus=True, edition__valid_to=None
        ).first()
        use = schedule if with_schedule else None
        writing.cite(
            assignment_id=assignment.pk,
            item_id=opinion.item_id,
            recommendation_id=use.pk if use else None,
            as_printed=""
            if use
            else "Cochrane Database of Systematic Reviews, review of the treatment, 2021",
            by=by,
            at=at,
        )


def _type(
    assignment: ReviewerAssignment, part: str, content: dict[str, str], by: User, at: datetime
) -> None:
    draft = assignment.drafts.filter(part=part).first()
    writing.save_draft(
        assignment_id=assignment.pk,
        part=part,
        content=content,
        revision=draft.revision if draft else 0,
        by=by,
        at=at,
    )
    writing.settle(assignment_id=assignment.pk, part=part, by=by, at=at, why="Left the part")
