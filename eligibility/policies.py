"""Rules on who may decide eligibility, and what must be on file first.

Each function returns an empty string if the action is allowed, else the sentence to show.
"""

from accounts.models import User
from cases.lifecycle import Status
from cases.models import Case, DisputedItem
from cases.policies import why_not_at_stage


def why_not_decide_eligibility(user: User, case: Case) -> str:
    """Check whether this person may decide the eligibility of the case now. Queries nothing."""
    if case.stage == Status.DUPLICATE and user.may("eligibility.decide_eligibility"):
        return (
            f"Case {case.number} is a possible duplicate. "
            "First compare the two applications on the “Related” tab."
        )
    return why_not_at_stage(
        user,
        "eligibility.decide_eligibility",
        case,
        Status.SCREENING,
        action="decide eligibility",
    )


def why_not_read_ur_decision(user: User, case: Case) -> str:
    return why_not_at_stage(
        user,
        "eligibility.decide_eligibility",
        case,
        Status.SCREENING,
        # The UR decision may arrive while the case waits for a party.
        Status.INFO_REQUESTED,
        Status.DEFERRED,
        action="enter the UR decision",
    )


def why_not_eligible_yet(open_differences: int) -> str:
    """Refuse eligibility while differences from the UR decision are unanswered."""
    if not open_differences:
        return ""
    many = "one difference" if open_differences == 1 else f"{open_differences} differences"
    return f"First answer {many} between the application and the UR decision."


def why_not_accept_proposal(is_clear: bool) -> str:
    """Refuse to accept a proposal unseen unless all six facts are proposed Yes."""
    if is_clear:
        return ""
    return "Not every fact is proposed Yes any more, or there is a difference. Open it to decide."


def why_not_ask_information(user: User, case: Case) -> str:
    return why_not_at_stage(
        user,
        "eligibility.decide_eligibility",
        case,
        Status.SCREENING,
        Status.INFO_REQUESTED,
        action="ask a party for information",
    )


def why_not_record_answer(user: User, case: Case) -> str:
    return why_not_at_stage(
        user,
        "eligibility.decide_eligibility",
        case,
        Status.INFO_REQUESTED,
        action="record an answer",
    )


def why_not_resolve_liability(user: User, case: Case) -> str:
    return why_not_at_stage(
        user,
        "eligibility.decide_eligibility",
        case,
        Status.DEFERRED,
        action="record that the liability dispute is resolved",
    )


def why_not_record_citations(user: User, case: Case) -> str:
    if not user.may("eligibility.decide_eligibility"):
        return "Only a coordinator can enter the sources that the UR decision cites."
    # The determination prints these sources, so they can change until it is issued.
    if case.stage in {Status.ISSUED, Status.WITHDRAWN, Status.TERMINATED, Status.CLOSED}:
        return (
            f"Case {case.number} is in the “{case.stage.label}” stage. "
            "Its items can no longer change."
        )
    return ""


def why_not_screen_again(user: User, case: Case) -> str:
    # A closed case can be reopened only if it was closed as ineligible, without a determination.
    if (
        case.stage == Status.CLOSED
        and case.decided_on is None
        and user.may("eligibility.decide_eligibility")
        and case.items.filter(ending=DisputedItem.Ending.INELIGIBLE).exists()
    ):
        return ""
    return why_not_at_stage(
        user,
        "eligibility.decide_eligibility",
        case,
        Status.INELIGIBLE,
        Status.DEFERRED,
        Status.INFO_REQUESTED,
        Status.DUPLICATE,
        action="review its eligibility again",
    )
