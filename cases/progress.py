"""Progress of a case through the seven steps of a review, for its page.

Reads only the fields of the case: no queries and no current time.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from .lifecycle import CLOSED_STATES, Status
from .models import Case


class StepState(StrEnum):
    """State of one step. The values are CSS classes, and words for screen readers."""

    DONE = "done"
    CURRENT = "current"
    TO_COME = "to come"
    NOT_REACHED = "not reached"  # the case ended before


@dataclass(frozen=True)
class Step:
    """One step of a review.

    :ivar day: when it was done, if the case stores that day.
    :ivar note: for the current step, what the case waits for; or how the case ended.
    """

    label: str
    state: StepState
    day: date | None = None
    note: str = ""


# Each step with the field of the case that holds the day on which it was done.
_STEPS = (
    ("Application", "received_on"),
    ("Eligibility", ""),
    ("Notice", "assigned_on"),
    ("Records", "records_complete_on"),
    ("Review", ""),
    ("QA review", ""),
    ("Determination", "decided_on"),
)
_ELIGIBILITY, _NOTICE, _RECORDS, _REVIEW, _QA, _DETERMINATION = range(1, 7)

# The current step of each state of an open case, and what the case waits for.
_CURRENT: dict[Status, tuple[int, str]] = {
    Status.RECEIVED: (_ELIGIBILITY, "Waiting for a coordinator"),
    Status.DUPLICATE: (_ELIGIBILITY, "Possible duplicate, waiting for a coordinator"),
    Status.SCREENING: (_ELIGIBILITY, "Waiting for a coordinator"),
    Status.INFO_REQUESTED: (_ELIGIBILITY, "Waiting for a party’s answer"),
    Status.DEFERRED: (_ELIGIBILITY, "Deferred until liability is resolved"),
    Status.ELIGIBLE: (_NOTICE, "Waiting for a coordinator"),
    Status.NOTICE_SENT: (_RECORDS, "Waiting for the claims administrator"),
    Status.RECORDS_COMPLETE: (_REVIEW, "Waiting to be assigned"),
    Status.REVIEWER_CHOSEN: (_REVIEW, "Waiting for the reviewer to accept"),
    Status.IN_REVIEW: (_REVIEW, "Waiting for the reviewer"),
    Status.INFO_FOR_REVIEW: (_REVIEW, "Waiting for information from a party"),
    Status.QA: (_QA, "Waiting for a QA reviewer"),
    Status.APPROVED: (_DETERMINATION, "Waiting for the medical director"),
    Status.ISSUED: (_DETERMINATION, "Waiting for the mail room"),
}


def list_steps(case: Case) -> list[Step]:
    """List the steps of a case in order: what is done, what is current, what is to come."""
    if case.stage in _CURRENT:
        at, note = _CURRENT[case.stage]
        rest = StepState.TO_COME
    elif case.decided_on and case.stage in CLOSED_STATES:
        at, note, rest = len(_STEPS), "", StepState.DONE
    else:
        at, note, rest = _find_last_step(case), case.stage.label, StepState.NOT_REACHED
    return [
        Step(label, StepState.DONE, getattr(case, field, None) if field else None)
        if place < at
        else Step(label, StepState.CURRENT, note=note)
        if place == at
        else Step(label, rest)
        for place, (label, field) in enumerate(_STEPS)
    ]


def _find_last_step(case: Case) -> int:
    """Find the step at which a case ended or was consolidated, by the days that it stores."""
    if case.stage == Status.CONSOLIDATED:
        return _NOTICE
    done = [place for place, (_, field) in enumerate(_STEPS) if field and getattr(case, field)]
    # After a remand the days of the first round are still there.
    return min(max(done, default=0) + 1, _DETERMINATION)
