"""Whether someone is tied to a party of a case. Pure: values in, affiliations out; no rows, no
clock.

Three answers. FAIL: an affiliation on file names this very person or organization, or a row that is
the same one, an officer, or a company of the same group. UNKNOWN: the names are the same or
similar, or a company is held in part, so a person has to look. PASS: nothing on file. A shared
surname alone is a PASS that is asked about (Labor Code 139.5; 8 CCR 9768.1 and 9768.2 for the
relations and the holding).

The reviewer who is offered a case is tested by it, and the review organization itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Protocol

from .names import fold_name, one_slip_apart

PASS, FAIL, UNKNOWN = "PASS", "FAIL", "UNKNOWN"

# Relations of a result that no affiliation gives.
NAME = "NAME"  # the reviewer and a party bear the same or a similar name
NAMESAKE = "NAMESAKE"  # an affiliation names someone who is called like the party
SURNAME = "SURNAME"  # only the surname is shared
PART_OWNED = "PART_OWNED"  # through a company of which only a part is held
NONE = "NONE"  # tested, nothing found

# What a person has to do about a doubt; a certain affiliation asks nothing.
FIND_OUT = {
    "": "",
    PART_OWNED: " Find out whether it matters.",
    NAMESAKE: " Find out whether they are the same.",
}

_TITLES = {
    "md",
    "dpm",
    "phd",
    "psyd",
    "lac",
    "dds",
    "dmd",
    "dr",
    "mr",
    "mrs",
    "ms",
    "jr",
    "sr",
    "esq",
}
# These are degrees or numbers behind a whole name, but someone's surname otherwise.
_PERHAPS_TITLES = {"do", "od", "dc", "pa", "np", "rn", "ii", "iii", "iv"}

_CONFLICTS = {
    "EMPLOYMENT": "Employment with",
    "CONTRACT": "A contract with",
    "UR_CONTRACT": "A contract for utilization review with",
    "OWNERSHIP": "Ownership of, or a holding in,",
    "FAMILY": "A family affiliation to",
    "PRIVILEGES": "Privileges at",
    "SAME_GROUP": "The same medical group as",
    "DEVELOPMENT": "Development of a drug, device or procedure with",
    "TREATMENT": "Treatment or examination of",
    "INVOLVED": "An earlier part in the claim of",
    "OTHER": "An affiliation to",
}


# What every party is tested for; one row says of all of them that nothing is on file.
RELATIONS_TESTED = (*_CONFLICTS, NAME, NAMESAKE)

# Surnames of fewer letters are not taken for one another after a slip of the pen.
SLIPS_FROM = 5

# Owning this much of a company, or an unstated share of it, is control over it.
CONTROL_PERCENT = Decimal(50)


@dataclass(frozen=True)
class Limits:
    """From where on an affiliation is a conflict. The defaults are those of 8 CCR 9768.1."""

    holding_percent: Decimal = Decimal(1)  # a holding above this share is a financial affiliation
    kin: frozenset[str] = frozenset(
        {
            "SPOUSE",
            "COHABITANT",
            "PARENT",
            "CHILD",
            "SIBLING",
            "GRANDPARENT",
            "GRANDCHILD",
            "UNCLE_AUNT",
            "NEPHEW_NIECE",
            "SPOUSES_PARENT",
            "CHILDS_SPOUSE",
        }
    )


DEFAULT_LIMITS = Limits()


class HeldAffiliation(Protocol):
    """An affiliation that is on file of someone: to an organization, a person, or both."""

    @property
    def relation(self) -> str: ...
    @property
    def organization_id(self) -> int | None: ...
    @property
    def person_id(self) -> int | None: ...
    @property
    def share_percent(self) -> Decimal | None: ...
    @property
    def kin(self) -> str: ...


@dataclass(frozen=True)
class FoldedName:
    """A person's name, folded for comparison."""

    first: str
    last: str


