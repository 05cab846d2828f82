"""Who may enter, correct and cancel applications, and when.

Each function returns an empty string when the action is allowed, else the sentence to show.
"""

from datetime import datetime

from accounts.models import User
from accounts.names import who
from cases.lifecycle import Status
from cases.models import Case

from .models import IntakeDraft, Scan


def why_not_enter(user: User) -> str:
    return "" if user.may("intake.enter_application") else "Your role does not enter applications."


_NOT_ACCEPTED_YET = {
    Status.RECEIVED,
    Status.DUPLICATE,
    Status.SCREENING,
    Status.INFO_REQUESTED,
    Status.DEFERRED,
}


def why_not_correct_intake(user: User, case: Case) -> str:
    """A clerk corrects what they keyed, a supervisor what anybody keyed, until it is accepted."""
    if reason := why_not_enter(user):
        return reason
    if case.stage not in _NOT_ACCEPTED_YET:
        return (
            f"Case {case.number} stands at “{case.stage.label}”. What was keyed is corrected until "
            "eligibility is decided; after that an item needs a second person."
        )
    mine = case.application.entered_by_id == user.pk
    if not mine and not user.may("intake.supervise_intake"):
        return "Only the clerk who entered it, or a supervisor, corrects it."
    return ""


def why_not_correct_received(user: User, case: Case) -> str:
    """As for what was keyed; a supervisor also later, as long as the case is not decided."""
    late = case.is_open and case.stage != Status.ISSUED
    if user.may("intake.supervise_intake") and late:
        return ""
    return why_not_correct_intake(user, case)


def why_not_cancel_draft(user: User, draft: IntakeDraft) -> str:
    if reason := why_not_enter(user):
        return reason
    if draft.owner_id != user.pk and not user.may("intake.supervise_intake"):
        return "Only the clerk who types it, or a supervisor, cancels a form."
    if draft.case is not None:
        return f"This form is accepted, as case {draft.case.number}. A case is withdrawn instead."
    return "This form has ended already." if draft.ended_at else ""


def why_not_skip(user: User, scan: Scan, *, at: datetime) -> str:
    if reason := why_not_enter(user):
        return reason
    if scan.state != Scan.State.WAITING:
        return f"{scan} no longer waits: {scan.get_state_display().lower()}."
    if scan.is_held(at=at) and scan.claimed_by_id != user.pk:
        return f"{scan} is with {who(scan.claimed_by, reader=user)} now."
    return ""
