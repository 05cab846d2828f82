"""Who may make, change and send the notices and letters of a case, and when.

Each function returns an empty string when the action is allowed, else the sentence to show.
"""

from accounts.models import User
from cases.lifecycle import Status
from cases.models import Case, CaseLetter
from cases.policies import why_not


def why_not_make_notices(user: User, case: Case) -> str:
    reason = why_not(
        user,
        "correspondence.make_notices",
        case,
        Status.ELIGIBLE,
        act="make the notices of assignment",
    )
    if not reason and case.notices.filter(round=case.round).exists():
        return "The notices of assignment are made. Mark them as sent when they have gone out."
    return reason


def why_not_mark_notices_sent(user: User, case: Case) -> str:
    reason = why_not(
        user, "letters.mark_sent", case, Status.ELIGIBLE, act="mark the notices as sent"
    )
    if not reason and not case.notices.filter(round=case.round).exists():
        return "There are no notices to mark as sent yet. Make them first."
    return reason


def why_not_change_draft(user: User, draft: CaseLetter) -> str:
    """Whether this person may change, approve or discard a draft."""
    if not user.may("correspondence.write_letters"):
        return "A coordinator or a supervisor decides about drafts of letters."
    if not draft.is_draft:
        return f"This letter is no draft any more: it is {draft.get_state_display().lower()}."
    return ""


def why_not_mark_letter_sent(user: User, letter: CaseLetter) -> str:
    if not user.may("letters.mark_sent"):
        return "Your role does not let you mark letters as sent."
    if letter.state == CaseLetter.State.SENT:
        return "This letter is marked as sent already."
    if letter.state != CaseLetter.State.APPROVED:
        return "Only an approved letter can be marked as sent."
    return ""
