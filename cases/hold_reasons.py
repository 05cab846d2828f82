"""Coded reasons for a hold, with the priorities and stages that each one fits. Pure.

A hold moves the internal target. It moves a legal date only if the rule of the deadline lists the
reason with its source (``deadlines.rules.Rule.legal_holds``).
"""

from dataclasses import dataclass

from deadlines.rules import APPEAL, LIABILITY

from .lifecycle import Status

REGULAR, EXPEDITED, FORMULARY = "REGULAR", "EXPEDITED", "FORMULARY"
ANY = frozenset({REGULAR, EXPEDITED, FORMULARY})

# A deferred case is not here: it has a reason of its own, LIABILITY.
_BEFORE_ACCEPTANCE = frozenset({Status.RECEIVED, Status.SCREENING, Status.INFO_REQUESTED})
_WAITING_FOR_RECORDS = frozenset({Status.ELIGIBLE, Status.NOTICE_SENT})
_AT_THE_REVIEWER = frozenset({Status.REVIEWER_CHOSEN, Status.IN_REVIEW, Status.INFO_FOR_REVIEW})
_AT_WORK = (
    _BEFORE_ACCEPTANCE
    | _WAITING_FOR_RECORDS
    | _AT_THE_REVIEWER
    | {Status.RECORDS_COMPLETE, Status.QA, Status.APPROVED}
)


@dataclass(frozen=True)
class HoldReason:
    """One reason for a hold.

    :ivar most_days: the longest hold that can be planned at once, in calendar days.
    :ivar needs_an_end: only a person can end the hold; its planned end only returns the case to
        its list.
    """

    code: str
    label: str
    priorities: frozenset[str]
    stages: frozenset[Status]
    most_days: int
    needs_an_end: bool = False


HOLD_REASONS: dict[str, HoldReason] = {
    reason.code: reason
    for reason in (
        HoldReason(
            "INFORMATION", "Waiting for information from a party", ANY, _BEFORE_ACCEPTANCE, 15
        ),
        HoldReason(
            # The end is not known; after at most a year the case returns to its list.
            LIABILITY,
            "Liability for the injury is disputed",
            ANY,
            frozenset({Status.SCREENING, Status.INFO_REQUESTED, Status.DEFERRED}),
            365,
            needs_an_end=True,
        ),
        HoldReason(
            # Not for expedited and formulary cases: 72 hours or five days leave no room for it.
            "PARTY_ASKED",
            "A party asked for more time",
            frozenset({REGULAR}),
            _BEFORE_ACCEPTANCE | _WAITING_FOR_RECORDS,
            14,
        ),
        HoldReason(
            "UNREADABLE",
            "Records cannot be read and were asked for again",
            ANY,
            _WAITING_FOR_RECORDS | _AT_THE_REVIEWER | {Status.RECORDS_COMPLETE},
            10,
        ),
        HoldReason(
            # Not for expedited cases, which are due 72 hours after the information is complete.
            "NO_REVIEWER",
            "No suitable reviewer is free",
            frozenset({REGULAR, FORMULARY}),
            frozenset({Status.RECORDS_COMPLETE}),
            7,
        ),
        HoldReason(
            "REVIEWER_ASKED",
            "The reviewer asked for information",
            ANY,
            frozenset({Status.IN_REVIEW, Status.INFO_FOR_REVIEW}),
            10,
        ),
        HoldReason(
            "REVIEWER_AWAY",
            "The reviewer is away",
            frozenset({REGULAR}),
            _AT_THE_REVIEWER,
            7,
        ),
        HoldReason("OFFICE_CLOSED", "The office is closed by an emergency", ANY, _AT_WORK, 14),
        HoldReason(
            # An appeal suspends only the duties after a determination (8 CCR 9792.10.7(a)).
            APPEAL,
            "A petition is before the WCAB",
            ANY,
            frozenset({Status.ISSUED, Status.CLOSED}),
            365,
            needs_an_end=True,
        ),
    )
}


def reasons_for(priority: str, stage: Status) -> list[HoldReason]:
    """List the reasons that fit a case of this priority and stage, in the order of the table."""
    return [
        reason
        for reason in HOLD_REASONS.values()
        if priority in reason.priorities and stage in reason.stages
    ]


def why_not_this_reason(code: str, priority: str, stage: Status) -> str:
    """Say why a reason does not fit a case; empty if it does."""
    reason = HOLD_REASONS.get(code)
    if reason is None:
        return "Choose a reason from the list."
    if priority not in reason.priorities:
        case = f"{_choose_article(priority)} {priority.lower()} case"
        return f"“{reason.label}” is not a reason to hold {case}."
    if stage not in reason.stages:
        return f"“{reason.label}” is not a reason to hold a case in “{stage.label}”."
    return ""


def _choose_article(word: str) -> str:
    return "an" if word[0] in "AEIOU" else "a"
