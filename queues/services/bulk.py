"""Actions on many cases or letters at once, each by itself.

A refusal of one does not stop the others. Each is the action of one person in its own transaction,
with its own history; whoever does the same a moment later is refused for each.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.counting import count_noun
from accounts.models import User
from accounts.refusals import Refused
from cases import policies as case_policies
from cases.models import Case, CaseLetter
from cases.models.restrictions import select_visible
from cases.services import endings, notes
from correspondence import policies as correspondence_policies
from correspondence.services import case_letters, notices
from determinations import policies as determination_policies
from determinations.services import sending
from queues import policies
from records import policies as record_policies
from records.services import reminders

from . import claims

# Limits the time of one request, because each case is a transaction of its own.
MOST = 200
# Each is typeset in the request before it is approved.
MOST_LETTERS = 25
_SEES = "cases.view_case"
_DRAFT, _APPROVED = CaseLetter.State.DRAFT, CaseLetter.State.APPROVED


@dataclass(frozen=True)
class BulkAction:
    """An action that can be done on many cases or letters, with the texts of its button and page.

    :ivar question: "Mark the notices of %s as sent"; empty if the action needs no page of its own.
    :ivar why_not: of the person, the case or letter, and the moment.
    :ivar field: what the user has to enter: "text", "reason", "sent_on" or "person".
    :ivar queue: the only list that offers it; empty: every list of cases.
    :ivar subject: what is selected: "case" or "letter".
    :ivar describe: what the confirming page says of one case besides the result.
    """

    name: str
    button: str
    question: str
    done: str
    why_not: Callable[[User, Any, datetime], str]
    service: Callable[..., Any]
    permission: str
    field: str = ""
    queue: str = ""
    subject: str = "case"
    most: int = MOST
    describe: Callable[[Case], str] = lambda case: ""


@dataclass(frozen=True)
class BulkResult:
    """The result for one case or letter: done, or the sentence why not.

    :ivar row_id: the id of what was selected.
    :ivar detail: what concerns this row: the letters of a case, or the kind of a letter.
    """

    case: Case
    row_id: int
    refusal: str = ""
    detail: str = ""


def _ignore_time(why_not: Callable[[User, Any], str]) -> Callable[[User, Any, datetime], str]:
    return lambda user, row, at: why_not(user, row)


def _name_letters(*states: str) -> Callable[[Case], str]:
    """Return a function that names the letters of a case in some states."""
    return lambda case: "; ".join(
        letter.get_kind_display()
        for letter in correspondence_policies.list_letters_in(case, *states)
    )


def _count_unsent(case: Case) -> str:
    unsent = correspondence_policies.list_letters_in(case, _DRAFT, _APPROVED)
    return f"{count_noun(len(unsent), 'letter')} not sent" if unsent else ""


_ACTIONS = (
    BulkAction(
        "claim",
        "Assign to me",
        "",
        "Assigned",
        _ignore_time(policies.why_not_claim),
        claims.claim_case,
        _SEES,
    ),
    # Offered for every case; the service refuses those that the person does not have.
    BulkAction(
        "release",
        "Unassign",
        "",
        "Unassigned",
        lambda *_: "",
        claims.release_case,
        _SEES,
    ),
    BulkAction(
        "assign",
        "Assign to…",
        "Assign %s to a person",
        "Assigned",
        _ignore_time(policies.why_not_assign_to_others),
        claims.assign_case,
        "queues.assign_case",
        field="person",
    ),
    BulkAction(
        "note",
        "Add a note…",
        "Add a note to %s",
        "Note added",
        _ignore_time(case_policies.why_not_note),
        notes.add_note,
        "cases.add_note",
        field="text",
    ),
    BulkAction(
        "make_notices",
        "Make notices…",
        "Make the notices of %s",
        "Notices made",
        _ignore_time(correspondence_policies.why_not_make_notices),
        notices.make_notices,
        "correspondence.create_notices",
        queue="notices",
    ),
    BulkAction(
        "mark_notices_sent",
        "Mark notices as sent…",
        "Mark the notices of %s as sent",
        "Marked as sent",
        _ignore_time(correspondence_policies.why_not_mark_notices_sent),
        notices.mark_notices_sent,
        "letters.mark_sent",
        field="sent_on",
        queue="notices",
    ),
    BulkAction(
        "remind",
        "Send overdue reminders…",
        "Send the reminder of overdue records for %s",
        "Reminder approved",
        lambda user, case, at: record_policies.why_not_send_reminder(user, case, at=at),
        reminders.send_reminder_letter,
        "records.log_reminder",
        queue="records",
        most=MOST_LETTERS,
    ),
    BulkAction(
        "mark_determination_sent",
        "Mark determinations as sent…",
        "Mark the determinations of %s as sent",
        "Marked as sent, case closed",
        _ignore_time(determination_policies.why_not_mark_sent),
        sending.mark_determination_sent,
        "letters.mark_sent",
        field="sent_on",
        queue="mail",
    ),
    BulkAction(
        "close",
        "Close…",
        "Close %s",
        "Closed",
        _ignore_time(case_policies.why_not_close),
        endings.close_case,
        "cases.withdraw_or_terminate",
        field="reason",
        queue="eligibility",
        describe=_count_unsent,
    ),
    BulkAction(
        "approve_letters",
        "Approve letters…",
        "Approve the letters of %s",
        "Approved",
        _ignore_time(correspondence_policies.why_not_approve_letters),
        case_letters.approve_letters_of_case,
        "correspondence.review_drafts",
        most=MOST_LETTERS,
        describe=_name_letters(_DRAFT),
    ),
    BulkAction(
        "mark_letters_sent",
        "Mark letters as sent…",
        "Mark the letters of %s as sent",
        "Marked as sent",
        _ignore_time(correspondence_policies.why_not_mark_letters_sent),
        case_letters.mark_letters_of_case_sent,
        "letters.mark_sent",
        field="sent_on",
        describe=_name_letters(_APPROVED),
    ),
    BulkAction(
        "approve_letter",
        "Approve…",
        "Approve %s",
        "Approved",
        _ignore_time(correspondence_policies.why_not_change_draft),
        case_letters.approve_at_once,
        "correspondence.review_drafts",
        queue="drafts",
        subject="letter",
        most=MOST_LETTERS,
    ),
    BulkAction(
        "mark_letter_sent",
        "Mark as sent…",
        "Mark %s as sent",
        "Marked as sent",
        _ignore_time(correspondence_policies.why_not_mark_letter_sent),
        case_letters.mark_letter_sent,
        "letters.mark_sent",
        field="sent_on",
        queue="to_send",
        subject="letter",
    ),
)
BULK_ACTIONS = {action.name: action for action in _ACTIONS}


def list_bulk_actions(*, queue: str, user: User, subject: str = "case") -> list[BulkAction]:
    """Return the actions that a list offers to this person. Each case may still refuse."""
    return [
        action
        for action in BULK_ACTIONS.values()
        if action.subject == subject and action.queue in {"", queue} and user.may(action.permission)
    ]


def preview_bulk_action(
    *, action: str, row_ids: Sequence[int], user: User, at: datetime
) -> list[BulkResult]:
    """Return what the action would do to each row now, in the order given. Changes nothing."""
    bulk_action = BULK_ACTIONS[action]
    return [
        BulkResult(
            case,
            row.pk,
            bulk_action.why_not(user, row, at),
            _describe_row(bulk_action, row, case),
        )
        for row, case in _load_rows(bulk_action, row_ids, user)
    ]


def run_bulk_action(
    *, action: str, row_ids: Sequence[int], typed: Mapping[str, Any], by: User, at: datetime
) -> list[BulkResult]:
    """Run one action on each row in its own transaction and return the result of each.

    :param row_ids: only the first ``most`` of the action are used; unknown and hidden ids are
        skipped.
    :param typed: what the person entered, as the service takes it.
    """
    bulk_action = BULK_ACTIONS[action]
    name_of_id = f"{bulk_action.subject}_id"
    results = []
    for row, case in _load_rows(bulk_action, row_ids, by):
        detail = _describe_row(bulk_action, row, case)
        try:
            bulk_action.service(**{name_of_id: row.pk}, by=by, at=at, **typed)
        except Refused as refusal:
            results.append(BulkResult(case, row.pk, str(refusal), detail))
        else:
            results.append(BulkResult(case, row.pk, "", detail))
    return results


def _describe_row(action: BulkAction, row: Any, case: Case) -> str:
    return row.get_kind_display() if action.subject == "letter" else action.describe(case)


def _load_rows(action: BulkAction, row_ids: Sequence[int], user: User) -> list[tuple[Any, Case]]:
    """Load the selected rows with their cases, in the order of the selection. Two queries."""
    ids = list(dict.fromkeys(row_ids))[: action.most]
    if action.subject == "letter":
        letters = select_visible(CaseLetter.objects.all(), user)
        by_id = letters.filter(case__origin="OWN").select_related("case").in_bulk(ids)
        return [(by_id[pk], by_id[pk].case) for pk in ids if pk in by_id]
    cases = Case.objects.own().visible_to(user).prefetch_related("case_letters").in_bulk(ids)
    return [(cases[pk], cases[pk]) for pk in ids if pk in cases]
