"""The conflict check: whether someone is affiliated with a party of a case. Pure.

There are three results. FAIL: an affiliation on file names this person or organization, a
duplicate entry of it, an officer, or a company of the same group. UNKNOWN: the names are the same
or similar, or a company is owned in part, so a person has to decide. PASS: no affiliation is on
file. A shared surname alone is a PASS, and the attestation asks about it.

Each FAIL and UNKNOWN has a level: whether Labor Code 139.5(d)(5)-(6) forbids the affiliation, or
only a rule of this organization, such as the wider limits of 8 CCR 9768.1. Both bar alike.

The check is used for the reviewer who is offered a case and for the review organization itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Protocol

from django.db import models

from .names import fold_name, one_slip_apart

PASS, FAIL, UNKNOWN = "PASS", "FAIL", "UNKNOWN"

# Relations of results that do not come from an affiliation on file.
NAME = "NAME"  # the reviewer and a party have the same or a similar name
NAMESAKE = "NAMESAKE"  # an affiliation names someone with the same name as the party
SURNAME = "SURNAME"  # only the surname is shared
PART_OWNED = "PART_OWNED"  # through a company that is owned only in part
NONE = "NONE"  # checked, nothing found

# What a person has to do about a doubtful result.
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
# Degrees or numbers when they follow a whole name, but otherwise a surname.
_PERHAPS_TITLES = {"do", "od", "dc", "pa", "np", "rn", "ii", "iii", "iv"}

_CONFLICTS = {
    "EMPLOYMENT": "Employment with",
    "CONTRACT": "A contract with",
    "UR_CONTRACT": "A contract for utilization review with",
    "OWNERSHIP": "Ownership of, or a holding in,",
    "FAMILY": "A family affiliation with",
    "PRIVILEGES": "Privileges at",
    "SAME_GROUP": "The same medical group as",
    "DEVELOPMENT": "Development of a drug, device or procedure with",
    "TREATMENT": "Treatment or examination of",
    "INVOLVED": "Earlier involvement in the claim of",
    "OTHER": "An affiliation with",
}


# What every party is checked for; one stored row says of all of them that nothing is on file.
RELATIONS_TESTED = (*_CONFLICTS, NAME, NAMESAKE)

# Shorter surnames are not considered similar after a typing error.
SLIPS_FROM = 5

# Owning this much of a company, or a share that is not stated, counts as control.
CONTROL_PERCENT = Decimal(50)


class ConflictLevel(models.TextChoices):
    """Who forbids an affiliation."""

    STATUTE = "STATUTE", "Statute"
    ORGANIZATION = "ORGANIZATION", "Organization’s rule"


STATUTE_SOURCE = "Labor Code 139.5(d)(5)-(6)"
# Of what this organization forbids without a regulation to take it from.
POLICY_SOURCE = "policy of this organization"


@dataclass(frozen=True)
class Level:
    """Who forbids an affiliation: the statute, or only a rule of this organization."""

    code: ConflictLevel
    source: str

    def __str__(self) -> str:
        return f"{self.code.label}: {self.source}."


# Affiliations that the statute names. Privileges at a facility, an earlier part in the claim and a
# contract for utilization review are not among them.
_STATUTE_RELATIONS = {
    "EMPLOYMENT",
    "CONTRACT",
    "OWNERSHIP",
    "FAMILY",
    "SAME_GROUP",
    "DEVELOPMENT",
    "TREATMENT",
}

# The parties that the statute names, as values of ``cases.models.Role``: employer, insurer and
# administrator; physician and medical group; facility; manufacturer; employee.
_STATUTE_ROLES = {
    "EMPLOYER",
    "INSURER",
    "CLAIMS_ADMINISTRATOR",
    "REQUESTING_PHYSICIAN",
    "PHYSICIAN_GROUP",
    "OTHER_PROVIDER",
    "FACILITY",
    "MANUFACTURER",
    "EMPLOYEE",
}


@dataclass(frozen=True)
class Limits:
    """The limits above which an affiliation is a conflict. Defaults from 8 CCR 9768.1."""

    holding_percent: Decimal = Decimal(1)  # a larger holding is a financial affiliation
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
    source: str = "8 CCR 9768.1"


DEFAULT_LIMITS = Limits()

# The statute counts more than 5% of annual revenue or income. That is not on file, so the share of
# the organization is used instead.
STATUTE_LIMITS = Limits(
    holding_percent=Decimal(5),
    kin=frozenset({"SPOUSE", "CHILD", "PARENT", "SIBLING", "SPOUSES_PARENT", "CHILDS_SPOUSE"}),
    source=STATUTE_SOURCE,
)


class HeldAffiliation(Protocol):
    """An affiliation on file with an organization, a person, or both."""

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
    """A party of the case, with every entry of the same person or organization."""

    party_id: int
    role: str
    role_label: str
    name: str
    persons: frozenset[int] = frozenset()
    organizations: frozenset[int] = frozenset()
    person_names: tuple[FoldedName, ...] = ()
    organization_words: frozenset[str] = frozenset()
    # Companies that own it, that it owns, or that the same owner controls; for a person, companies
    # that they direct. Separately, companies owned in part.
    group: frozenset[int] = frozenset()
    part_owned: frozenset[int] = frozenset()
    # Its officers, directors and managers, and those of its group.
    officers: frozenset[int] = frozenset()
    officer_names: tuple[FoldedName, ...] = ()
    # Other entries with the party's name that are not known to be the same.
    namesake_persons: frozenset[int] = frozenset()
    namesake_organizations: frozenset[int] = frozenset()

    @cached_property
    def all_organizations(self) -> frozenset[int]:
        """Every organization by which an affiliation may reach this party."""
        return self.organizations | self.namesake_organizations | self.group | self.part_owned

    @cached_property
    def all_persons(self) -> frozenset[int]:
        """Every person by whom an affiliation may reach this party."""
        return self.persons | self.namesake_persons | self.officers

    @cached_property
    def no_conflict(self) -> "FoundConflict":
        """The result if no affiliation is on file, which is the usual case."""
        return FoundConflict(
            self.party_id, NONE, PASS, f"No affiliation with {describe_party(self)} is on file."
        )


@dataclass(frozen=True)
class FoundConflict:
    """One result of the check: the party, the relation, the result, and a sentence."""

    party_id: int
    relation: str
    result: str
    sentence: str = field(compare=False)
    level: Level | None = field(default=None, compare=False)  # of FAIL and UNKNOWN

    @property
    def prohibition_fields(self) -> dict[str, str]:
        """The level as columns of a stored result."""
        level = self.level
        return {"level": level.code if level else "", "level_source": level.source if level else ""}

    @property
    def tested(self) -> tuple[str, ...]:
        """Every relation that this result covers."""
        return RELATIONS_TESTED if self.relation == NONE else (self.relation,)


def split_name(printed: str, *, first: str = "", last: str = "") -> FoldedName:
    """Split a name into folded first and last name, without titles and middle names.

    Given parts are used if there are any. Otherwise ``Last, First`` and ``First Middle Last`` are
    both understood. A hyphenated surname stays two words.
    """
    if last:
        return FoldedName(" ".join(_words_of_name(first)[:1]), " ".join(_words_of_name(last)))
    before, _, after = printed.partition(",")
    given, words = _words_of_name(after), _words_of_name(before)
    if given:
        return FoldedName(given[0], " ".join(words))
    if len(words) < 2:
        return FoldedName("", " ".join(words))
    # Words in between are middle names or initials.
    return FoldedName(words[0], words[-1])


def compare_names(one: FoldedName, other: FoldedName) -> str:
    """Compare two names: SAME, SIMILAR, SURNAME or DIFFERENT."""
    if not one.last or not other.last:
        return "DIFFERENT"
    surnames = set(one.last.split()) & set(other.last.split())
    if one.last == other.last and one.first == other.first and one.first:
        return "SAME"
    # Forms print either name first. Two people may also have swapped names, so it is a doubt.
    if one.first == other.last and one.last == other.first:
        return "SIMILAR"
    close_last = bool(surnames) or (
        min(len(one.last), len(other.last)) >= SLIPS_FROM and one_slip_apart(one.last, other.last)
    )
    if close_last and _first_names_match(one.first, other.first):
        return "SIMILAR"
    return "SURNAME" if surnames else "DIFFERENT"


def group_same_ids(pairs: Iterable[tuple[int, int]]) -> Mapping[int, frozenset[int]]:
    """Group ids that are the same, from "same as" pairs; an id in no pair has no group."""
    groups: dict[int, set[int]] = {}
    for one, other in pairs:
        # Whole groups are joined, because pairs come in any order: A = B and C = D, then B = C.
        merged = groups.get(one, {one}) | groups.get(other, {other})
        for member in merged:
            groups[member] = merged
    return {member: frozenset(group) for member, group in groups.items()}


def group_companies(
    same: Iterable[tuple[int, int]],
    owned: Iterable[tuple[int, int, Decimal | None]],
    limits: Limits,
) -> tuple[Mapping[int, frozenset[int]], Mapping[int, frozenset[int]]]:
    """Group companies by control, and by any holding above the limit.

    :param owned: (child, parent, share in percent; ``None`` means control).
    :returns: the groups by control, and the groups by control or holding.
    """
    # Both are read twice and may be iterators.
    same, owned = list(same), list(owned)
    control = [
        (child, parent)
        for child, parent, share in owned
        if share is None or share >= CONTROL_PERCENT
    ]
    links = [
        (child, parent)
        for child, parent, share in owned
        if share is not None and limits.holding_percent < share < CONTROL_PERCENT
    ]
    return group_same_ids([*same, *control]), group_same_ids([*same, *control, *links])


def find_conflicts_on_file(
    affiliations: Iterable[HeldAffiliation], party: PartyFacts, limits: Limits
) -> list[FoundConflict]:
    """Find the conflicts with one party that follow from affiliations on file, without repeats."""
    checked = [_check_affiliation(one, party, limits) for one in affiliations]
    # The statute first: results that differ only in sentence and level are equal, and the first one
    # stays.
    conflicts = sorted(
        (conflict for conflict in checked if conflict is not None),
        key=lambda conflict: conflict.level is None or conflict.level.code != ConflictLevel.STATUTE,
    )
    return list(dict.fromkeys(conflicts))


def judge_affiliation(held: HeldAffiliation, limits: Limits) -> Level | None:
    """Judge who forbids an affiliation, if it is with a party that the statute names.

    :returns: ``None`` if it is within the limits, so that nobody forbids it.
    """
    # The statute first: wider limits of the organization cannot switch it off.
    if held.relation in _STATUTE_RELATIONS and not _is_below_limit(held, STATUTE_LIMITS):
        return Level(ConflictLevel.STATUTE, STATUTE_SOURCE)
    if _is_below_limit(held, limits):
        return None
    has_limit = held.relation in {"OWNERSHIP", "FAMILY"}
    return Level(ConflictLevel.ORGANIZATION, limits.source if has_limit else POLICY_SOURCE)


def judge_party(party: PartyFacts) -> Level:
    """Judge who forbids that someone is a party themselves: the statute, if it names the party."""
    if party.role in _STATUTE_ROLES:
        return Level(ConflictLevel.STATUTE, STATUTE_SOURCE)
    return Level(ConflictLevel.ORGANIZATION, POLICY_SOURCE)


def find_name_conflict(name: FoldedName, party: PartyFacts, *, who: str) -> FoundConflict | None:
    """Find a possible conflict with one party that follows from a name alone.

    :param who: the bearer of the name, as the sentence begins: "The reviewer".
    """
    level = judge_party(party)
    degrees = {compare_names(name, other) for other in party.person_names}
    # A practice may bear the name of its physician.
    bears_it = name.first and {name.first, *name.last.split()} <= party.organization_words
    if "SAME" in degrees or bears_it:
        return FoundConflict(
            party.party_id,
            NAME,
            UNKNOWN,
            f"{who} has the same name as {describe_party(party)}. Find out whether they are "
            f"the same. {level}",
            level,
        )
    if "SIMILAR" in degrees:
        return FoundConflict(
            party.party_id,
            NAME,
            UNKNOWN,
            f"{who}’s name is similar to that of {describe_party(party)}. Find out whether "
            f"they are the same. {level}",
            level,
        )
    if {compare_names(name, other) for other in party.officer_names} & {"SAME", "SIMILAR"}:
        return FoundConflict(
            party.party_id,
            NAME,
            UNKNOWN,
            f"{who}’s name is similar to that of an officer of {describe_party(party)}. "
            f"Find out whether they are the same. {level}",
            level,
        )
    # A common surname would stop too many reviewers, so it is only asked about.
    if "SURNAME" in degrees:
        return FoundConflict(
            party.party_id,
            SURNAME,
            PASS,
            f"{who} shares a surname with {describe_party(party)}; the attestation asks about it.",
        )
    return None


def find_reach(
    organization_id: int | None, person_id: int | None, party: PartyFacts
) -> tuple[str, str] | None:
    """Find how an organization or a person is connected with a party; ``None`` if it is not.

    :returns: the doubt (``PART_OWNED``, ``NAMESAKE``, or empty if certain), and the connection as
        it is named in a sentence.
    """
    the_party = describe_party(party)
    # From certain to doubtful, so that the strongest connection is reported.
    if organization_id in party.organizations or person_id in party.persons:
        return "", the_party
    if person_id in party.officers:
        return "", f"an officer, director or manager of {the_party}"
    if organization_id in party.group:
        if party.persons:
            return "", f"a company that {the_party} directs, or one of its group,"
        return "", f"a company of the same group as {the_party}"
    if organization_id in party.part_owned:
        return PART_OWNED, f"a company that owns a part of {the_party} or is owned by it in part"
    if organization_id in party.namesake_organizations or person_id in party.namesake_persons:
        return NAMESAKE, f"someone with the same name as {the_party}"
    return None


def describe_party(party: PartyFacts) -> str:
    """Return a party as named in a sentence, by its role: "the employer"."""
    label = party.role_label
    return f"the {label if label[:2].isupper() else label[0].lower() + label[1:]}"


def _check_affiliation(
    affiliation: HeldAffiliation, party: PartyFacts, limits: Limits
) -> FoundConflict | None:
    """Check one affiliation on file: direct, through an officer, or through a company."""
    level = judge_affiliation(affiliation, limits)
    if level is None:
        return None
    reach = find_reach(affiliation.organization_id, affiliation.person_id, party)
    if reach is None:
        return None
    uncertainty, whom = reach
    # The statute names parties and their officers, but not companies of their groups.
    is_through_company = uncertainty == PART_OWNED or (
        not uncertainty and _is_through_group(affiliation, party)
    )
    is_named = party.role in _STATUTE_ROLES and not is_through_company
    if level.code == ConflictLevel.STATUTE and not is_named:
        level = Level(ConflictLevel.ORGANIZATION, POLICY_SOURCE)
    connection = _CONFLICTS.get(affiliation.relation, "An affiliation with")
    return FoundConflict(
        party.party_id,
        uncertainty or affiliation.relation,
        UNKNOWN if uncertainty else FAIL,
        f"{connection} {whom} is on file.{FIND_OUT[uncertainty]} {level}",
        level,
    )


def _is_through_group(held: HeldAffiliation, party: PartyFacts) -> bool:
    """Return whether an affiliation concerns a party only through a company of its group."""
    is_direct = held.organization_id in party.organizations or held.person_id in party.persons
    return not is_direct and held.person_id not in party.officers


def _is_below_limit(affiliation: HeldAffiliation, limits: Limits) -> bool:
    """Return whether a holding is below the limit, or a relative does not count as family.

    A relative counts if the degree of kinship is not stated.
    """
    if affiliation.relation == "FAMILY" and affiliation.kin and affiliation.kin not in limits.kin:
        return True
    small = (
        affiliation.share_percent is not None
        and affiliation.share_percent <= limits.holding_percent
    )
    # A share says nothing about a contract or employment, so these count at any size.
    return small and affiliation.relation in {"OWNERSHIP", "FAMILY"}


def _words_of_name(text: str) -> list[str]:
    """Return the words of a name, each folded, without titles; ``M.D.`` is one word and a title."""
    folded = [fold_name(word) for word in text.split()]
    words = [word for word in folded if word and word.replace(" ", "") not in _TITLES]
    sure = [word for word in words if word.replace(" ", "") not in _PERHAPS_TITLES]
    # “Do” and “Pa” are surnames too, so they are dropped only if two other words remain.
    return sure if len(sure) >= 2 or not words else words[: max(len(sure), 2)]


def _first_names_match(one: str, other: str) -> bool:
    if not one or not other:
        return True  # with a surname alone it may be anyone of that name
    if len(one) == 1 or len(other) == 1:
        return one[0] == other[0]
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= 3 and longer.startswith(shorter):
        return True
    return one == other or (len(shorter) >= 4 and one_slip_apart(one, other))
