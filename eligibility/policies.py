"""Who may decide whether a case is eligible, and what has to be on file first.

Each function returns an empty string when the action is allowed, else the sentence to show.
"""

from accounts.models import User
from cases.lifecycle import Status
from cases.models import Case, DisputedItem
from cases.policies import why_not


def why_not_decide_eligibility(user: User, case: Case) -> str:
    return why_not(
        user,
        "eligibility.decide_eligibility",
        case,
        Status.SCREENING,
        act="decide whether it is eligible",
    )


def why_not_read_ur_decision(user: User, case: Case) -> str:
    return why_not(
        user,
        "eligibility.decide_eligibility",
        case,
        Status.SCREENING,
        Status.INFO_REQUESTED,
        Status.DEFERRED,
        act="state what the UR decision says",
    )


def why_not_eligible_yet(open_differences: int) -> str:
    """The six facts cannot all be yes while the two papers disagree and no one has said why."""
    if not open_differences:
        return ""
    many = "One difference" if open_differences == 1 else f"{open_differences} differences"
    return f"{many} between the application and the UR decision must be answered first."


def why_not_ask_information(user: User, case: Case) -> str:
    return why_not(
        user,
        "eligibility.decide_eligibility",
        case,
        Status.SCREENING,
        Status.INFO_REQUESTED,
        act="ask a party for information",
    )


def why_not_record_answer(user: User, case: Case) -> str:
    return why_not(
        user,
        "eligibility.decide_eligibility",
        case,
        Status.INFO_REQUESTED,
        act="record an answer",
    )


def why_not_resolve_liability(user: User, case: Case) -> str:
    return why_not(
        user,
        "eligibility.decide_eligibility",
        case,
        Status.DEFERRED,
        act="record that the liability dispute is resolved",
    )


def why_not_record_citations(user: User, case: Case) -> str:
    if not user.may("eligibility.decide_eligibility"):
        return "A coordinator states what the UR decision cites."
    if case.stage in {Status.ISSUED, Status.WITHDRAWN, Status.TERMINATED, Status.CLOSED}:
        return f"Case {case.number} stands at “{case.stage.label}”; its items are settled."
    return ""


def why_not_reopen(user: User, case: Case) -> str:
    # A closure can be reversed where it rests on a finding of ineligibility alone.
    if (
        case.stage == Status.CLOSED
        and case.decided_on is None
        and user.may("eligibility.decide_eligibility")
        and case.items.filter(ending=DisputedItem.Ending.INELIGIBLE).exists()
    ):
        return ""
    return why_not(
        user,
        "eligibility.decide_eligibility",
        case,
        Status.INELIGIBLE,
        Status.DEFERRED,
        Status.INFO_REQUESTED,
        Status.DUPLICATE,
        act="screen it again",
    )
