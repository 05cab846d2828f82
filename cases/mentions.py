"""Mentions in notes: “@” and the name of a colleague who may open the case."""

import re
from collections.abc import Collection

from accounts.models import User
from accounts.refusals import NotAllowed
from accounts.roles import PERMISSIONS
from cases.models import Case
from cases.models.restrictions import is_hidden

MOST = 20  # of one note
# Not within an e-mail address.
_MENTION = re.compile(r"(?<![\w.@])@(?=[^\W\d_])")
_WORD = re.compile(r"[\w'’.-]+")


class UnknownMention(NotAllowed):
    """A mention that names nobody, several people, or a person who cannot open the case.

    Its message is a sentence for the person who writes the note.
    """


def find_mentioned(text: str, case: Case, *, by: User) -> list[User]:
    """Find the colleagues that a note mentions, each once, in their order.

    A mention is the whole name, the first or last name alone if only one colleague has it, or the
    part of the e-mail address before “@”. Colleagues are the people whose roles open cases; people
    whose names the writer may not know are not among them.

    :raises UnknownMention: a mention fits nobody, several people, or a person who is barred from
        the case.
    """
    places = [match.end() for match in _MENTION.finditer(text)]
    if not places:
        return []
    if len(places) > MOST:
        raise UnknownMention(f"Mention at most {MOST} colleagues in a note.")
    colleagues = [
        one
        for one in User.objects.filter(
            is_active=True, groups__name__in=sorted(PERMISSIONS["cases.view_case"])
        )
        .distinct()
        .order_by("name", "pk")
        if not one.is_hidden_from(by)
    ]
    found: dict[int, User] = {}
    for place in places:
        person = _resolve(text[place:], colleagues)
        if person.pk in case.barred_staff or is_hidden(case.pk, person):
            raise UnknownMention(
                f"{person.name_for(by)} is barred from this case and cannot be mentioned. "
                "Choose another colleague, or leave out the “@”."
            )
        found[person.pk] = person
    found.pop(by.pk, None)  # a note to oneself needs no notice
    return list(found.values())


def _resolve(text: str, colleagues: Collection[User]) -> User:
    """Return the colleague whom the beginning of a text names."""
    folded = text.casefold()
    named = [one for one in colleagues if _begins_with(folded, one.name.casefold())]
    # “@Ana Li Ross” is Ana Li Ross, although there is an Ana Li too.
    longest = max((len(one.name) for one in named), default=0)
    matching = [one for one in named if len(one.name) == longest]
    word = match[0].rstrip(".") if (match := _WORD.match(text)) else ""
    if not matching:
        short = word.casefold()
        matching = [
            one
            for one in colleagues
            if short in {*one.name.casefold().split(), one.email.casefold().partition("@")[0]}
        ]
    if not matching:
        raise UnknownMention(
            f"No colleague who may open this case is called “{word}”. "
            "Write the name as it is in the portal, or leave out the “@”."
        )
    if len(matching) > 1:
        names = ", ".join(f"{one.name} ({one.email})" for one in matching[:5])
        raise UnknownMention(
            f"“@{word}” fits several colleagues: {names}. Write the whole name, or the part of "
            "the e-mail address before “@”."
        )
    return matching[0]


def _begins_with(text: str, name: str) -> bool:
    return text.startswith(name) and not text[len(name) : len(name) + 1].isalnum()