@dataclass(frozen=True)
class PartyFacts:
    """A party of the case, with every row that is the same person or organization."""

    party_id: int
    role: str
    role_label: str
    name: str
    persons: frozenset[int] = frozenset()
    organizations: frozenset[int] = frozenset()
    person_names: tuple[FoldedName, ...] = ()
    organization_words: frozenset[str] = frozenset()
    # companies that own it, that it owns, that the same owner controls, or, of a person, that they
    # direct; and those held in part
    group: frozenset[int] = frozenset()
    part_owned: frozenset[int] = frozenset()
    # its officers, directors and managers, and those of its group
    officers: frozenset[int] = frozenset()
    officer_names: tuple[FoldedName, ...] = ()
    # other rows, not known to be the same, that bear the party's name
    namesake_persons: frozenset[int] = frozenset()
    namesake_organizations: frozenset[int] = frozenset()

    @cached_property
    def no_conflict(self) -> "FoundConflict":
        """The result for everyone of whom nothing is on file; most are."""
        return FoundConflict(
            self.party_id, NONE, PASS, f"No affiliation to {the(self)} is on file."
        )


@dataclass(frozen=True)
class FoundConflict:
    """One result: a party, the relation tested, the answer, and the sentence that says it."""

    party_id: int
    relation: str
    result: str
    sentence: str = field(compare=False)

    @property
    def tested(self) -> tuple[str, ...]:
        """Every relation that this one result answers for."""
        return RELATIONS_TESTED if self.relation == NONE else (self.relation,)


def split_name(printed: str, *, first: str = "", last: str = "") -> FoldedName:
    """A name folded into first and last, without titles; the middle is left out.

    Given parts win; else ``Last, First`` and ``First Middle Last`` are both understood. A surname
    with a hyphen stays two words.
    """
    if last:
        return FoldedName(" ".join(_words(first)[:1]), " ".join(_words(last)))
    before, _, after = printed.partition(",")
    given, words = _words(after), _words(before)
    if given:
        return FoldedName(given[0], " ".join(words))
    if len(words) < 2:
        return FoldedName("", " ".join(words))
    return FoldedName(words[0], words[-1])


def compare_names(one: FoldedName, other: FoldedName) -> str:
    """How alike two names are: SAME, SIMILAR, SURNAME or DIFFERENT."""
    if not one.last or not other.last:
        return "DIFFERENT"
    surnames = set(one.last.split()) & set(other.last.split())
    if one.last == other.last and one.first == other.first and one.first:
        return "SAME"
    if one.first == other.last and one.last == other.first:
        return "SIMILAR"
    close_last = bool(surnames) or (
        min(len(one.last), len(other.last)) >= SLIPS_FROM and one_slip_apart(one.last, other.last)
    )
    if close_last and _first_names_alike(one.first, other.first):
        return "SIMILAR"
    return "SURNAME" if surnames else "DIFFERENT"


def groups_of_same(pairs: Iterable[tuple[int, int]]) -> Mapping[int, frozenset[int]]:
    """Which ids are one and the same, from "same as" pairs; an id in no pair is its own group."""
    groups: dict[int, set[int]] = {}
    for one, other in pairs:
        merged = groups.get(one, {one}) | groups.get(other, {other})
        for member in merged:
            groups[member] = merged
    return {member: frozenset(group) for member, group in groups.items()}


def groups_of_companies(
    same: Iterable[tuple[int, int]],
    owned: Iterable[tuple[int, int, Decimal | None]],
    limits: Limits,
) -> tuple[Mapping[int, frozenset[int]], Mapping[int, frozenset[int]]]:
    """Which companies belong together, by control and by any holding above the limit.

    :param owned: (child, parent, share in percent; unstated means control).
    """
    same, owned = list(same), list(owned)
    control = [
        (child, parent)
        for child, parent, share in owned
        if share is None or share >= CONTROL_PERCENT
    ]
    held = [
        (child, parent)
        for child, parent, share in owned
        if share is not None and limits.holding_percent < share < CONTROL_PERCENT
    ]
    return groups_of_same([*same, *control]), groups_of_same([*same, *control, *held])


def conflicts_through(
    held: Iterable[HeldAffiliation], party: PartyFacts, limits: Limits
) -> list[FoundConflict]:
    """What the affiliations on file say of one party, each answer once."""
    found = [_tied(one, party) for one in held if not _too_small(one, limits)]
    return list(dict.fromkeys(conflict for conflict in found if conflict is not None))


