"""One case from its notices to the letter of its determination."""

from datetime import date, timedelta
from decimal import Decimal

import letters.services as letter_services
from accounts.roles import Role
from cases.models import Case, DisputedItem
from cases.services import received_documents
from correspondence.services import notices
from determinations.models import OpinionCitation
from determinations.services import issuing, quality, sending, writing
from eligibility.services import citations, screening
from files.services import store_bytes
from guidelines.models import Recommendation
from intake.services import receiving
from intake.services.receiving import ItemOnForm
from letters.models import Letter
from records.models import ReadMark
from records.services import dispatch, documents, reading, reminders
from reviewers.models import AttestationWording, ReviewerAssignment
from reviewers.services import (
    assignment,
    conflicts,
    credentialing,
    matching,
    moving,
    planning,
    seats,
)
from tests.determinations.factories import RATIONALE, SUMMARY
from tests.factories import MONDAY, SIX_YES, application, paper, person
from tests.records.factories import make_record_fields, make_upload
from tests.reviewers import factories as panel
from tests.walk.walking import newest


def to_records(walk, clerk, coordinator, clerk_of_mail):
    scan = store_bytes(content=b"%PDF-1.4 a scan", media_type="application/pdf", at=MONDAY, pages=1)
    form = application(
        received_at=MONDAY,
        papers=[paper(scan, "UR_DECISION")],
        items=[ItemOnForm("Cervical epidural injection", quantity=Decimal(1)), ItemOnForm("Brace")],
    )
    case = walk.act(receiving.receive_application, by=clerk, application=form)
    walk.act(
        screening.decide_eligibility,
        by=coordinator,
        case_id=case.pk,
        answers=SIX_YES,
        notes={"TIMELY": "Page 1."},
        seen_version=None,
    )
    for nothing in (True, False):
        cited = citations.AdministratorCitations(
            [] if nothing else [_citation()],
            nothing,
        )
        for item in case.items.all():
            walk.act(
                citations.record_administrator_citations,
                by=coordinator,
                item_id=item.pk,
                cited=cited,
            )
    walk.act(notices.make_notices, by=coordinator, case_id=case.pk)
    file_letters(walk)
    for again in (True, False):
        walk.act(
            notices.mark_notices_sent,
            by=clerk_of_mail,
            case_id=case.pk,
            sent_on=date(2026, 3, 2),
        )
        if again:
            walk.undo(notices.take_back_notices_sent, by=clerk_of_mail, case=case)
    walk.act(
        reminders.log_records_reminder,
        by=coordinator,
        case_id=case.pk,
        party_id=case.parties.get(role="CLAIMS_ADMINISTRATOR").pk,
        way="CALL",
        spoke_to="J. Merriweather",
        outcome="In the post.",
    )
    walk.act(documents.file_application_documents, by=coordinator, case_id=case.pk)
    for _ in range(2):
        file = walk.act(
            documents.receive_record_file, by=coordinator, case_id=case.pk, upload=make_upload()
        )
        walk.act(
            documents.add_document,
            by=coordinator,
            case_id=case.pk,
            file=file,
            **make_record_fields(),
        )
    file = walk.act(
        received_documents.receive_document_file,
        by=coordinator,
        case_id=case.pk,
        upload=make_upload(),
    )
    received = walk.act(
        received_documents.add_received_document,
        by=coordinator,
        case_id=case.pk,
        file=file,
        kind="MEDICAL_RECORD",
        sender="EMPLOYEE",
        channel="MAIL",
        received_on=date(2026, 3, 2),
    )
    described = {
        name: value
        for name, value in make_record_fields(title="By mail").items()
        if name != "received_on"
    }
    moved = walk.act(
        documents.move_received_document, by=coordinator, received_id=received.pk, **described
    )
    walk.act(
        documents.remove_document, by=coordinator, document_id=moved.pk, reason="Of another worker."
    )
    for completing in (True, False, True):
        if completing:
            walk.act(
                documents.mark_records_complete,
                by=coordinator,
                case_id=case.pk,
                received_on=date(2026, 3, 2),
                basis="COMPLETE",
                seen_version=None,
            )
        else:
            walk.act(
                documents.reopen_records,
                by=coordinator,
                case_id=case.pk,
                reason="A page is missing.",
                seen_version=None,
            )
    return Case.objects.get(pk=case.pk)


