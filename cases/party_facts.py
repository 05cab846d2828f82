"""The parties of a case as values for conflict checks: names, officers, groups of companies."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from django.db.models import CharField, F, Q, QuerySet, Value

from accounts.kept_queries import KeptQuery, ListSlot, Slot
from deadlines.days import local_day
from directory import affiliations
from directory.affiliations import DEFAULT_LIMITS, FoldedName, Limits, PartyFacts
from directory.models import (
    OrganizationName,
    OrganizationOfficer,
    OrganizationParent,
    PersonName,
    SameOrganization,
    SamePerson,
)
from directory.names import fold_name, fold_organization

from .consolidated_items import list_consolidated_cases
from .models import Case, Party, PartyRole


@dataclass(frozen=True)
class CompanyGraph:
    """Which rows name the same person or company, and which companies belong together, on a day.

    All cases of a day share it, so it is read once for many of them.
    """

    same_persons: Mapping[int, frozenset[int]]
    same_organizations: Mapping[int, frozenset[int]]
    controlled: Mapping[int, frozenset[int]]  # groups by control
    connected: Mapping[int, frozenset[int]]  # groups by control or any holding above the limit
    # Pairs of an organization and its officer; ``None`` if they are read for each case.
    offices: "OfficeIndex | None" = None


class OfficeIndex:
    """Who is an officer of which organization, from either side."""

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        self.persons: dict[int, list[int]] = defaultdict(list)
        self.organizations: dict[int, list[int]] = defaultdict(list)
        for organization_id, person_id in pairs:
            self.persons[organization_id].append(person_id)
            self.organizations[person_id].append(organization_id)


class PartyRow(NamedTuple):
    """The columns of a party that a conflict check needs."""

    pk: int
    role: str
    person_id: int | None
    organization_id: int | None
    item_id: int | None
    name: str
    contact: str


AnyPartyRow = TypeVar("AnyPartyRow", Party, PartyRow)


def read_party_facts(
    case: Case, *, known_at: datetime, limits: Limits = DEFAULT_LIMITS
) -> list[PartyFacts]:
    """Read every party known at a moment, including those whose role has ended. Seven queries.

    A party with several addresses has several rows; only the latest one is used.

    :param limits: shares that make a company part of a group.
    """
    # Not limited to today: a former attorney or administrator was part of the dispute too.
    of_case = Party.objects.known_at(known_at).filter(case__in=list_joint_cases(case))
    rows = of_case.order_by("pk").values_list(*PartyRow._fields)
    graph = read_company_graph(known_at=known_at, limits=limits)
    (found,) = build_party_facts([[PartyRow(*row) for row in rows]], graph, known_at=known_at)
    return found


def read_company_graph(
    *, known_at: datetime, limits: Limits, with_offices: bool = False
) -> CompanyGraph:
    """Read which people and companies are the same or belong together. Three queries.

    :param with_offices: read all officers as well, for many cases. One query more.
    """
    same_pairs = list(
        SameOrganization.objects.known_at(known_at).values_list("organization_id", "same_as_id")
    )
    # Ownership counts on the day of the check. Two entries of one company are always the same.
    owned = OrganizationParent.objects.known_at(known_at).true_on(local_day(known_at))
    controlled, connected = affiliations.group_companies(
        same_pairs, owned.values_list("child_id", "parent_id", "share_percent"), limits
    )
    return CompanyGraph(
        same_persons=affiliations.group_same_ids(
            SamePerson.objects.known_at(known_at).values_list("person_id", "same_as_id")
        ),
        same_organizations=affiliations.group_same_ids(same_pairs),
        controlled=controlled,
        connected=connected,
        offices=OfficeIndex(
            OrganizationOfficer.objects.known_at(known_at)
            .true_on(local_day(known_at))
            .values_list("organization_id", "person_id")
        )
        if with_offices
        else None,
    )


def build_planned_party_facts(
    rows: Sequence[PartyRow],
    *,
    known_at: datetime,
    new_persons: Sequence["NameRow"],
    new_organizations: Sequence["NameRow"],
) -> list[PartyFacts]:
    """Build the parties of a case that is not stored yet. Five queries.

    :param rows: its parties, with ids below zero for those that are not on file.
    :param new_persons: the names of the people who are not on file.
    :param new_organizations: the same for organizations.
    """
    (found,) = build_planned_facts_of_many(
        [rows],
        known_at=known_at,
        new_persons=new_persons,
        new_organizations=new_organizations,
    )
    return found


def build_planned_facts_of_many(
    rows_by_case: Sequence[Sequence[PartyRow]],
    *,
    known_at: datetime,
    new_persons: Sequence["NameRow"],
    new_organizations: Sequence["NameRow"],
) -> list[list[PartyFacts]]:
    """As ``build_planned_party_facts``, for several cases. Five queries, whatever the number.

    The ids of parties and of what is not on file are different in all of them.
    """
    graph = read_company_graph(known_at=known_at, limits=DEFAULT_LIMITS)
    return build_party_facts(
        rows_by_case,
        graph,
        known_at=known_at,
        new_persons=new_persons,
        new_organizations=new_organizations,
    )


def build_party_facts(
    rows_by_case: Sequence[Sequence[PartyRow]],
    graph: CompanyGraph,
    *,
    known_at: datetime,
    new_persons: Sequence["NameRow"] = (),
    new_organizations: Sequence["NameRow"] = (),
) -> list[list[PartyFacts]]:
    """Build the parties of several cases from their rows. One query, whatever the number.

    One more if the graph comes without offices.

    :param rows_by_case: for each case its rows and those of the cases consolidated into it, oldest
        first.
    :param new_persons: names of people who are not stored yet, beside those on file.
    :param new_organizations: the same for organizations.
    """
    latest_rows = [select_latest_parties(rows) for rows in rows_by_case]
    persons: dict[int, frozenset[int]] = {}
    organizations: dict[int, frozenset[int]] = {}
    for row in (row for rows in latest_rows for row in rows):
        persons[row.pk] = _expand_same_rows(row.person_id, graph.same_persons)
        organizations[row.pk] = _expand_same_rows(row.organization_id, graph.same_organizations)
    groups = {pk: _expand_to_groups(own, graph.controlled) for pk, own in organizations.items()}
    officers, directed = _read_officers(groups, persons, graph, known_at=known_at)
    names = _read_names(
        persons=frozenset().union(*persons.values(), *officers.values()),
        organizations=frozenset().union(*organizations.values()),
        folded={name for rows in latest_rows for row in rows for name in _fold_party_names(row)},
        known_at=known_at,
        new_persons=new_persons,
        new_organizations=new_organizations,
    )
    answer = []
    for rows in latest_rows:
        pks = [row.pk for row in rows]
        # What is read for other cases must not change the result, so each sees its own names only.
        folded = {name for row in rows for name in _fold_party_names(row)}
        of_persons = names.persons.select(
            frozenset().union(*(persons[pk] | officers[pk] for pk in pks)), folded
        )
        of_organizations = names.organizations.select(
            frozenset().union(*(organizations[pk] for pk in pks)), folded
        )
        answer.append(
            [
                replace(
                    _build_party(
                        row,
                        persons[row.pk],
                        organizations[row.pk],
                        of_persons,
                        of_organizations,
                    ),
                    # The party’s own companies are compared directly, not as its group.
                    group=(groups[row.pk] - organizations[row.pk])
                    | _expand_to_groups(directed[row.pk], graph.controlled),
                    # Separate from the group, because a partly owned company is only a possible
                    # conflict.
                    part_owned=_expand_to_groups(organizations[row.pk], graph.connected)
                    - groups[row.pk],
                    officers=officers[row.pk],
                    officer_names=_split_names(of_persons, officers[row.pk]),
                )
                for row in rows
            ]
        )
    return answer


def _expand_to_groups(
    company_ids: frozenset[int], groups: Mapping[int, frozenset[int]]
) -> frozenset[int]:
    """Return the given companies and every company of their groups."""
    return company_ids.union(*(groups.get(pk, frozenset({pk})) for pk in company_ids))


# Officers of some companies, and what some people direct, on a day.
_OFFICERS = KeptQuery(
    lambda: (
        OrganizationOfficer.objects.known_at(Slot("known_at"))
        .true_on(Slot("day"))
        .filter(
            Q(organization_id__in=ListSlot("organizations")) | Q(person_id__in=ListSlot("persons"))
        )
        .values_list("organization_id", "person_id")
    )
)


def _read_officers(
    groups: Mapping[int, frozenset[int]],
    persons: Mapping[int, frozenset[int]],
    graph: CompanyGraph,
    *,
    known_at: datetime,
) -> tuple[dict[int, frozenset[int]], dict[int, frozenset[int]]]:
    """Find the officers of each party's companies, and the companies it directs.

    Both on the day, duplicates included. One query if the graph comes without offices.
    """
    offices = graph.offices or OfficeIndex(
        _OFFICERS.fetch(
            known_at=known_at,
            day=local_day(known_at),
            organizations=frozenset[int]().union(*groups.values()),
            persons=frozenset[int]().union(*persons.values()),
        )
    )
    # An affiliation may name any entry of the same officer or company.
    officers = {
        pk: _expand_all(
            (person for one in group for person in offices.persons.get(one, ())),
            graph.same_persons,
        )
        for pk, group in groups.items()
    }
    directed = {
        pk: _expand_all(
            (company for one in own for company in offices.organizations.get(one, ())),
            graph.same_organizations,
        )
        for pk, own in persons.items()
    }
    return officers, directed


def _expand_all(pks: Iterable[int], same: Mapping[int, frozenset[int]]) -> frozenset[int]:
    return frozenset[int]().union(*(_expand_same_rows(pk, same) for pk in pks))


def _split_names(names: "Iterable[NameRow]", holders: frozenset[int]) -> tuple[FoldedName, ...]:
    """Split the names of the given persons into first and last names."""
    return tuple(
        # Drops repeats but keeps the order, so that findings are stable.
        dict.fromkeys(
            affiliations.split_name(name.printed, first=name.first, last=name.last)
            for name in names
            if name.holder in holders
        )
    )


def list_joint_cases(case: Case) -> list[Case]:
    """Return the case and the cases consolidated into it: one reviewer decides them. One query."""
    return [case, *list_consolidated_cases(case)]


def select_latest_parties(rows: Iterable[AnyPartyRow]) -> list[AnyPartyRow]:
    """Keep only the last of the rows that name the same people in the same role."""
    # Rows come oldest first, so the last one stays.
    latest = {_party_identity(row): row for row in rows}
    return sorted(latest.values(), key=lambda row: row.pk)


def group_party_rows(case: Case) -> dict[int, frozenset[int]]:
    """Map every party row to all rows that name the same people in the same role. Two queries.

    A new address or channel makes a new row but needs no new conflict check.
    """
    return group_same_parties(Party.objects.filter(case__in=list_joint_cases(case)))


def group_same_parties(rows: Iterable[AnyPartyRow]) -> dict[int, frozenset[int]]:
    """Map the id of every row to those of all rows with the same people in the same role."""
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in rows:
        groups[_party_identity(row)].append(row.pk)
    return {pk: frozenset(group) for group in groups.values() for pk in group}


def _party_identity(row: Party | PartyRow) -> tuple[Any, ...]:
    """Return what identifies the people of a row; contact channels are left out."""
    return (row.role, row.person_id, row.organization_id, row.item_id, row.name, row.contact)


def _expand_same_rows(pk: int | None, same: Mapping[int, frozenset[int]]) -> frozenset[int]:
    """Return the id with the ids of all rows recorded as the same person or company."""
    return frozenset() if pk is None else same.get(pk, frozenset({pk}))


def _fold_party_names(row: PartyRow) -> set[str]:
    """Return the folded names by which a party could be found among persons or organizations."""
    # Only names of companies lose words such as Inc.
    fold = fold_name if row.person_id is not None else fold_organization
    return {fold(row.name)} - {""}


class NameRow(NamedTuple):
    """A name of a person or of an organization. Those of organizations have no parts."""

    holder: int
    printed: str
    normal: str
    first: str
    last: str


class _NameIndex:
    """Names by their holder and by their folded form."""

    def __init__(self, rows: Iterable[NameRow]) -> None:
        self._by_holder: dict[int, list[NameRow]] = defaultdict(list)
        self._by_normal: dict[str, list[NameRow]] = defaultdict(list)
        for row in rows:
            self._by_holder[row.holder].append(row)
            self._by_normal[row.normal].append(row)

    def select(self, holders: Iterable[int], folded: Iterable[str]) -> list[NameRow]:
        """Return the names of these holders, and the names that fold to one of these."""
        found = [row for pk in sorted(holders) for row in self._by_holder.get(pk, ())]
        found += [row for name in sorted(folded) for row in self._by_normal.get(name, ())]
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class _Names:
    persons: _NameIndex
    organizations: _NameIndex


def _select_names(names: QuerySet[Any], relation: str, holders: str, **parts: Any) -> Any:
    """Select the names of some holders, and the rows of others with some folded names."""
    matching = Q(**{f"{relation}_id__in": ListSlot(holders)}) | Q(
        normal__in=ListSlot("folded", of_texts=True)
    )
    return (
        names.filter(matching)
        .annotate(of=Value(relation), holder=F(f"{relation}_id"), **parts)
        .values_list("of", "holder", "printed", "normal", *parts)
    )


_NOTHING = Value("", output_field=CharField())
_NAMES = KeptQuery(
    lambda: _select_names(
        PersonName.objects.known_at(Slot("known_at")),
        "person",
        "persons",
        first_part=F("first"),
        last_part=F("last"),
    ).union(
        _select_names(
            OrganizationName.objects.known_at(Slot("known_at")),
            "organization",
            "organizations",
            first_part=_NOTHING,
            last_part=_NOTHING,
        ),
        all=True,
    )
)


def _read_names(
    *,
    persons: frozenset[int],
    organizations: frozenset[int],
    folded: set[str],
    known_at: datetime,
    new_persons: Sequence[NameRow],
    new_organizations: Sequence[NameRow],
) -> _Names:
    """Read the names of people and companies, and of others with the same names. One query."""
    rows = {"person": list(new_persons), "organization": list(new_organizations)}
    for relation, *values in _NAMES.fetch(
        known_at=known_at, persons=persons, organizations=organizations, folded=folded
    ):
        rows[relation].append(NameRow(*values))
    return _Names(_NameIndex(rows["person"]), _NameIndex(rows["organization"]))


def _build_party(
    row: PartyRow,
    persons: frozenset[int],
    organizations: frozenset[int],
    person_names: Sequence[NameRow],
    organization_names: Sequence[NameRow],
) -> PartyFacts:
    """Build the values of one party, without its officers and group of companies."""
    own_persons = [name for name in person_names if name.holder in persons]
    own_organizations = [name for name in organization_names if name.holder in organizations]
    all_names = _fold_party_names(row) | {
        name.normal for name in (*own_persons, *own_organizations)
    }
    names = [
        affiliations.split_name(name.printed, first=name.first, last=name.last)
        for name in own_persons
    ]
    if row.person_id is not None:
        # The name on this case may differ from every name on file.
        names.append(affiliations.split_name(row.name))
    if row.contact:
        names.append(affiliations.split_name(row.contact))
    # A practice may be named for its physician, so its words are compared with names of people.
    words = {word for name in own_organizations for word in name.normal.split()}
    if row.organization_id is not None:
        words |= set(fold_name(row.name).split())
    return PartyFacts(
        party_id=row.pk,
        role=row.role,
        role_label=PartyRole(row.role).label,
        name=row.name,
        persons=persons,
        organizations=organizations,
        person_names=tuple(dict.fromkeys(names)),
        organization_words=frozenset(words),
        namesake_persons=frozenset(name.holder for name in person_names if name.normal in all_names)
        - persons
        if row.person_id is not None
        else frozenset(),
        namesake_organizations=frozenset(
            name.holder for name in organization_names if name.normal in all_names
        )
        - organizations
        if row.organization_id is not None
        else frozenset(),
    )