def conflict_of_name(name: FoldedName, party: PartyFacts, *, who: str) -> FoundConflict | None:
    """What a name alone says of one party: a doubt, a question, or nothing.

    :param who: who bears the name, as a sentence begins: "The reviewer".
    """
    possible_duplicate = {compare_names(name, other) for other in party.person_names}
    bears_it = name.first and {name.first, *name.last.split()} <= party.organization_words
    if "SAME" in possible_duplicate or bears_it:
        return FoundConflict(
            party.party_id,
            NAME,
            UNKNOWN,
            f"{who} bears the name of {the(party)}. Find out whether they are the same.",
        )
    if "SIMILAR" in possible_duplicate:
        return FoundConflict(
            party.party_id,
            NAME,
            UNKNOWN,
            f"{who}’s name is like that of {the(party)}. Find out whether they are the same.",
        )
    if {compare_names(name, other) for other in party.officer_names} & {"SAME", "SIMILAR"}:
        return FoundConflict(
            party.party_id,
            NAME,
            UNKNOWN,
            f"{who}’s name is like that of an officer of {the(party)}. "
            "Find out whether they are the same.",
        )
    if "SURNAME" in possible_duplicate:
        return FoundConflict(
            party.party_id,
            SURNAME,
            PASS,
            f"{who} shares a surname with {the(party)}; the attestation asks about it.",
        )
    return None


def reached(
    organization_id: int | None, person_id: int | None, party: PartyFacts
) -> tuple[str, str] | None:
    """Who an organization or a person is to a party, as a sentence names them; ``None``: no one.

    :returns: the doubt (``PART_OWNED``, ``NAMESAKE``, or nothing where it is certain), and whom.
    """
    the_party = the(party)
    if organization_id in party.organizations or person_id in party.persons:
        return "", the_party
    if person_id in party.officers:
        return "", f"an officer, director or manager of {the_party}"
    if organization_id in party.group:
        if party.persons:
            return "", f"a company that {the_party} directs, or one of its group,"
        return "", f"a company of the same group as {the_party}"
    if organization_id in party.part_owned:
        return PART_OWNED, f"a company that holds a part of {the_party} or is held by it in part"
    if organization_id in party.namesake_organizations or person_id in party.namesake_persons:
        return NAMESAKE, f"someone who is called like {the_party}"
    return None


def the(party: PartyFacts) -> str:
    """A party as a sentence names it, by its role: "the employer"."""
    label = party.role_label
    return f"the {label if label[:2].isupper() else label[0].lower() + label[1:]}"


def _tied(held: HeldAffiliation, party: PartyFacts) -> FoundConflict | None:
    """The result of one affiliation on file.

    Direct, through an officer, or through another company.
    """
    reach = reached(held.organization_id, held.person_id, party)
    if reach is None:
        return None
    doubt, whom = reach
    words = _CONFLICTS.get(held.relation, "An affiliation to")
    return FoundConflict(
        party.party_id,
        doubt or held.relation,
        UNKNOWN if doubt else FAIL,
        f"{words} {whom} is on file.{FIND_OUT[doubt]}",
    )


def _too_small(held: HeldAffiliation, limits: Limits) -> bool:
    """A holding below the limit, or a relative who does not count as family.

    A relative of whom no one said how they are related counts.
    """
    if held.relation == "FAMILY" and held.kin and held.kin not in limits.kin:
        return True
    small = held.share_percent is not None and held.share_percent <= limits.holding_percent
    return small and held.relation in {"OWNERSHIP", "FAMILY"}


def _words(text: str) -> list[str]:
    """The words of a name, each folded, without titles; ``M.D.`` is one word and a title."""
    folded = [fold_name(word) for word in text.split()]
    words = [word for word in folded if word and word.replace(" ", "") not in _TITLES]
    sure = [word for word in words if word.replace(" ", "") not in _PERHAPS_TITLES]
    return sure if len(sure) >= 2 or not words else words[: max(len(sure), 2)]


def _first_names_alike(one: str, other: str) -> bool:
    if not one or not other:
        return True  # a surname alone on paper may be anybody of that name
    if len(one) == 1 or len(other) == 1:
        return one[0] == other[0]
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= 3 and longer.startswith(shorter):
        return True
    return one == other or (len(shorter) >= 4 and one_slip_apart(one, other))
