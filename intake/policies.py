"""Rules on who may enter, correct and cancel applications, and when.

Each function returns an empty string if the action is allowed, else the sentence to show.
"""

from datetime import datetime

from accounts.models import User
from accounts.names import name_actor
from cases.lifecycle import Status
from cases.models import Case
from cases.policies import BEFORE_ELIGIBILITY

from .models import IntakeDraft, Scan


def why_not_enter_application(user: User) -> str:
    return "" if user.may("intake.enter_application") else "Your role cannot enter applications."


def why_not_correct_intake(user: User, case: Case) -> str:
    """Return why this user may not correct an entry.

    Clerks may correct their own entries, supervisors all entries, until eligibility.
    """
    if reason := why_not_enter_application(user):
        return reason
    if case.stage not in BEFORE_ELIGIBILITY:
        return (
            f"Case {case.number} is in the “{case.stage.label}” stage. "
            "Entries can be corrected only until eligibility is decided. "
            "After that, a second person must approve each item change."
        )
    application = case.application
    is_own_entry = application is not None and application.entered_by_id == user.pk
    if not is_own_entry and not user.may("intake.supervise_intake"):
        return "Only the clerk who entered this application, or a supervisor, can correct it."
    return ""


def why_not_correct_received(user: User, case: Case) -> str:
    """Return why this user may not correct the received date.

    Supervisors may correct it until the determination is issued.
    """
    # The determination prints this date, so it must be right until it is issued.
    is_before_issue = case.is_open and case.stage != Status.ISSUED
    if user.may("intake.supervise_intake") and is_before_issue:
        return ""
    return why_not_correct_intake(user, case)


def why_not_cancel_draft(user: User, draft: IntakeDraft) -> str:
    if reason := why_not_enter_application(user):
        return reason
    if draft.owner_id != user.pk and not user.may("intake.supervise_intake"):
        return "Only the clerk who started this form, or a supervisor, can cancel it."
    # A case has deadlines and letters, which only a withdrawal ends properly.
    if draft.case is not None:
        return f"This form was saved as case {draft.case.number}. Withdraw the case instead."
    return "This form is already closed." if draft.ended_at else ""


def why_not_use_rescanned(scan: Scan) -> str:
    """Check that nothing came instead of a scan, so that it can be entered. At most two queries."""
    if scan.rescanned_as is None:
        return ""
    return f"{scan} was scanned again as {scan.rescanned_as}. Enter that one."


def why_not_mark_rescanned(user: User, scan: Scan) -> str:
    """Check whether a scan can be marked as scanned again. At most two queries."""
    if reason := why_not_enter_application(user):
        return reason
    if reason := why_not_use_rescanned(scan):
        return reason
    if not scan.has_to_be_rescanned:
        return f"{scan} need not be scanned again. Its state: {scan.get_state_display().lower()}."
    return ""


def why_not_skip_scan(user: User, scan: Scan, *, at: datetime) -> str:
    if reason := why_not_enter_application(user):
        return reason
    if scan.state != Scan.State.WAITING:
        return f"{scan} is not waiting. Its state: {scan.get_state_display().lower()}."
    if scan.is_held(at=at) and scan.claimed_by_id != user.pk:
        return f"{scan} is assigned to {name_actor(scan.claimed_by, reader=user)}."
    return ""
