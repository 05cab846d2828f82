"""Actions on many cases at once, each case by itself: a refusal on one does not stop the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from accounts.models import User
from accounts.refusals import Refused
from cases import policies as case_policies
from cases.models import Case
from cases.services import notes
from correspondence import policies as correspondence_policies
from correspondence.services import notices
from queues import policies

from . import claims

# Limits the time of one request, because each case is a transaction of its own.
MOST = 200
_SEES = "cases.view_case"


@dataclass(frozen=True)
class BulkAction:
    """An action that can be done on many cases, with the texts of its button and page."""

    name: str
    button: str
    question: str  # "Mark the notices of %s as sent"; empty if the action needs no page of its own
    done: str
    why_not: Callable[[User, Case], str]
    service: Callable[..., Any]
    permission: str
    field: str = ""  # what the user has to enter: "text" or "sent_on"
    queue: str = ""  # the only list that offers it; empty: every list


@dataclass(frozen=True)
class BulkResult:
    """The result for one case: done, or the sentence why not."""

    case: Case
    refusal: str = ""


BULK_ACTIONS = {
    action.name: action
    for action in (
        BulkAction(
            "claim",
            "Assign to me",
            "",
            "Assigned",
            policies.why_not_claim,
            claims.claim_case,
            _SEES,
        ),
        # Offered for every case; the service refuses those that the person does not have.
        BulkAction(
            "release", "Unassign", "", "Unassigned", lambda *_: "", claims.release_case, _SEES
        ),
        BulkAction(
            "note",
            "Add a note…",
            "Add a note to %s",
            "Note added",
            case_policies.why_not_note,
            notes.add_note,
            "cases.add_note",
            field="text",
        ),
        BulkAction(
            "make_notices",
            "Make notices…",
            "Make the notices of %s",
            "Notices made",
            correspondence_policies.why_not_make_notices,
            notices.make_notices,
            "correspondence.create_notices",
            queue="notices",
        ),
        BulkAction(
            "mark_notices_sent",
            "Mark notices as sent…",
            "Mark the notices of %s as sent",
            "Marked as sent",
            correspondence_policies.why_not_mark_notices_sent,
            notices.mark_notices_sent,
            "letters.mark_sent",
            field="sent_on",
            queue="notices",
        ),
    )
}


def list_bulk_actions(*, queue: str, user: User) -> list[BulkAction]:
    """Return the actions that a list offers to this person. Each case may still refuse."""
    offered = [action for action in BULK_ACTIONS.values() if action.queue in {"", queue}]
    return [action for action in offered if user.may(action.permission)]


def preview_bulk_action(*, action: str, case_ids: Sequence[int], user: User) -> list[BulkResult]:
    """Return what the action would do to each case now, in the order given. Changes nothing."""
    return [
        BulkResult(case, BULK_ACTIONS[action].why_not(user, case))
        for case in _load_cases(case_ids, user)
    ]


def run_bulk_action(
    *,
    action: str,
    case_ids: Sequence[int],
    text: str = "",
    sent_on: date | None = None,
    by: User,
    at: datetime,
) -> list[BulkResult]:
    """Run one action on each case in its own transaction and return the result of each.

    :param case_ids: only the first ``MOST`` are used; unknown ids are skipped.
    """
    bulk_action = BULK_ACTIONS[action]
    typed = {name: value for name, value in (("text", text), ("sent_on", sent_on)) if value}
    results = []
    for case in _load_cases(case_ids, by):
        try:
            bulk_action.service(case_id=case.pk, by=by, at=at, **typed)
        except Refused as refusal:
            results.append(BulkResult(case, str(refusal)))
        else:
            results.append(BulkResult(case))
    return results


def _load_cases(case_ids: Sequence[int], user: User) -> list[Case]:
    # One query for all cases; the order of the selection is restored below.
    by_id = Case.objects.own().visible_to(user).in_bulk(list(dict.fromkeys(case_ids))[:MOST])
    return [by_id[pk] for pk in dict.fromkeys(case_ids) if pk in by_id]
