"""Applications of the demonstration: their papers, and what the clerk keys from them."""

from datetime import date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from django.core.files.uploadedfile import SimpleUploadedFile

import files.services
from cases.models import ApplicationPaper, PartyRole, Priority, Signer, TreatmentCategory
from cases.services.parties import PartyOnForm
from deadlines.days import local_day
from form_fields.dates import Injury
from intake.services.receiving import ApplicationOnForm, AttachedFile, ItemOnForm, URDecisionOnForm
from records.models import Document

from . import papers
from .stories import DatedStory, Office, Record, Story, name_citation

_CONSENTED_ON = date(2025, 1, 6)  # offices that take email, to electronic service
_POSTAL_DAYS = timedelta(days=3)  # from the signature to the receipt


def find_injury(dated: DatedStory) -> Injury:
    """Return the date of injury that the application states; a period for a cumulative trauma."""
    injured, exposure = dated.find_date("injury"), dated.story.exposure
    if exposure is None:
        return Injury(injured)
    return Injury(dated.requested_on - timedelta(days=exposure), injured)


def describe_request(story: Story) -> Record:
    """Return the request for authorization (DWC Form RFA) as a record of the case."""
    lines = [f"{place}. {item.title}" for place, item in enumerate(story.items, start=1)]
    return Record(
        Document.Kind.RFA,
        "Request for authorization",
        story.records[0].author,
        "requested",
        (
            "DWC Form RFA\n\nDate of request: {requested}\nDate of injury: {injury}\n"
            f"Employee: {story.worker.name}\nClaim: {story.claim}\n"
            f"Diagnosis (ICD-10): {story.diagnosis}\n\n"
            "REQUESTED TREATMENT\n" + "\n".join(lines) + "\n\n"
            "The request is supported by the report of {visit}, which is attached.\n\n"
            f"Requesting physician: {story.physician.name}, {story.physician.specialty}",
        ),
        Document.SentBy.REQUESTING_PHYSICIAN,
    )


def write_application(dated: DatedStory, *, signer: Signer) -> bytes:
    """Return the application (DWC Form IMR) as a PDF file."""
    story = dated.story
    worker, physician = story.worker, story.physician
    signed = f"{_find_signature_day(dated, dated.received_on):%m/%d/%Y}"
    signature = {
        Signer.EMPLOYEE: f"[signed] {worker.name}   {signed}",
        Signer.ATTORNEY: f"[signed by the attorney]   {signed}",
    }[signer]
    rows = {
        "Type of utilization review": "[ ] Regular   [X] Expedited"
        if story.expedited
        else "[X] Regular   [ ] Expedited",
        "Employee name, address and telephone": "\n".join(
            (worker.name, worker.address, worker.phone)
        ),
        "Date of birth": f"{worker.born:%m/%d/%Y}",
        "Date of injury": str(find_injury(dated)),
        "Claim number": story.claim,
        "Employer": f"{story.employer.name}\n{story.employer.address}",
        "Claims administrator": f"{story.administrator.name}, {story.administrator.contact}\n"
        f"{story.administrator.address}",
        "Requesting physician": f"{physician.name}, {physician.specialty}\n{physician.address}",
        "Employee's attorney": story.attorney.name if story.attorney else "None",
        "Date of the UR decision": f"{dated.decided_on:%m/%d/%Y}",
        "Primary diagnosis (ICD-10)": story.diagnosis,
    }
    for place, item in enumerate(story.items, start=1):
        rows[f"Disputed treatment {place}"] = item.title
    rows["Signature and date"] = signature if story.signed else " "
    return papers.write_form("APPLICATION FOR INDEPENDENT MEDICAL REVIEW (DWC FORM IMR)", rows)


def _find_signature_day(dated: DatedStory, received_on: date) -> date:
    """Return the day on which the application was signed, not before the UR decision."""
    return max(received_on - _POSTAL_DAYS, dated.decided_on)


def write_ur_decision(dated: DatedStory) -> bytes:
    """Return the UR decision as a PDF file."""
    story = dated.story
    served = f"Served: {dated.decided_on:%m/%d/%Y} by mail\n" if story.service_stated else ""
    liability = f"Liability: {story.liability}\n" if story.liability else ""
    pages = [
        f"Date of decision: {dated.decided_on:%m/%d/%Y}\n{served}"
        f"Reference: {_number_decision(dated)}\n"
        f"Employee: {story.worker.name}\nEmployer: {story.employer.name}\n"
        f"Claim number: {story.claim}\nDate of injury: {find_injury(dated)}\n{liability}"
        f"Request for authorization dated: {dated.requested_on:%m/%d/%Y}\n"
        f"Requesting physician: {story.physician.name}, {story.physician.specialty}"
    ]
    for item in story.items:
        cited = [name_citation(one) for one in dated.cite_authorities(item.ur_cites)]
        pages[0] += (
            f"\n\nTREATMENT REQUESTED\n{item.title}\n"
            "DECISION\nNot certified. The treatment is denied as not medically necessary.\n"
            f"REASONS\n{dated.fill_text(item.ur_reason)}\n"
            "GUIDELINES RELIED ON\n" + ("\n".join(cited) or "None cited.")
        )
    administrator = story.administrator
    return papers.write_report(
        pages,
        title="UTILIZATION REVIEW DECISION",
        head=(administrator.name, *administrator.address.split("\n")),
        running=f"Employee: {story.worker.name}    Claim: {story.claim}",
    )


