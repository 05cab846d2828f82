"""Rules on who may make, change and send the notices and letters of a case, and when.

Each function returns an empty string if the action is allowed, else the sentence to show.
"""

from accounts.models import User
from cases.lifecycle import Status
from cases.models import Case, CaseLetter
from cases.policies import why_not_at_stage


def why_not_make_notices(user: User, case: Case) -> str:
    reason = why_not_at_stage(
        user,
        "correspondence.create_notices",
        case,
        Status.ELIGIBLE,
        action="make the notices of assignment",
    )
    # Notices of an earlier round do not count: a new round needs its own.
    if not reason and case.notices.filter(round=case.round).exists():
        return "The notices of assignment already exist. Mark them as sent after mailing."
    return reason


def why_not_mark_notices_sent(user: User, case: Case) -> str:
    reason = why_not_at_stage(
        user, "letters.mark_sent", case, Status.ELIGIBLE, action="mark the notices as sent"
    )
    if not reason and not case.notices.filter(round=case.round).exists():
        return "There are no notices yet. Make them first."
    return reason


def why_not_change_draft(user: User, draft: CaseLetter) -> str:
    """Return why this user may not change, approve or discard a draft."""
    if not user.may("correspondence.review_drafts"):
        return "Only a coordinator or a supervisor can change or approve letters."
    if not draft.is_draft:
        return f"This letter is no longer a draft: it is {draft.get_state_display().lower()}."
    return ""


def why_not_mark_letter_sent(user: User, letter: CaseLetter) -> str:
    if not user.may("letters.mark_sent"):
        return "Your role does not let you mark letters as sent."
    if letter.state == CaseLetter.State.SENT:
        return "This letter is already marked as sent."
    if letter.state != CaseLetter.State.APPROVED:
        return "Only an approved letter can be marked as sent."
    return ""


def why_not_approve_letters(user: User, case: Case) -> str:
    """Return why this user may not approve the drafts of a case. At most one query."""
    if not user.may("correspondence.review_drafts"):
        return "Only a coordinator or a supervisor can change or approve letters."
    if not list_letters_in(case, CaseLetter.State.DRAFT):
        return f"Case {case.number} has no letter to approve."
    return ""


def why_not_mark_letters_sent(user: User, case: Case) -> str:
    """Return why this user may not mark the letters of a case as sent. At most one query."""
    if not user.may("letters.mark_sent"):
        return "Your role does not let you mark letters as sent."
    if not list_letters_in(case, CaseLetter.State.APPROVED):
        return f"Case {case.number} has no approved letter to send."
    return ""


def list_letters_in(case: Case, *states: str) -> list[CaseLetter]:
    """List the letters of a case in some states. One query, or none if they were prefetched."""
    return [letter for letter in case.case_letters.all() if letter.state in states]
