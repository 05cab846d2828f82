"""Which specialties may decide an item, by the map that staff keep. Conditions too. Pure.

What the map does not name, any certified physician may decide, for a coordinator to confirm; other
kinds of license decide only what it names for them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from directory.names import fold_name
from reviewers.facts import KIND_WORDS, NEVER_ALONE, Profile

from .candidacy import Fit, Item, Match, Question, Reason


def acceptable(item: Item, fits: Sequence[Fit]) -> list[Fit]:
    """The lines of the map for an item. The most specific that match decide:

    those of its category, before those of its parent category, before those of any treatment; and
    among them a line that names the condition before one that names the body part alone, and one
    that names both before either.
    """
    for category in (*item.categories, None):
        found = [fit for fit in fits if fit.category == category and _speaks_of(fit, item)]
        if found:
            closest = max(map(_closeness, found))
            return [fit for fit in found if _closeness(fit) == closest]
    return []


def matches_of(
    question: Question, profile: Profile
) -> tuple[tuple[Match, ...], tuple[Reason, ...]]:
    """Which specialty fits each item, and a reason for each: alike for like specialists."""
    key = (profile.kind, profile.specialties)
    known = question.memo.get(key)
    if known is None:
        known = question.memo[key] = _match(question, profile)
    answer: tuple[tuple[Match, ...], tuple[Reason, ...]] = known
    return answer


def _match(question: Question, profile: Profile) -> tuple[tuple[Match, ...], tuple[Reason, ...]]:
    """Whether a specialty fits each item; one reason an item."""
    matches: list[Match] = []
    reasons: list[Reason] = []
    for item in question.items:
        found = _match_one(item, acceptable(item, question.fits), profile)
        if isinstance(found, Match):
            matches.append(found)
            reasons.append(Reason("SPECIALTY", True, f"Item {item.position}: {found.why}"))
        else:
            reasons.append(Reason("SPECIALTY", False, f"Item {item.position}: {found}"))
    if not question.items:
        reasons.append(
            Reason("SPECIALTY", False, "The case has no item that waits for a decision.")
        )
    return tuple(matches), tuple(reasons)


def _match_one(item: Item, wanted: Sequence[Fit], profile: Profile) -> Match | str:
    own = profile.specialties
    if wanted:
        for fit in wanted:
            if fit.specialty in own and fit.specialty not in NEVER_ALONE:
                what_for = f" for {fit.condition_name}" if fit.condition_name else ""
                why = f"{fit.specialty} fits{what_for}: {fit.reason.rstrip('.')}."
                return _matched(item, fit.specialty, why, mapped=True)
        names = ", ".join(sorted({fit.specialty for fit in wanted}))
        return f"asks for one of {names}."
    if profile.is_physician and own:
        why = (
            "the map has no entry for this treatment; any certified specialty is accepted, "
            "the coordinator to confirm."
        )
        return _matched(item, own[0], why, mapped=False)
    kind = KIND_WORDS.get(profile.kind, "reviewer without a good license")
    return f"the map has no entry that lets a {kind} decide it."


def _matched(item: Item, specialty: str, why: str, *, mapped: bool) -> Match:
    return Match(item.item_id, item.position, specialty, mapped, why, item.diagnosis)


def _speaks_of(fit: Fit, item: Item) -> bool:
    """Whether all that a line names besides the treatment holds for an item.

    A line that names nothing at all says nothing.
    """
    if fit.condition is not None and fit.condition not in item.conditions:
        return False
    if fit.body_part:
        return set(fit.body_part.casefold().split()) <= set(item.body_part.casefold().split())
    return fit.category is not None or fit.condition is not None


def _closeness(fit: Fit) -> int:
    return 2 * (fit.condition is not None) + bool(fit.body_part)


# An ICD-10-CM code: a letter, two digits or a digit and a letter, then up to four more behind a
# dot that papers often leave out. "L4-L5" and "C3" are levels of the spine and no codes.
_CODE = re.compile(r"\b([A-TV-Z]\d[0-9A-B])(?:\.?([0-9A-Z]{1,4}))?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Known:
    """A condition as the map knows it."""

    condition_id: int
    name: str
    codes: str = ""  # beginnings of ICD-10-CM codes, parted by commas
    words: str = ""  # phrases, parted by commas


def spoken_of(diagnosis: str, known: Iterable[Known]) -> tuple[Known, ...]:
    """The conditions that a diagnosis names by a code or by a phrase of theirs.

    A phrase counts where its words stand together in this order, whatever their case and accents.
    """
    codes = {f"{start}{rest or ''}".upper() for start, rest in _CODE.findall(diagnosis)}
    text = f" {fold_name(diagnosis)} "
    return tuple(
        one
        for one in known
        if any(code.startswith(prefix) for prefix in _prefixes(one.codes) for code in codes)
        or any(f" {phrase} " in text for phrase in _phrases(one.words))
    )


def _prefixes(codes: str) -> list[str]:
    return [
        code for code in (re.sub(r"[^0-9A-Z]", "", part.upper()) for part in _parts(codes)) if code
    ]


def _phrases(words: str) -> list[str]:
    return [phrase for phrase in map(fold_name, _parts(words)) if phrase]


def _parts(text: str) -> list[str]:
    return text.split(",")
