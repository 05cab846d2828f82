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
    injured: date | None = None
    ur_decided: date | None = None
    ur_reference: str = ""
    physician: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class PossibleDuplicate:
    """Result of comparing two applications.

    :ivar points: sum of the evidence; see ``_collect_evidence``.
    :ivar repeats: the same treatment for the same person under another UR decision.
    :ivar belongs: same employee, physician and date of injury, so they may be consolidated.
    """

    band: Band
    points: int
    for_it: tuple[str, ...]
    against: tuple[str, ...]
    repeats: bool = False
    belongs: bool = False

    @property
    def is_proposed(self) -> bool:
        return self.band in PROPOSED or self.repeats


def compare_applications(one: ApplicationFacts, other: ApplicationFacts) -> PossibleDuplicate:
    """Compare two applications. The order of the two does not matter."""
    evidence = list(_collect_evidence(one, other))
    points = sum(number for number, _ in evidence)
    names = classify_names(one.employee, other.employee)
    claims = _compare_numbers(one.claim, other.claim)
    # Without the same person there is nothing to propose, whatever else agrees.
    person = names in {"SAME", "CLOSE"} and not _has_other_birthday(one, other)
    decided = _compare_days(one.ur_decided, other.ur_decided)
    alike = measure_item_overlap(one.items, other.items)
    band = Band.NO
    # An unknown decision date does not exclude a duplicate; the points then decide.
    if person and decided != "DIFFERENT":
        # These three facts identify a UR decision, so the points of other fields do not matter.
        sure = names == "SAME" and claims == "EQUAL" and decided == "EQUAL"
        # Two decisions of one day on one claim differ only in their reference.
        if sure and not _has_other_reference(one, other):
            band = Band.SAME
        elif points >= LIKELY_FROM:
            band = Band.LIKELY
        elif points >= POSSIBLE_FROM:
            band = Band.POSSIBLE
    elif person and decided == "DIFFERENT" and _is_day_slip(one.ur_decided, other.ur_decided):
        # The decision dates differ by one digit, which may be a typing error if the rest agrees.
        band = Band.POSSIBLE if points >= LIKELY_FROM else Band.NO
    physicians = classify_names(one.physician, other.physician)
    # A name alone is not enough here: a common name would link strangers.
    sure_person = person and (_compare_days(one.born, other.born) == "EQUAL" or claims == "EQUAL")
    return PossibleDuplicate(
        band=band,
        points=points,
        for_it=tuple(words for number, words in evidence if number > 0),
        against=tuple(words for number, words in evidence if number < 0),
        repeats=sure_person and alike >= SAME_WORDS and decided == "DIFFERENT",
        belongs=sure_person
        and physicians in {"SAME", "CLOSE"}
        and _compare_days(one.injured, other.injured) == "EQUAL",
    )


def classify_names(one: str, other: str) -> str:
    """Compare two names: SAME, CLOSE or DIFFERENT.

    Word order, accents, hyphens and middle initials are ignored. CLOSE means a typing error in one
    word, a short form, or a second surname left out.
    """
    mine, theirs = _split_name_words(one), _split_name_words(other)
    if not mine or not theirs:
        return "DIFFERENT"
    if set(mine) == set(theirs):
        return "SAME"
    shorter, longer = sorted((mine, theirs), key=len)
    # A single word may be anyone’s surname, so it also needs the initial of the given name.
    if len(shorter) < 2:
        return "CLOSE" if _is_initial_and_surname(one, other) else "DIFFERENT"
    # Match each word of the shorter name with a different word of the longer one.
    left, slips = list(longer), 0
    for word in shorter:
        if word in left:
            left.remove(word)
            continue
        near = next((one for one in left if _is_similar_word(word, one)), None)
        if near is None:
            return "DIFFERENT"
        left.remove(near)
        slips += 1
    # Two misspelled words are more likely two people.
    return "CLOSE" if slips <= 1 else "DIFFERENT"


def measure_item_overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """Return the share of words that the treatments of two applications have in common, 0 to 1."""
    mine, theirs = _split_item_words(one), _split_item_words(other)
    # Divided by the words of both, so that a long list does not match every short one.
    return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0


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
    if facts.injured:
        keys |= {f"i{facts.injured:%Y%m%d}{word[:4]}" for word in surnames}
    if facts.born and facts.injured:
        # For a name that changed or is misspelled at its beginning.
        keys.add(f"d{facts.born:%Y%m%d}{facts.injured:%Y%m%d}")
    return keys


