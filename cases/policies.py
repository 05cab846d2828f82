"""Who may do what to a case, and when: one function an act, empty when it is allowed.

The service raises what the function says; the page greys the button with the same sentence, so
that screen and rule cannot differ.
"""

from accounts.models import User

from .lifecycle import Status
from .models import Case


class NotAllowed(Exception):
    """The act is refused; the message is the sentence that the page shows."""


def refuse(reason: str) -> None:
    """Raise the reason if there is one.

    :raises NotAllowed: the reason is not empty.
    """
    if reason:
        raise NotAllowed(reason)


def why_not(user: User, permission: str, case: Case, *states: Status, act: str) -> str:
    """The common shape: the role first, then the state of the case."""
    if not user.may(permission):
        return f"Your role does not let you {act}."
    if case.stage not in states:
        wanted = " or ".join(f"“{state.label}”" for state in states)
        return (
            f"Case {case.number} stands at “{case.stage.label}”. "
            f"To {act}, it has to stand at {wanted}."
        )
    return ""


def why_not_decide_eligibility(user: User, case: Case) -> str:
    return why_not(
        user,
        "cases.decide_eligibility",
        case,
        Status.SCREENING,
        act="decide whether it is eligible",
    )


def why_not_make_notices(user: User, case: Case) -> str:
    reason = why_not(
        user,
        "cases.make_notices",
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


def why_not_record_citations(user: User, case: Case) -> str:
    if not user.may("cases.decide_eligibility"):
        return "A coordinator states what the UR decision cites."
    if case.stage in {Status.ISSUED, Status.WITHDRAWN, Status.TERMINATED, Status.CLOSED}:
        return f"Case {case.number} stands at “{case.stage.label}”; its items are settled."
    return ""


def why_not_end_early(user: User, case: Case) -> str:
    if not user.may("cases.end_early"):
        return "Your role does not let you end a case early."
    if case.stage in {
        Status.ISSUED,
        Status.WITHDRAWN,
        Status.TERMINATED,
        Status.CLOSED,
    }:
        return f"Case {case.number} stands at “{case.stage.label}” and can no longer end early."
    return ""


def why_not_reopen(user: User, case: Case) -> str:
    return why_not(
        user,
        "cases.decide_eligibility",
        case,
        Status.INELIGIBLE,
        Status.DEFERRED,
        Status.INFO_REQUESTED,
        Status.DUPLICATE,
        act="screen it again",
    )


def why_not_close(user: User, case: Case) -> str:
    return why_not(
        user,
        "cases.end_early",
        case,
        Status.INELIGIBLE,
        Status.DUPLICATE,
        Status.WITHDRAWN,
        Status.TERMINATED,
        act="close it",
    )


def why_not_change_parties(user: User, case: Case) -> str:
    if not user.may("cases.change_parties"):
        return "A coordinator or a supervisor changes the parties."
    if not case.is_open:
        return f"Case {case.number} is closed; its parties stay as they were."
    return ""
