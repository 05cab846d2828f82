"""The notices of a person: mentions, answers and what concerns their reviews, the newest first."""

from dataclasses import dataclass

from django.db.models import Q

from accounts.models import User
from accounts.visibility import match_hidden_references
from cases.models import Event
from cases.models.restrictions import select_visible
from notices.models import Notice

PAGE = 30


@dataclass(frozen=True)
class NoticeLine:
    """A notice as its page shows it.

    :ivar text: the note, of a mention or an answer.
    """

    notice: Notice
    text: str
    may_answer: bool


@dataclass(frozen=True)
class NoticePage:
    """One page of notices, and the id of the last one if there are more."""

    lines: list[NoticeLine]
    older: int | None


def load_notices(user: User, *, before: int | None = None) -> NoticePage:
    """Load the notices of a person. Two queries.

    Mentions and answers on a case that is hidden from them by now are left out.

    :param before: the id of the last notice of the page before.
    """
    hidden = match_hidden_references(user) & Q(kind__in=["MENTION", "ANSWER"])
    rows = (
        Notice.objects.filter(addressee=user).exclude(hidden).select_related("by").order_by("-pk")
    )
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    noted = [one.event_id for one in shown if one.event_id is not None]
    events = select_visible(Event.objects.filter(pk__in=noted), user)
    texts = dict(events.values_list("pk", "sentence"))
    may_write = user.may("cases.add_note")
    lines = [
        NoticeLine(
            notice=one,
            text=texts.get(one.event_id or 0, ""),
            may_answer=may_write and one.kind == "MENTION" and one.answered_at is None,
        )
        for one in shown
    ]
    return NoticePage(lines, shown[-1].pk if len(found) > PAGE else None)
