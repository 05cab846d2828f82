"""Reviews and determinations, reached by writing, checking and issuing them."""

from datetime import datetime, timedelta

from accounts.models import User
from accounts.roles import Role
from cases.models import Case
from determinations.services import issuing, quality, writing
from records.models import ReadMark
from records.services import reading
from reviewers.models import ReviewerAssignment
from tests.factories import MONDAY, person
from tests.records.factories import in_review
from tests.stored_stages import CASE_APPS, stored_stage

# These factories go through every app.
WHOLE = stored_stage(*CASE_APPS, "reviewers", "records", "determinations")
REVIEWED = MONDAY + timedelta(days=2)
SUMMARY = (
    "The injured worker is a 58 year old woman with neck pain after a lifting injury.\n\n"
    "Two earlier injections gave relief for nine days."
)
RATIONALE = "The guideline asks for six weeks of relief. The record shows nine days."


def reviewer_of(assignment: ReviewerAssignment) -> User:
    """The reviewer's own sign-in."""
    return User.objects.get(reviewer__assignments=assignment)


def read_everything(assignment: ReviewerAssignment, *, at: datetime = REVIEWED) -> None:
    """The reviewer marks every document as reviewed."""
    for document in reading.list_unopened_documents(assignment):
        reading.mark_document(
            assignment_id=assignment.pk,
            document_id=document.pk,
            mark=ReadMark.Mark.REVIEWED,
            by=reviewer_of(assignment),
            at=at,
        )


def write_review(
    assignment: ReviewerAssignment,
    *,
    outcome: str = "UPHELD",
    summary: str = SUMMARY,
    rationale: str = RATIONALE,
    source: str = "A society's guideline on injections, 2024",
    at: datetime = REVIEWED,
) -> None:
    """Write a whole review, short of submitting it."""
    by = reviewer_of(assignment)
    writing.open_review(assignment_id=assignment.pk, by=by, at=at)
    read_everything(assignment, at=at)
    save_draft_part(assignment, "summary", {"summary": summary}, at=at)
    for opinion in assignment.opinions.all():
        save_draft_part(
            assignment,
            f"item-{opinion.item_id}",
            {
                "outcome": outcome,
                "rationale": rationale,
                "basis": "C",
                "why_not_higher": "The schedule does not address this treatment.",
            },
            at=at,
        )
        writing.add_citation(
            assignment_id=assignment.pk,
            item_id=opinion.item_id,
            recommendation_id=None,
            as_printed=source,
            by=by,
            at=at,
        )


def save_draft_part(
    assignment: ReviewerAssignment, part: str, content: dict[str, str], *, at: datetime
) -> None:
    """Type something into a part, as autosave sends it."""
    draft = assignment.drafts.filter(part=part).first()
    writing.save_review_draft(
        assignment_id=assignment.pk,
        part=part,
        content=content,
        revision=draft.revision if draft else 0,
        by=reviewer_of(assignment),
        at=at,
    )


@WHOLE
def make_submitted_case(assignment: ReviewerAssignment | None = None, **words: str) -> Case:
    """A case whose review waits for quality assurance."""
    assignment = assignment or in_review()
    write_review(assignment, **words)
    writing.submit_review(assignment_id=assignment.pk, by=reviewer_of(assignment), at=REVIEWED)
    return Case.objects.get(pk=assignment.case_id)


@WHOLE
def make_approved_case(case: Case | None = None, *, by: User | None = None) -> Case:
    """A case that waits for the medical director."""
    case = case or make_submitted_case()
    quality.approve_review(
        case_id=case.pk,
        comment="",
        seen_version=None,
        by=by or person(Role.QA),
        at=REVIEWED + timedelta(hours=1),
    )
    return Case.objects.get(pk=case.pk)


@WHOLE
def make_issued_case(case: Case | None = None, *, by: User | None = None) -> Case:
    """A case whose determination is issued; its letter is still queued."""
    case = case or make_approved_case()
    director = by or person(Role.DIRECTOR)
    at = REVIEWED + timedelta(hours=2)
    issuing.preview_determination(case_id=case.pk, by=director, at=at)
    issuing.issue_determination(case_id=case.pk, seen_version=None, by=director, at=at)
    return Case.objects.get(pk=case.pk)
