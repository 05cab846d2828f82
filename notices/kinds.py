"""The kinds of notices, and what a page and an e-mail say of each. Pure.

An e-mail says a case number and what happened. It names nobody and states no health facts.
"""

from dataclasses import dataclass

MENTIONS, REVIEWS = "mentions", "reviews"  # what a person can turn off for e-mail


@dataclass(frozen=True)
class NoticeKind:
    """One kind of notice.

    :ivar label: what the page says, after the name of the person who caused it, if any.
    :ivar mail: the sentence of the e-mail; ``{number}`` is the case number.
    :ivar choice: which choice of the person covers its e-mail.
    """

    label: str
    mail: str
    choice: str


NOTICE_KINDS: dict[str, NoticeKind] = {
    "MENTION": NoticeKind(
        "mentioned you in a note", "You are mentioned in a note on case {number}.", MENTIONS
    ),
    "ANSWER": NoticeKind(
        "answered your note", "A note of yours on case {number} was answered.", MENTIONS
    ),
    "REVIEW_OFFERED": NoticeKind(
        "Offered to you for review", "Case {number} is offered to you for review.", REVIEWS
    ),
    "REVIEW_RETURNED": NoticeKind(
        "Returned for changes", "Your review of case {number} was returned for changes.", REVIEWS
    ),
    "REVIEW_DUE": NoticeKind("Due soon", "Your review of case {number} is due soon.", REVIEWS),
    "ACCESS_LOST": NoticeKind(
        "You can no longer work on this case. It was assigned to you and is unassigned now",
        "You can no longer work on case {number}, which was assigned to you.",
        MENTIONS,
    ),
    "HOLDER_LOST": NoticeKind(
        "Unassigned, because the person who had it can no longer work on it",
        "Case {number} was unassigned: the person who had it can no longer work on it.",
        MENTIONS,
    ),
}


def notice_choices() -> list[tuple[str, str]]:
    """List the kinds. A function, so that a new kind needs no migration."""
    return [(name, kind.label) for name, kind in NOTICE_KINDS.items()]
