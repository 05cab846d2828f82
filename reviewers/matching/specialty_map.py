"""The specialty map: which specialties may decide an item, and which conditions it has. Pure.

Staff maintain the map. If it has no entry for a treatment, any board-certified physician may decide
it, if a coordinator confirms. Reviewers with other licenses may decide only what the map lists for
them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from directory.names import fold_name
from reviewers.facts import KIND_NAMES, NEVER_ALONE, Profile

from .candidacy import Match, MatchCase, MatchItem, Reason, SpecialtyMapEntry


def find_most_specific_entries(
    item: MatchItem, fits: Sequence[SpecialtyMapEntry]
) -> list[SpecialtyMapEntry]:
    """Return the most specific entries of the map that match an item.

    Entries of the item's category win over entries of the parent category, and both over entries
    for any treatment. Within one category, an entry with condition and body part wins over one with
    only the condition, that one over only the body part, and that one over neither.
    """
    # The first category with a matching entry decides, so an entry can narrow a more general one.
    for category in (*item.categories, None):
        entries = [fit for fit in fits if fit.category == category and _applies_to_item(fit, item)]
        if entries:
            closest = max(map(_measure_specificity, entries))
            return [fit for fit in entries if _measure_specificity(fit) == closest]
    return []


def match_specialties(
    match_case: MatchCase, profile: Profile
) -> tuple[tuple[Match, ...], tuple[Reason, ...]]:
    """Match a reviewer's specialties to each item: the matches, and one reason per item.

    Cached in ``match_case.memo`` for all reviewers of the same kind with the same specialties.
    """
    key = (profile.kind, profile.specialties)
    cached = match_case.memo.get(key)
    if cached is None:
        cached = match_case.memo[key] = _match_items(match_case, profile)
    answer: tuple[tuple[Match, ...], tuple[Reason, ...]] = cached
    return answer


def _match_items(
    match_case: MatchCase, profile: Profile
) -> tuple[tuple[Match, ...], tuple[Reason, ...]]:
    """Compute ``match_specialties`` without the cache."""
    matches: list[Match] = []
    reasons: list[Reason] = []
    for item in match_case.items:
        item_match = _match_item(
            item, find_most_specific_entries(item, match_case.specialty_map), profile
        )
        if isinstance(item_match, Match):
            matches.append(item_match)
            reasons.append(Reason("SPECIALTY", True, f"Item {item.position}: {item_match.why}"))
        else:
            reasons.append(Reason("SPECIALTY", False, f"Item {item.position}: {item_match}"))
    # Without items no requirement of the map could refuse anyone.
    if not match_case.items:
        reasons.append(Reason("SPECIALTY", False, "The case has no open item to decide."))
    return tuple(matches), tuple(reasons)


def _match_item(
    item: MatchItem, entries: Sequence[SpecialtyMapEntry], profile: Profile
) -> Match | str:
    """Match one item to the first fitting specialty; without a match, return why as text."""
    own_specialties = profile.specialties
    if entries:
        for fit in entries:
            # The map is edited by staff and may list nursing, which still may not decide alone.
            if fit.specialty in own_specialties and fit.specialty not in NEVER_ALONE:
                condition_words = f" for {fit.condition_name}" if fit.condition_name else ""
                why = f"{fit.specialty} fits{condition_words} ({fit.reason.rstrip('.')})."
                return _build_match(item, fit.specialty, why, is_mapped=True)
        *names, last = sorted({fit.specialty for fit in entries})
        return f"requires {', '.join(names)} or {last}." if names else f"requires {last}."
    if profile.is_physician and own_specialties:
        why = (
            "the specialty map has no entry for this treatment; any board-certified specialty is "
            "accepted if the coordinator confirms."
        )
        # Any specialty is accepted, but the match has to name one: the first by name.
        return _build_match(item, own_specialties[0], why, is_mapped=False)
    kind = KIND_NAMES.get(profile.kind, "reviewer without a valid license")
    return f"the specialty map has no entry that allows a {kind}."


def _build_match(item: MatchItem, specialty: str, why: str, *, is_mapped: bool) -> Match:
    return Match(item.item_id, item.position, specialty, is_mapped, why, item.diagnosis)


def _applies_to_item(fit: SpecialtyMapEntry, item: MatchItem) -> bool:
    """Return whether the condition and the body part of an entry match an item.

    An empty field matches everything, but an entirely empty entry matches nothing.
    """
    if fit.condition is not None and fit.condition not in item.conditions:
        return False
    if fit.body_part:
        # The item must contain every word of the entry: "Spine" matches "Lumbar spine".
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
