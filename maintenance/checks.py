"""The checks of the nightly run: what each looks for, and what to do about a finding."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from accounts.verification import verify_history

from . import derived, states
from .findings import Found, Tick


@dataclass(frozen=True)
class Check:
    """One check of the nightly run.

    :ivar find: finds the impossible states; gets the moment, and is to call ``tick`` often.
    :ivar repair: the command that repairs a finding; empty if a person has to decide.
    """

    label: str
    to_do: str
    find: Callable[[datetime, Tick], Iterator[Found]]
    repair: str = ""


def _find_history_differences(at: datetime, tick: Tick) -> Iterator[Found]:
    for problem in verify_history(tick=tick):
        yield Found(
            "history",
            problem.table,
            problem.row,
            problem.sentence,
            column=problem.column,
        )


def _find_derived_differences(at: datetime, tick: Tick) -> Iterator[Found]:
    yield from derived.compare_derived_values(tick)


CHECKS: dict[str, Check] = {
    "no_next_step": Check(
        "Open case without a next step",
        "Open the case and do what the sentence says.",
        states.find_cases_without_next_step,
    ),
    "closed_with_work": Check(
        "Closed case with open work",
        "Open the case and end what is still open.",
        states.find_closed_cases_with_work,
    ),
    "hold_past_its_end": Check(
        "Hold past its end",
        "End the hold on the page of deadlines, or begin another.",
        states.find_holds_past_their_end,
    ),
    "commitment_past_its_day": Check(
        "Commitment past its day",
        "Record on the page of deadlines that it was kept, or move it.",
        states.find_commitments_past_their_day,
    ),
    "letter_stuck": Check(
        "Letter not generated",
        "Check that the relay and a worker run, then retry the letter.",
        states.find_letter_problems,
        "requeue_letter",
    ),
    "letter_not_sent": Check(
        "Letter not sent",
        "Send the letter, then mark it as sent on the page of letters.",
        states.find_letter_problems,
    ),
    "orphan_claim": Check(
        "Claim on a closed case",
        "Run the repair.",
        states.find_orphan_claims,
        "close_orphan_claims",
    ),
    "restriction_incomplete": Check(
        "Incomplete restriction of a case",
        "Restrict the linked case as well, or end the clearance of a person with an affiliation, "
        "on the page of the restriction. If nobody can change "
        "the list of cleared people, the operator runs manage.py restore_clearance.",
        states.find_restriction_problems,
    ),
    "derived_value": Check(
        "Stored value differs from its sources",
        "Find out who changed the database, then run the repair.",
        _find_derived_differences,
        "repair_derived_fields",
    ),
    "history": Check(
        "Row or guard differs from the history",
        "Find out who changed the database and when. Nothing repairs this by itself.",
        _find_history_differences,
    ),
}