def fill_application(
    dated: DatedStory, *, key: str, signer: Signer, received_at: datetime
) -> ApplicationOnForm:
    """Build what the clerk keys from the papers of a story. The papers are received as files."""
    story = dated.story
    signed_on = _find_signature_day(dated, local_day(received_at)) if story.signed else None
    served_on = dated.decided_on if story.service_stated else None
    injury = find_injury(dated)
    return ApplicationOnForm(
        # The same key in every run, so that entering a story again finds its case.
        key=uuid5(NAMESPACE_URL, f"demo-{key}"),
        channel="FAX" if story.expedited else "MAIL",
        received_at=received_at,
        claim_number=story.claim,
        priority=Priority.EXPEDITED if story.expedited else Priority.REGULAR,
        date_of_injury=injury.day,
        injury_last_day=injury.last_day,
        date_of_injury_printed=str(injury),
        diagnosis=story.diagnosis,
        sex=story.worker.sex,
        items_on_form=len(story.items),
        signed_by=signer if story.signed else "",
        signed_on=signed_on,
        consent_on=signed_on,
        ur_decision_attached=True,
        copy_certified=True,
        ur_decision=URDecisionOnForm(
            decided_on=dated.decided_on,
            decided_printed=f"{dated.decided_on:%m/%d/%Y}",
            reference=_number_decision(dated),
            served_on=served_on,
            service_method="mail_ca" if served_on else "",
            requested_on=dated.requested_on,
            liability_disputed=bool(story.liability),
            liability_reason=story.liability,
        ),
        parties=_list_parties(story),
        items=[
            ItemOnForm(
                title=item.title,
                category_id=_find_category(item.category),
                body_part=item.body_part,
            )
            for item in story.items
        ],
        papers=[
            _receive_paper(
                ApplicationPaper.Kind.APPLICATION,
                "application.pdf",
                write_application(dated, signer=signer),
                received_at,
            ),
            _receive_paper(
                ApplicationPaper.Kind.UR_DECISION,
                "ur-decision.pdf",
                write_ur_decision(dated),
                received_at,
            ),
        ],
    )


def _number_decision(dated: DatedStory) -> str:
    """Return the reference of the UR decision; two decisions on one claim differ in it."""
    # Looks random, but is the same in every run.
    serial = uuid5(NAMESPACE_URL, f"demo-ur-{dated.story.key}").int % 10_000
    return f"UR-{dated.decided_on:%y%m}-{serial:04d}"


def _receive_paper(
    kind: ApplicationPaper.Kind, name: str, content: bytes, at: datetime
) -> AttachedFile:
    # Received like an upload of a clerk, with the same checks.
    upload = SimpleUploadedFile(name, content, content_type="application/pdf")
    return AttachedFile(kind, files.services.receive_upload(upload=upload, at=at), name)


def _list_parties(story: Story) -> list[PartyOnForm]:
    worker = story.worker
    first, _, last = worker.name.rpartition(" ")
    parties = [
        PartyOnForm(
            role=PartyRole.EMPLOYEE,
            name=worker.name,
            first=first,
            last=last,
            date_of_birth=worker.born,
            date_of_birth_printed=f"{worker.born:%m/%d/%Y}",
            address=worker.address,
            phone=worker.phone,
        ),
        _describe_office(PartyRole.EMPLOYER, story.employer),
        _describe_office(PartyRole.CLAIMS_ADMINISTRATOR, story.administrator),
        _describe_office(PartyRole.REQUESTING_PHYSICIAN, story.physician),
    ]
    if story.physician.contact:
        group = Office(story.physician.contact, story.physician.address)
        parties.append(_describe_office(PartyRole.PHYSICIAN_GROUP, group))
    if story.attorney is not None:
        parties.append(_describe_office(PartyRole.EMPLOYEE_ATTORNEY, story.attorney))
    return parties


def _describe_office(role: PartyRole, office: Office) -> PartyOnForm:
    first, _, last = office.name.rpartition(" ")
    return PartyOnForm(
        role=role,
        name=office.name,
        first=first,
        last=last,
        contact=office.contact if role == PartyRole.CLAIMS_ADMINISTRATOR else "",
        specialty=office.specialty,
        address=office.address,
        phone=office.phone,
        fax=office.reached_by if office.channel == "FAX" else "",
        email=office.reached_by if office.channel == "ELECTRONIC" else "",
        eservice_on=_CONSENTED_ON if office.channel == "ELECTRONIC" else None,
        eservice_basis="Standing consent on file" if office.channel == "ELECTRONIC" else "",
        preferred_channel=office.channel,
    )


def _find_category(names: tuple[str, str]) -> int | None:
    parent, child = names
    rows = TreatmentCategory.objects.filter(name=child or parent)
    rows = rows.filter(parent__name=parent) if child else rows.filter(parent=None)
    return rows.values_list("pk", flat=True).first()
