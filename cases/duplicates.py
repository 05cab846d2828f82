"""Comparison of two applications: duplicate, repeated request, or candidates to consolidate. Pure.

The result lists the evidence for and against, one sentence each. It is a proposal only: a person
decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from directory.names import fold_name, fold_number, one_slip_apart


class Band(StrEnum):
    """How likely it is that two applications dispute the same UR decision for the same person."""

    SAME = "SAME"
    LIKELY = "LIKELY"
    POSSIBLE = "POSSIBLE"
    NO = "NO"


PROPOSED = (Band.SAME, Band.LIKELY, Band.POSSIBLE)

# Lowest points of a band. Chosen so that the labeled pairs of the benchmark separate best.
LIKELY_FROM, POSSIBLE_FROM = 7, 4
# Left out when names are compared: one form says “Dr. Lee”, another “Lee, MD”.
_TITLES = {"dr", "md", "mr", "mrs", "ms", "jr", "sr"}
SAME_WORDS, LIKE_WORDS = 0.6, 0.3  # shares of words that two treatments have in common


@dataclass(frozen=True)
class ApplicationFacts:
    """The fields of an application that are compared. An empty value is unknown."""

    employee: str = ""
    born: date | None = None
    claim: str = ""
    injured: date | None = None  # the first day of a cumulative injury
    injured_until: date | None = None  # its last day
    ur_decided: date | None = None
    ur_reference: str = ""
    physician: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class PossibleDuplicate:
    """Result of comparing two applications.

    :ivar points: sum of the evidence; see ``_collect_evidence``.
    :ivar is_repeat: the same treatment for the same person under another UR decision.
    :ivar can_consolidate: same employee, physician and date of injury, so they may be consolidated.
    """

    band: Band
    points: int
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]
    is_repeat: bool = False
    can_consolidate: bool = False

    @property
    def is_proposed(self) -> bool:
        return self.band in PROPOSED or self.is_repeat


def compare_applications(first: ApplicationFacts, second: ApplicationFacts) -> PossibleDuplicate:
    """Compare two applications. The order of the two does not matter."""
    evidence = list(_collect_evidence(first, second))
    points = sum(number for number, _ in evidence)
    names = classify_names(first.employee, second.employee)
    claims = _compare_numbers(first.claim, second.claim)
    # Without the same person there is nothing to propose, whatever else agrees.
    may_be_same_person = names in {"SAME", "CLOSE"} and not _has_other_birthday(first, second)
    decided = _compare_days(first.ur_decided, second.ur_decided)
    item_overlap = measure_item_overlap(first.items, second.items)
    band = Band.NO
    # An unknown decision date does not exclude a duplicate; the points then decide.
    if may_be_same_person and decided != "DIFFERENT":
        # These three facts identify a UR decision, so the points of other fields do not matter.
        is_same_decision = names == "SAME" and claims == "EQUAL" and decided == "EQUAL"
        # Two decisions of one day on one claim differ only in their reference.
        if is_same_decision and not _has_other_reference(first, second):
            band = Band.SAME
        elif points >= LIKELY_FROM:
            band = Band.LIKELY
        elif points >= POSSIBLE_FROM:
            band = Band.POSSIBLE
    elif (
        may_be_same_person
        and decided == "DIFFERENT"
        and _is_day_slip(first.ur_decided, second.ur_decided)
    ):
        # The decision dates differ by one digit, which may be a typing error if the rest agrees.
        band = Band.POSSIBLE if points >= LIKELY_FROM else Band.NO
    physicians = classify_names(first.physician, second.physician)
    # A name alone is not enough here: a common name would link strangers.
    is_same_person = may_be_same_person and (
        _compare_days(first.born, second.born) == "EQUAL" or claims == "EQUAL"
    )
    return PossibleDuplicate(
        band=band,
        points=points,
        evidence_for=tuple(words for number, words in evidence if number > 0),
        evidence_against=tuple(words for number, words in evidence if number < 0),
        is_repeat=is_same_person and item_overlap >= SAME_WORDS and decided == "DIFFERENT",
        can_consolidate=is_same_person
        and physicians in {"SAME", "CLOSE"}
        and _compare_injuries(first, second) == "EQUAL",
    )


def classify_names(first: str, second: str) -> str:
    """Compare two names: SAME, CLOSE or DIFFERENT.

    Word order, accents, hyphens and middle initials are ignored. CLOSE means a typing error in one
    word, a short form, or a second surname left out.
    """
    first_words, second_words = _split_name_words(first), _split_name_words(second)
    if not first_words or not second_words:
        return "DIFFERENT"
    if set(first_words) == set(second_words):
        return "SAME"
    shorter, longer = sorted((first_words, second_words), key=len)
    # A single word may be anyone’s surname, so it also needs the initial of the given name.
    if len(shorter) < 2:
        return "CLOSE" if _is_initial_and_surname(first, second) else "DIFFERENT"
    # Match each word of the shorter name with a different word of the longer one.
    unmatched, slips = list(longer), 0
    for word in shorter:
        if word in unmatched:
            unmatched.remove(word)
            continue
        similar = next((other for other in unmatched if _is_similar_word(word, other)), None)
        if similar is None:
            return "DIFFERENT"
        unmatched.remove(similar)
        slips += 1
    # Two misspelled words are more likely two people.
    return "CLOSE" if slips <= 1 else "DIFFERENT"


def measure_item_overlap(first: Sequence[str], second: Sequence[str]) -> float:
    """Return the share of words that the treatments of two applications have in common, 0 to 1."""
    first_words, second_words = _split_item_words(first), _split_item_words(second)
    # Divided by the words of both, so that a long list does not match every short one.
    return (
        len(first_words & second_words) / len(first_words | second_words)
        if first_words and second_words
        else 0.0
    )


def build_duplicate_keys(facts: ApplicationFacts) -> set[str]:
    """Build the search keys of an application, by which similar applications are found.

    Keys are made from each half of the claim number (a wrong character spoils only one half), from
    the birth date with a surname, from the date of injury with a surname, and from both dates.
    """
    keys = set()
    claim = fold_number(facts.claim)
    # Half of a short number would be shared by many unrelated claims.
    if len(claim) >= 6:
        half = len(claim) // 2
        keys |= {f"c<{claim[:half]}", f"c>{claim[-half:]}"}
    elif claim:
        keys.add(f"c={claim}")
    # Any word may be the surname, because forms print names in either order.
    surnames = {word for word in _split_name_words(facts.employee) if len(word) > 2}
    if facts.born:
        # Four letters of the word, so that a typing error at its end does not matter.
        keys |= {f"b{facts.born:%Y%m%d}{word[:4]}" for word in surnames}
    # By both days of a period: another form may state one of them alone.
    for day in filter(None, (facts.injured, facts.injured_until)):
        keys |= {f"i{day:%Y%m%d}{word[:4]}" for word in surnames}
    if facts.born and facts.injured:
        # For a name that changed or is misspelled at its beginning.
        keys.add(f"d{facts.born:%Y%m%d}{facts.injured:%Y%m%d}")
    return keys


def _collect_evidence(
    first: ApplicationFacts, second: ApplicationFacts
) -> Iterable[tuple[int, str]]:
    """Yield points and a sentence for each field that both applications state."""
    yield {
        "SAME": (3, "The injured worker’s name is the same."),
        "CLOSE": (2, "The injured worker’s name is nearly the same."),
        "DIFFERENT": (-3, "The injured worker’s name differs."),
    }[classify_names(first.employee, second.employee)]
    if days := _compare_days(first.born, second.born):
        yield {
            "EQUAL": (2, "The date of birth is the same."),
            "DIFFERENT": (-2, "The date of birth differs."),
        }[days]
    if claims := _compare_numbers(first.claim, second.claim):
        yield {
            "EQUAL": (3, "The claim number is the same."),
            "SLIP": (2, "The claim number differs in one place."),
            "DIFFERENT": (-1, "The claim number differs."),
        }[claims]
    if days := _compare_injuries(first, second):
        yield {
            "EQUAL": (1, "The date of injury is the same."),
            # Often one claim with a corrected period, but a single injury within it is another.
            "OVERLAP": (0, "The periods of injury overlap."),
            "DIFFERENT": (-2, "The date of injury differs."),
        }[days]
    if days := _compare_days(first.ur_decided, second.ur_decided):
        yield {
            "EQUAL": (2, "The UR decision has the same date."),
            "DIFFERENT": (-2, "The UR decision has another date."),
        }[days]
    if references := _compare_numbers(first.ur_reference, second.ur_reference):
        yield {
            "EQUAL": (2, "The UR reference is the same."),
            "SLIP": (1, "The UR reference differs in one place."),
            "DIFFERENT": (-1, "The UR reference differs."),
        }[references]
    if first.physician and second.physician:
        same = classify_names(first.physician, second.physician) != "DIFFERENT"
        yield (
            (1, "The requesting physician is the same.")
            if same
            else (-1, "The requesting physician differs.")
        )
    if first.items and second.items:
        share = measure_item_overlap(first.items, second.items)
        if share >= SAME_WORDS:
            yield 2, "The treatments are the same."
        elif share >= LIKE_WORDS:
            yield 1, "The treatments are similar."
        else:
            yield -2, "The treatments differ."


def _compare_days(first: date | None, second: date | None) -> str:
    """Compare two dates: EQUAL, DIFFERENT, or empty if one is unknown."""
    if first is None or second is None:
        return ""
    return "EQUAL" if first == second else "DIFFERENT"


def _compare_injuries(first: ApplicationFacts, second: ApplicationFacts) -> str:
    """Compare two dates of injury: EQUAL, OVERLAP, DIFFERENT, or empty if one is unknown.

    A day overlaps the period of a cumulative injury in which it lies.
    """
    if first.injured is None or second.injured is None:
        return ""
    if (first.injured, first.injured_until) == (second.injured, second.injured_until):
        return "EQUAL"
    overlaps = first.injured <= (second.injured_until or second.injured) and second.injured <= (
        first.injured_until or first.injured
    )
    return "OVERLAP" if overlaps else "DIFFERENT"


def _is_day_slip(first: date | None, second: date | None) -> bool:
    """Return whether two dates differ by one typing error."""
    return (
        # As MMDDYYYY, the order in which people type dates.
        first is not None
        and second is not None
        and one_slip_apart(f"{first:%m%d%Y}", f"{second:%m%d%Y}")
    )


def _has_other_birthday(first: ApplicationFacts, second: ApplicationFacts) -> bool:
    """Return whether the birth dates show two people. A typing error in one digit does not."""
    return _compare_days(first.born, second.born) == "DIFFERENT" and not _is_day_slip(
        first.born, second.born
    )


def _compare_numbers(first: str, second: str) -> str:
    """Compare two numbers: EQUAL, SLIP, DIFFERENT, or empty if one is unknown."""
    first_number, second_number = fold_number(first), fold_number(second)
    if not first_number or not second_number:
        return ""
    if first_number == second_number:
        return "EQUAL"
    # Short numbers are similar by chance.
    long_enough = min(len(first_number), len(second_number)) >= 6
    is_slip = long_enough and one_slip_apart(first_number, second_number)
    return "SLIP" if is_slip else "DIFFERENT"


def _has_other_reference(first: ApplicationFacts, second: ApplicationFacts) -> bool:
    """Return whether both applications state a UR reference and these differ."""
    return _compare_numbers(first.ur_reference, second.ur_reference) == "DIFFERENT"


def _split_name_words(name: str) -> list[str]:
    """Return the folded words of a name, without titles and initials."""
    words = [word for word in fold_name(name).split() if word not in _TITLES]
    # A name of initials only keeps them: an empty list would match nothing.
    return [word for word in words if len(word) > 1] or words


def _is_initial_and_surname(first: str, second: str) -> bool:
    """Return whether one name is the other with the given name as an initial: D. Oyelaran."""
    short_form, full_name = sorted((first, second), key=lambda name: len(_split_name_words(name)))
    initials = [word for word in fold_name(short_form).split() if len(word) == 1]
    full_words = _split_name_words(full_name)
    if not initials or not set(_split_name_words(short_form)) <= set(full_words):
        return False
    given_names = [word for word in full_words if word not in _split_name_words(short_form)]
    return any(word.startswith(initials[0]) for word in given_names)


def _is_similar_word(first: str, second: str) -> bool:
    """Return whether two words are the same but for a short form or one typing error."""
    shorter, longer = sorted((first, second), key=len)
    if len(shorter) >= 3 and longer.startswith(shorter):
        return True
    return len(shorter) >= 4 and one_slip_apart(first, second)


def _split_item_words(items: Iterable[str]) -> set[str]:
    """Return the folded words of all treatments."""
    # Single letters, such as units, are equal by chance.
    return {word for item in items for word in fold_name(item).split() if len(word) > 1}