def _citation():
    from guidelines.citations import Citation

    return Citation(source="MTUS", mtus=True, chapter="Chronic Pain", sections=("Opioids",))


def file_letters(walk):
    """Workers file what is queued; no one acts."""
    walk.at += timedelta(minutes=1)
    for letter in Letter.objects.filter(state=Letter.State.QUEUED):
        letter_services.render_letter(letter_id=letter.pk, at=walk.at, now=lambda: walk.at)


def to_review(walk, case, coordinator, reviewer, user):
    def offer():
        listed = walk.act(matching.rank_panel, by=coordinator, case_id=case.pk)
        walk.act(
            conflicts.check_conflicts, by=coordinator, case_id=case.pk, reviewer_id=reviewer.pk
        )
        return walk.act(
            assignment.assign_reviewer,
            by=coordinator,
            case_id=case.pk,
            reviewer_id=reviewer.pk,
            candidate_list_id=listed.pk,
            seen_version=None,
            override_code="OTHER",
            override_reason="Asked for",
        )

    walk.act(
        seats.approve_reviewer_seats,
        by=coordinator,
        case_id=case.pk,
        seat_count=2,
        approved_by="R. Alvarado",
        approved_on=walk.at.date(),
        reference="DWC 26-0114",
        reason="Two bodies of knowledge are needed",
    )
    walk.act(
        seats.end_seat_approval, by=coordinator, case_id=case.pk, reason="The second is not found"
    )
    waiting = Case.objects.get(pk=case.pk)
    (outcome,) = walk.act(
        planning.execute_plan, by=coordinator, choices=[(case.pk, waiting.version, reviewer.pk)]
    )
    assert outcome.is_done, outcome.sentence
    held = ReviewerAssignment.objects.get(case=case)
    walk.act(assignment.decline_assignment, by=user, assignment_id=held.pk, reason="No time.")
    offer()
    walk.undo(assignment.undo_assign_reviewer, by=coordinator, case=case)
    held = offer()
    walk.act(assignment.remove_reviewer, by=coordinator, assignment_id=held.pk, reason="Too slow.")
    held = offer()
    other = panel.fit_reviewer()
    walk.last = {model: newest(model) for model in walk.last}
    (outcome,) = walk.act(
        moving.execute_move_plan,
        by=coordinator,
        reviewer_id=reviewer.pk,
        choices=[(held.pk, Case.objects.get(pk=case.pk).version, other.pk)],
        reason="On leave",
    )
    assert outcome.is_done, outcome.sentence
    moved = case.assignments.get(state=ReviewerAssignment.State.OFFERED)
    walk.act(
        assignment.remove_reviewer,
        by=coordinator,
        assignment_id=moved.pk,
        reason="Back from leave",
    )
    held = offer()
    wording = AttestationWording.objects.latest("number")
    walk.act(
        assignment.sign_attestation,
        by=user,
        assignment_id=held.pk,
        answers={question["code"]: "no" for question in wording.questions},
        wording_id=wording.pk,
    )
    _settle_a_doubt(walk, case, coordinator)
    return ReviewerAssignment.objects.select_related("reviewer", "case").get(pk=held.pk)


def _settle_a_doubt(walk, case, coordinator):
    """Someone on the panel who is called like the employee: a question for a person."""
    namesake = panel.fit_reviewer(sign_in=False)
    walk.last = {model: newest(model) for model in walk.last}  # put there by a factory
    employee = case.parties.get(role="EMPLOYEE")
    walk.act(
        credentialing.add_affiliation,
        by=_keeper(),
        reviewer_id=namesake.pk,
        relation="FAMILY",
        person_name=employee.name,
        **panel.with_evidence(valid_from=date(1990, 1, 1), **panel.VERIFIED),
    )
    found = walk.act(
        conflicts.check_conflicts, by=coordinator, case_id=case.pk, reviewer_id=namesake.pk
    )
    doubt = next(one for one in found if one.result == "UNKNOWN")
    walk.act(
        conflicts.resolve_conflict,
        by=coordinator,
        result_id=doubt.pk,
        result="PASS",
        note="Born in another year.",
    )


