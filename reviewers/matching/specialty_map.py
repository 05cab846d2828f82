"""The specialty map: which specialties may decide an item, and which conditions it has. Pure.

Staff maintain the map. Any board-certified physician may decide a treatment without an entry, if a
coordinator confirms. Other license kinds may decide only what the map lists for them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from directory.names import fold_name
from reviewers.facts import KIND_NAMES, NEVER_ALONE, Profile

from .candidacy import Item, Match, MatchCase, Reason, SpecialtyMapEntry


def find_most_specific_entries(
    item: Item, fits: Sequence[SpecialtyMapEntry]
) -> list[SpecialtyMapEntry]:
    """Return the most specific lines of the map that match an item.

    Lines of the item's category come before those of the parent category, and those before lines
    for any treatment. Among them, a line with condition and body part comes before one with the
    condition only, then the body part only, then neither.
    """
    # The first level with a matching line decides, so a specific line can narrow a general one.
    for category in (*item.categories, None):
        found = [fit for fit in fits if fit.category == category and _applies_to_item(fit, item)]
        if found:
            closest = max(map(_measure_specificity, found))
            return [fit for fit in found if _measure_specificity(fit) == closest]
    return []


def match_specialties(
    question: MatchCase, profile: Profile
) -> tuple[tuple[Match, ...], tuple[Reason, ...]]:
    """Match a reviewer's specialties to each item. Cached for reviewers with the same ones."""
    key = (profile.kind, profile.specialties)
    known = question.memo.get(key)
    if known is None:
        known = question.memo[key] = _match_items(question, profile)
    answer: tuple[tuple[Match, ...], tuple[Reason, ...]] = known
    return answer


def _match_items(
    question: MatchCase, profile: Profile
) -> tuple[tuple[Match, ...], tuple[Reason, ...]]:
    """Match specialties to each item, with one reason per item."""
    matches: list[Match] = []
    reasons: list[Reason] = []
    for item in question.items:
        found = _match_item(item, find_most_specific_entries(item, question.fits), profile)
        if isinstance(found, Match):
            matches.append(found)
            reasons.append(Reason("SPECIALTY", True, f"Item {item.position}: {found.why}"))
        else:
            reasons.append(Reason("SPECIALTY", False, f"Item {item.position}: {found}"))
    # Without items no requirement of the map could refuse anyone.
    if not question.items:
        reasons.append(Reason("SPECIALTY", False, "The case has no open item to decide."))
    return tuple(matches), tuple(reasons)


def _match_item(item: Item, wanted: Sequence[SpecialtyMapEntry], profile: Profile) -> Match | str:
    own = profile.specialties
    if wanted:
        for fit in wanted:
            # The map is edited by staff and may list nursing, which still may not decide alone.
            if fit.specialty in own and fit.specialty not in NEVER_ALONE:
                what_for = f" for {fit.condition_name}" if fit.condition_name else ""
                why = f"{fit.specialty} fits{what_for}: {fit.reason.rstrip('.')}."
                return _build_match(item, fit.specialty, why, mapped=True)
        names = ", ".join(sorted({fit.specialty for fit in wanted}))
        return f"requires one of {names}."
    if profile.is_physician and own:
        why = (
            "the specialty map has no entry for this treatment; any board-certified specialty is "
            "accepted if the coordinator confirms."
        )
        # Any specialty is accepted, but the match has to name one: the first by name.
        return _build_match(item, own[0], why, mapped=False)
    kind = KIND_NAMES.get(profile.kind, "reviewer without a valid license")
    return f"the specialty map has no entry that allows a {kind}."


def _build_match(item: Item, specialty: str, why: str, *, mapped: bool) -> Match:
    return Match(item.item_id, item.position, specialty, mapped, why, item.diagnosis)


def _applies_to_item(fit: SpecialtyMapEntry, item: Item) -> bool:
    """Return whether the condition and the body part of a line match an item.

    An empty field matches everything, but an entirely empty line matches nothing.
    """
    if fit.condition is not None and fit.condition not in item.conditions:
        return False
    if fit.body_part:
        # All words of the line must be named: "Spine" matches "Lumbar spine", not the reverse.
        return set(fit.body_part.casefold().split()) <= set(item.body_part.casefold().split())
    return fit.category is not None or fit.condition is not None


def _measure_specificity(fit: SpecialtyMapEntry) -> int:
    # A condition outweighs a body part, as the admin page of the map says.
    return 2 * (fit.condition is not None) + bool(fit.body_part)


# An ICD-10-CM code: a letter, a digit, a digit or letter, then up to four more characters after a
# dot that documents often leave out. "L4-L5" and "C3" are spine levels, not codes.
_CODE = re.compile(r"\b([A-TV-Z]\d[0-9A-B])(?:\.?([0-9A-Z]{1,4}))?\b", re.IGNORECASE)


@dataclass(frozen=True)
class KnownCondition:
    """A condition of the specialty map."""

    condition_id: int
    name: str
    codes: str = ""  # prefixes of ICD-10-CM codes, separated by commas
    words: str = ""  # phrases, separated by commas


def find_conditions(diagnosis: str, known: Iterable[KnownCondition]) -> tuple[KnownCondition, ...]:
    """Find the conditions that a diagnosis names by an ICD-10-CM code or a phrase.

    A phrase matches when its words follow each other in this order. Case and accents are ignored.
    """
    codes = {f"{start}{rest or ''}".upper() for start, rest in _CODE.findall(diagnosis)}
    # The outer spaces let a phrase match whole words only, also at the start and the end.
    text = f" {fold_name(diagnosis)} "
    return tuple(
        one
        for one in known
        if any(
            code.startswith(prefix) for prefix in _split_code_prefixes(one.codes) for code in codes
        )
        or any(f" {phrase} " in text for phrase in _split_phrases(one.words))
    )


def _split_code_prefixes(codes: str) -> list[str]:
    return [
        code
        # Staff type codes with dots and spaces; the codes of the diagnosis have none here.
        for code in (re.sub(r"[^0-9A-Z]", "", part.upper()) for part in _split_list(codes))
        if code
    ]


def _split_phrases(words: str) -> list[str]:
    return [phrase for phrase in map(fold_name, _split_list(words)) if phrase]


def _split_list(text: str) -> list[str]:
    return text.split(",")
