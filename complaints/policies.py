"""Who may record, change and answer complaints, and keep their corrective actions.

Each function returns an empty string when the action is allowed, else the sentence to show.
"""

from accounts.models import User
from cases.models.restrictions import is_hidden

from .models import Complaint, CorrectiveAction


def why_not_record_complaint(user: User) -> str:
    """Check whether a person may record a complaint."""
    if user.may("complaints.record_complaint"):
        return ""
    return "Your role may not record complaints."


def why_not_read_complaint(user: User, complaint: Complaint) -> str:
    """Check whether a person may read a complaint. One query if it is about a case."""
    reads_all = user.may("complaints.view_all_complaints")
    if not reads_all and complaint.recorded_by_id != user.pk:
        return "You may read only the complaints that you recorded."
    if is_hidden(complaint.case_id, user):
        return "You have no clearance for the case of this complaint."
    return ""


def why_not_change_complaint(user: User, complaint: Complaint) -> str:
    """Check whether a person may correct what was recorded."""
    if reason := why_not_read_complaint(user, complaint):
        return reason
    if user.may("complaints.answer_complaint"):
        return ""
    if reason := why_not_record_complaint(user):
        return reason
    # The answer replies to what was recorded.
    if complaint.answered_on is not None:
        return "This complaint was answered. Ask the medical director or a supervisor to change it."
    return ""


def why_not_answer_complaint(user: User, complaint: Complaint) -> str:
    """Check whether a person may answer a complaint, or correct its answer."""
    if not user.may("complaints.answer_complaint"):
        return "Only the medical director or a supervisor answers complaints."
    return why_not_read_complaint(user, complaint)


def why_not_keep_actions(user: User, complaint: Complaint) -> str:
    """Check whether a person may add corrective actions and mark them as done."""
    if not user.may("complaints.answer_complaint"):
        return "Only the medical director or a supervisor keeps corrective actions."
    return why_not_read_complaint(user, complaint)


def why_not_complete_action(user: User, action: CorrectiveAction) -> str:
    """Check whether a person may mark a corrective action as done."""
    if action.done_on is not None:
        return "This corrective action is done already. Load the page again."
    return why_not_keep_actions(user, action.complaint)