def _collect_evidence(one: ApplicationFacts, other: ApplicationFacts) -> Iterable[tuple[int, str]]:
    """Yield points and a sentence for each field that both applications state."""
    yield {
        "SAME": (3, "The employee’s name is the same."),
        "CLOSE": (2, "The employee’s name is nearly the same."),
        "DIFFERENT": (-3, "The employee’s name differs."),
    }[classify_names(one.employee, other.employee)]
    if both := _compare_days(one.born, other.born):
        yield {
            "EQUAL": (2, "The date of birth is the same."),
            "DIFFERENT": (-2, "The date of birth differs."),
        }[both]
    if claims := _compare_numbers(one.claim, other.claim):
        yield {
            "EQUAL": (3, "The claim number is the same."),
            "SLIP": (2, "The claim number differs in one place."),
            "DIFFERENT": (-1, "The claim number differs."),
        }[claims]
    if both := _compare_days(one.injured, other.injured):
        yield {
            "EQUAL": (1, "The date of injury is the same."),
            "DIFFERENT": (-2, "The date of injury differs."),
        }[both]
    if both := _compare_days(one.ur_decided, other.ur_decided):
        yield {
            "EQUAL": (2, "The UR decision has the same date."),
            "DIFFERENT": (-2, "The UR decision has another date."),
        }[both]
    if references := _compare_numbers(one.ur_reference, other.ur_reference):
        yield {
            "EQUAL": (2, "The UR reference is the same."),
            "SLIP": (1, "The UR reference differs in one place."),
            "DIFFERENT": (-1, "The UR reference differs."),
        }[references]
    if one.physician and other.physician:
        same = classify_names(one.physician, other.physician) != "DIFFERENT"
        yield (
            (1, "The requesting physician is the same.")
            if same
            else (-1, "The requesting physician differs.")
        )
    if one.items and other.items:
        share = measure_item_overlap(one.items, other.items)
        if share >= SAME_WORDS:
            yield 2, "The treatments are the same."
        elif share >= LIKE_WORDS:
            yield 1, "The treatments are similar."
        else:
            yield -2, "The treatments differ."


def _compare_days(one: date | None, other: date | None) -> str:
    """Compare two dates: EQUAL, DIFFERENT, or empty if one is unknown."""
    if one is None or other is None:
        return ""
    return "EQUAL" if one == other else "DIFFERENT"


def _is_day_slip(one: date | None, other: date | None) -> bool:
    """Whether two dates differ by one typing error."""
    return (
        # As MMDDYYYY, the order in which people type dates.
        one is not None and other is not None and one_slip_apart(f"{one:%m%d%Y}", f"{other:%m%d%Y}")
    )


def _has_other_birthday(one: ApplicationFacts, other: ApplicationFacts) -> bool:
    """Whether the birth dates show two people. A typing error in one digit does not."""
    return _compare_days(one.born, other.born) == "DIFFERENT" and not _is_day_slip(
        one.born, other.born
    )


def _compare_numbers(one: str, other: str) -> str:
    """Compare two numbers: EQUAL, SLIP, DIFFERENT, or empty if one is unknown."""
    mine, theirs = fold_number(one), fold_number(other)
    if not mine or not theirs:
        return ""
    if mine == theirs:
        return "EQUAL"
    long_enough = min(len(mine), len(theirs)) >= 6  # short numbers are similar by chance
    return "SLIP" if long_enough and one_slip_apart(mine, theirs) else "DIFFERENT"


def _has_other_reference(one: ApplicationFacts, other: ApplicationFacts) -> bool:
    """Whether both applications state a UR reference and these differ."""
    return _compare_numbers(one.ur_reference, other.ur_reference) == "DIFFERENT"


def _split_name_words(name: str) -> list[str]:
    """Return the folded words of a name, without titles and initials."""
    words = [word for word in fold_name(name).split() if word not in _TITLES]
    # A name of initials only keeps them: an empty list would match nothing.
    return [word for word in words if len(word) > 1] or words


def _is_initial_and_surname(one: str, other: str) -> bool:
    """Whether one name is the other with the given name as an initial: D. Oyelaran."""
    cut, whole = sorted((one, other), key=lambda name: len(_split_name_words(name)))
    letters = [word for word in fold_name(cut).split() if len(word) == 1]
    rest = _split_name_words(whole)
    if not letters or not set(_split_name_words(cut)) <= set(rest):
        return False
    given = [word for word in rest if word not in _split_name_words(cut)]
    return any(word.startswith(letters[0]) for word in given)


def _is_similar_word(one: str, other: str) -> bool:
    """Whether two words are the same but for a short form or one typing error."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= 3 and longer.startswith(shorter):
        return True
    return len(shorter) >= 4 and one_slip_apart(one, other)


def _split_item_words(items: Iterable[str]) -> set[str]:
    """Return the folded words of all treatments."""
    # Single letters, such as units, are equal by chance.
    return {word for item in items for word in fold_name(item).split() if len(word) > 1}