def _keeper():
    return person(Role.CREDENTIALING)


def review(walk, held, user):
    walk.act(writing.open_review, by=user, assignment_id=held.pk)
    walk.act(dispatch.dispatch_case_file, by=person(Role.COORDINATOR), assignment_id=held.pk)
    walk.act(reading.open_records_list, by=user, case=held.case)
    first = held.case.documents.first()
    walk.act(reading.open_document, by=user, document_id=first.pk)
    walk.act(
        reading.open_page_image,
        by=user,
        document_id=held.case.documents.in_record().last().pk,
        page=1,
    )
    walk.act(
        reading.open_page_text,
        by=user,
        document_id=held.case.documents.in_record().last().pk,
        page=1,
    )
    for document in held.case.documents.in_record():
        walk.act(
            reading.mark_document,
            by=user,
            assignment_id=held.pk,
            document_id=document.pk,
            mark=ReadMark.Mark.REVIEWED,
        )

    def save(part, content, revision=0):
        walk.act(
            writing.save_review_draft,
            by=user,
            assignment_id=held.pk,
            part=part,
            content=content,
            revision=revision,
        )

    save("summary", {"summary": "Draft."})
    save("summary", {"summary": SUMMARY, "party_term": "patient"}, 1)
    walk.act(
        writing.save_version, by=user, assignment_id=held.pk, part="summary", why="Left the part"
    )
    for opinion, outcome in zip(held.opinions.all(), ("UPHELD", "OVERTURNED"), strict=True):
        save(
            f"item-{opinion.item_id}",
            {
                "outcome": outcome,
                "rationale": RATIONALE,
                "basis": "C",
                "why_not_higher": "The schedule is silent.",
            },
        )
        for source in ({"recommendation_id": Recommendation.objects.first().pk}, {}):
            walk.act(
                writing.add_citation,
                by=user,
                assignment_id=held.pk,
                item_id=opinion.item_id,
                **{"recommendation_id": None, "as_printed": "A study, 2024"} | source,
            )
    walk.act(
        writing.remove_citation,
        by=user,
        assignment_id=held.pk,
        citation_id=OpinionCitation.objects.first().pk,
    )
    walk.act(writing.submit_review, by=user, assignment_id=held.pk)


def check_and_issue(walk, held, user, qa, director, clerk_of_mail):
    case = {"case_id": held.case_id}
    seen = {"seen_version": None}
    walk.act(quality.return_review, by=qa, **case, **seen, comment="How long?", item_id=None)
    walk.act(
        writing.save_review_draft,
        by=user,
        assignment_id=held.pk,
        part="summary",
        content={"summary": f"{SUMMARY} Nine days."},
        revision=2,
    )
    walk.act(writing.submit_review, by=user, assignment_id=held.pk)
    walk.act(quality.approve_review, by=qa, **case, **seen, comment="Clear.")
    walk.act(quality.void_approval, by=director, **case, reason="The year.")
    walk.act(quality.approve_review, by=qa, **case, **seen, comment="")
    walk.undo(quality.undo_approve_review, by=qa, case=held.case)
    walk.act(quality.approve_review, by=qa, **case, **seen, comment="")
    walk.act(issuing.preview_determination, by=director, **case)
    walk.act(issuing.issue_determination, by=director, **case, **seen)
    file_letters(walk)
    sent_on = date(2026, 3, 2)
    walk.act(sending.mark_determination_sent, by=clerk_of_mail, **case, sent_on=sent_on)
    walk.undo(sending.take_back_determination_sent, by=clerk_of_mail, case=held.case)
    walk.act(sending.mark_determination_sent, by=clerk_of_mail, **case, sent_on=sent_on)
    assert Case.objects.get(pk=held.case_id).status == "CLOSED"
    assert DisputedItem.objects.filter(case=held.case_id, ending="DECIDED").count() == 2
