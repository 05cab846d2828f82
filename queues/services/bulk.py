"""One act on many cases, each by itself: what is refused on one case stops none of the others."""

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

MOST = 200
_SEES = "cases.view_case"


@dataclass(frozen=True)
class BulkAct:
    """An act that can be done to many cases, in the words of its button and of its page."""

    name: str
    button: str
    question: str  # "Mark the notices of %s as sent"; empty when the act needs no page of its own
    done: str
    why_not: Callable[[User, Case], str]
    act: Callable[..., Any]
    permission: str
    field: str = ""  # what has to be typed: "text" or "sent_on"
    queue: str = ""  # the one list that offers it


@dataclass(frozen=True)
class Outcome:
    """What became of one case, or what would."""

    case: Case
    refusal: str = ""


ACTS = {
    act.name: act
    for act in (
        BulkAct("claim", "Take", "", "Taken", policies.why_not_claim, claims.claim, _SEES),
        BulkAct("release", "Give back", "", "Given back", lambda *_: "", claims.release, _SEES),
        BulkAct(
            "note",
            "Add a note…",
            "Add a note to %s",
            "Noted",
            case_policies.why_not_note,
            notes.add_note,
            "cases.add_note",
            field="text",
        ),
        BulkAct(
            "make_notices",
            "Make notices…",
            "Make the notices of %s",
            "Notices made",
            correspondence_policies.why_not_make_notices,
            notices.make_notices,
            "correspondence.make_notices",
            queue="notices",
        ),
        BulkAct(
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


def offered(*, queue: str, user: User) -> list[BulkAct]:
    """The acts that a list offers to this person. Whether one case allows it shows per case."""
    here = [act for act in ACTS.values() if act.queue in {"", queue}]
    return [act for act in here if user.may(act.permission)]


def expected(*, act: str, case_ids: Sequence[int], user: User) -> list[Outcome]:
    """What would become of each case now, in the order given. Changes nothing."""
    return [Outcome(case, ACTS[act].why_not(user, case)) for case in _cases(case_ids)]


def do_to_many(
    *,
    act: str,
    case_ids: Sequence[int],
    text: str = "",
    sent_on: date | None = None,
    by: User,
    at: datetime,
) -> list[Outcome]:
    """Do one act to each case in a transaction of its own, and tell what became of each.

    :param case_ids: the first ``MOST`` of them; what names no case is passed over.
    """
    chosen = ACTS[act]
    typed = {name: value for name, value in (("text", text), ("sent_on", sent_on)) if value}
    outcomes = []
    for case in _cases(case_ids):
        try:
            chosen.act(case_id=case.pk, by=by, at=at, **typed)
        except Refused as refusal:
            outcomes.append(Outcome(case, str(refusal)))
        else:
            outcomes.append(Outcome(case))
    return outcomes


def _cases(case_ids: Sequence[int]) -> list[Case]:
    found = Case.objects.own().in_bulk(list(dict.fromkeys(case_ids))[:MOST])
    return [found[pk] for pk in dict.fromkeys(case_ids) if pk in found]
