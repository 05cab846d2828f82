"""Rules about who may open the records of a case.

Each function returns an empty string if access is allowed, otherwise the reason. A page that is
refused answers 404, exactly as if the record did not exist.
"""

from accounts.models import User
from cases.models import Case
from cases.models.restrictions import is_hidden
from reviewers import policies as reviewer_policies
from reviewers.models import ReviewerAssignment

from .models import Document

RECORDS_NOT_OPEN = "You do not have access to these records."


def why_not_list(user: User, case: Case) -> str:
    """Return why a user may not see the list of documents of a case. Queries for reviewers."""
    if _is_open_to_staff(user, "records.view_document", case):
        return ""
    # Last, because only reviewers depend on the assignment.
    if reading_assignment(user, case) is not None:
        return ""
    return RECORDS_NOT_OPEN


def why_not_open_any(user: User, case: Case) -> str:
    """Return why a user may not open every document of a case. Queries for reviewers."""
    if _is_open_to_staff(user, "records.open_any_document", case):
        return ""
    if reading_assignment(user, case) is not None:
        return ""
    return RECORDS_NOT_OPEN


def why_not_open(user: User, document: Document) -> str:
    """Return why a user may not open a document. Queries for reviewers.

    Intake may open the documents of the application, which it enters, but no medical records.
    """
    # The reviewer reads the record and nothing else. Staff also open what is not in it.
    is_record = document.state == Document.State.IN_RECORD
    if is_record and not why_not_open_any(user, document.case):
        return ""
    if _is_open_to_staff(user, "records.open_any_document", document.case):
        return ""
    if not _is_open_to_staff(user, "records.view_document", document.case):
        return RECORDS_NOT_OPEN
    # By sender, not by kind: intake also enters the supporting documents of the application.
    if document.sent_by != Document.SentBy.APPLICATION:
        return "Your role can open only the documents of the application."
    return ""


def _is_open_to_staff(user: User, permission: str, case: Case) -> bool:
    """Whether a role opens the records of a case, and a clearance if the case is restricted."""
    return user.may(permission) and not is_hidden(case.pk, user)


def why_not_read_for(user: User, assignment: ReviewerAssignment) -> str:
    """Return why a user may not read as the reviewer of this assignment. Queries."""
    if not is_reviewer_of(user, assignment):
        return "This case is not assigned to you."
    # The same user may have had an earlier assignment of this case, which no longer opens it.
    if reading_assignment(user, assignment.case) != assignment:
        return reviewer_policies.why_not_open_file(user, assignment.case) or RECORDS_NOT_OPEN
    return ""


def why_not_sent_to(assignment: ReviewerAssignment) -> str:
    """Return why the case file may not be sent to the reviewer of an assignment. Queries.

    The reviewer must have accepted the case and attested on the current parties. A party that is
    added later closes the file until the reviewer attests again.
    """
    if assignment.state != ReviewerAssignment.State.ACCEPTED:
        return "The reviewer has not accepted the case."
    # Conflicts come before records: what was read cannot be taken back (Labor Code 139.5).
    if reviewer_policies.find_live_attestation(assignment) is None:
        return "The reviewer has not attested to having no conflict with the current parties."
    return ""


def is_reviewer_of(user: User, assignment: ReviewerAssignment) -> bool:
    """Return whether this user is the reviewer of the assignment."""
    return assignment.reviewer is not None and assignment.reviewer.user_id == user.pk


def reading_assignment(user: User, case: Case) -> ReviewerAssignment | None:
    """Return the assignment under which this user may read the case as its reviewer. Queries."""
    if not user.may("determinations.write_review"):
        return None
    if reviewer_policies.why_not_open_file(user, case):
        return None
    return reviewer_policies.find_live_assignment(user, case)
