"""Who may open the records of a case.

One function for a case and one for a document, empty when allowed. A page that is refused answers
as if there were nothing: with 404 and the same words.
"""

from accounts.models import User
from cases.models import Case
from reviewers import policies as reviewer_policies
from reviewers.models import ReviewerAssignment

from .models import Document

NOT_YOURS = "These records are not open to you."


def why_not_list(user: User, case: Case) -> str:
    """Whether someone may see which documents a case has. Queries for reviewers."""
    if user.may("records.view_document") or reading_assignment(user, case) is not None:
        return ""
    return NOT_YOURS


def why_not_open_any(user: User, case: Case) -> str:
    """Whether someone may open every document of a case. Queries for reviewers."""
    if user.may("records.open_any_document") or reading_assignment(user, case) is not None:
        return ""
    return NOT_YOURS


def why_not_open(user: User, document: Document) -> str:
    """Whether someone may open a document. Queries for reviewers.

    Intake opens the papers that it entered the application from, and no medical record.
    """
    if not why_not_open_any(user, document.case):
        return ""
    if not user.may("records.view_document"):
        return NOT_YOURS
    if document.sent_by != Document.SentBy.APPLICATION:
        return "Your role opens the papers of the application only."
    return ""


def why_not_read_for(user: User, assignment: ReviewerAssignment) -> str:
    """Whether someone may read as the reviewer of this very assignment. Queries."""
    if not is_reviewer_of(user, assignment):
        return "This case is not assigned to you."
    if reading_assignment(user, assignment.case) != assignment:
        return reviewer_policies.why_not_open_file(user, assignment.case) or NOT_YOURS
    return ""


def why_not_sent_to(assignment: ReviewerAssignment) -> str:
    """Whether the file may be with the assignment's reviewer: accepted, and attested on the party
    list as it stands. A party added later closes it until the reviewer attests again. Queries."""
    if assignment.state != ReviewerAssignment.State.ACCEPTED:
        return "The reviewer has not accepted the case."
    if reviewer_policies.live_attestation(assignment) is None:
        return "The reviewer has not attested, on the present parties, that there is no conflict."
    return ""


def is_reviewer_of(user: User, assignment: ReviewerAssignment) -> bool:
    """Whether the assignment names this person as its reviewer."""
    return assignment.reviewer is not None and assignment.reviewer.user_id == user.pk


def reading_assignment(user: User, case: Case) -> ReviewerAssignment | None:
    """The assignment under which this person may read the case as its reviewer. Queries."""
    if not user.may("determinations.review"):
        return None
    if reviewer_policies.why_not_open_file(user, case):
        return None
    return reviewer_policies.live_assignment(user, case)
