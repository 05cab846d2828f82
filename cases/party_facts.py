"""The parties of a case as values for conflict checks: names, officers, groups of companies."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

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
from .models import Case, Party


def read_party_facts(
    case: Case, *, known_at: datetime, limits: Limits = DEFAULT_LIMITS
) -> list[PartyFacts]:
    """Read every party known at a moment, including those whose role has ended. Nine queries.

    A party with several addresses has several rows; only the latest one is used.

    :param limits: shares that make a company part of a group.
    """
    # Not limited to today: a former attorney or administrator was part of the dispute too.
    of_case = Party.objects.known_at(known_at).filter(case__in=list_joint_cases(case))
    rows = select_latest_parties(of_case.order_by("pk"))
    same_persons = affiliations.group_same_ids(
        SamePerson.objects.known_at(known_at).values_list("person_id", "same_as_id")
    )
    same_pairs = list(
        SameOrganization.objects.known_at(known_at).values_list("organization_id", "same_as_id")
    )
    same_organizations = affiliations.group_same_ids(same_pairs)
    # Ownership counts on the day of the check. Two entries of one company are always the same.
    owned = OrganizationParent.objects.known_at(known_at).on(local_day(known_at))
    controlled, connected = affiliations.group_companies(
        same_pairs, owned.values_list("child_id", "parent_id", "share_percent"), limits
    )
    persons = {row.pk: _expand_same_rows(row.person_id, same_persons) for row in rows}
    organizations = {
        row.pk: _expand_same_rows(row.organization_id, same_organizations) for row in rows
    }
    folded = {row.pk: _fold_party_names(row) for row in rows}
    groups = {pk: _expand_to_groups(own, controlled) for pk, own in organizations.items()}
    # Kept apart from the group: a company owned in part only raises a question.
    part_owned = {pk: _expand_to_groups(own, connected) for pk, own in organizations.items()}
    officers = _read_officers(groups, same_persons, known_at=known_at)
    directed = _read_directed_companies(persons, same_organizations, known_at=known_at)
    person_names = _read_matching_names(
        PersonName.objects.known_at(known_at),
        "person",
        # Keys of another type, so that officers do not replace the party with the same id.
        persons | {(pk, "officers"): held for pk, held in officers.items()},
        folded,
        ("first", "last"),
    )
    organization_names = _read_matching_names(
        OrganizationName.objects.known_at(known_at), "organization", organizations, folded, ()
    )
    return [
        replace(
            _build_party_facts(
                row,
                persons[row.pk],
                organizations[row.pk],
                folded[row.pk],
                person_names,
                organization_names,
            ),
            # The party’s own companies are compared directly, not as its group.
            group=(groups[row.pk] - organizations[row.pk])
            | _expand_to_groups(directed[row.pk], controlled),
            part_owned=part_owned[row.pk] - groups[row.pk],
            officers=officers[row.pk],
            officer_names=_split_names(person_names, officers[row.pk]),
        )
        for row in rows
    ]


def _expand_to_groups(own: frozenset[int], groups: Mapping[int, frozenset[int]]) -> frozenset[int]:
    """Return the given companies and every company of their groups."""
    return own.union(*(groups.get(pk, frozenset({pk})) for pk in own))


def _read_officers(
    groups: Mapping[int, frozenset[int]],
    same_persons: Mapping[int, frozenset[int]],
    *,
    known_at: datetime,
) -> dict[int, frozenset[int]]:
    """Read the officers of each party's companies on the day, duplicates included. One query."""
    wanted = frozenset[int]().union(*groups.values())
    rows = (
        OrganizationOfficer.objects.known_at(known_at)
        .on(local_day(known_at))
        .filter(organization_id__in=wanted)
        .values_list("organization_id", "person_id")
    )
    held: dict[int, set[int]] = defaultdict(set)
    for organization_id, person_id in rows:
        # An affiliation may name any entry of the same officer.
        held[organization_id] |= _expand_same_rows(person_id, same_persons)
    return {
        pk: frozenset[int]().union(*(held.get(one, set()) for one in group))
        for pk, group in groups.items()
    }


def _read_directed_companies(
    persons: Mapping[int, frozenset[int]],
    same_organizations: Mapping[int, frozenset[int]],
    *,
    known_at: datetime,
) -> dict[int, frozenset[int]]:
    """Read the companies that each party who is a person directs on the day. One query."""
    wanted = frozenset[int]().union(*persons.values())
    rows = (
        OrganizationOfficer.objects.known_at(known_at)
        .on(local_day(known_at))
        .filter(person_id__in=wanted)
        .values_list("person_id", "organization_id")
    )
    held: dict[int, set[int]] = defaultdict(set)
    for person_id, organization_id in rows:
        held[person_id] |= _expand_same_rows(organization_id, same_organizations)
    return {
        pk: frozenset[int]().union(*(held.get(one, set()) for one in own))
        for pk, own in persons.items()
    }


def _split_names(
    names: Iterable[dict[str, Any]], holders: frozenset[int]
) -> tuple[FoldedName, ...]:
    """Split the names of the given persons into first and last names."""
    return tuple(
        # Drops repeats but keeps the order, so that findings are stable.
        dict.fromkeys(
            affiliations.split_name(name["printed"], first=name["first"], last=name["last"])
            for name in names
            if name["holder"] in holders
        )
    )


def list_joint_cases(case: Case) -> list[Case]:
    """Return the case and the cases consolidated into it: one reviewer decides them. One query."""
    return [case, *list_consolidated_cases(case)]


def select_latest_parties(rows: Iterable[Party]) -> list[Party]:
    """Keep only the last of the rows that name the same people in the same role."""
    # Rows come oldest first, so the last one stays.
    latest = {_party_identity(row): row for row in rows}
    return sorted(latest.values(), key=lambda row: row.pk)


def group_party_rows(case: Case) -> dict[int, frozenset[int]]:
    """Map every party row to all rows that name the same people in the same role. One query.

    A new address or channel makes a new row but needs no new conflict check.
    """
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in Party.objects.filter(case__in=list_joint_cases(case)):
        alike[_party_identity(row)].append(row.pk)
    return {pk: frozenset(group) for group in alike.values() for pk in group}


def _party_identity(row: Party) -> tuple[Any, ...]:
    """Return what identifies the people of a row; contact channels are left out."""
    return (row.role, row.person_id, row.organization_id, row.item_id, row.name, row.contact)


def _expand_same_rows(pk: int | None, same: Mapping[int, frozenset[int]]) -> frozenset[int]:
    """Return the id with the ids of all rows recorded as the same person or company."""
    return frozenset() if pk is None else same.get(pk, frozenset({pk}))


def _fold_party_names(row: Party) -> set[str]:
    """Return the folded names by which a party could be found among persons or organizations."""
    # Only names of companies lose words such as Inc.
    fold = fold_name if row.person_id is not None else fold_organization
    return {fold(row.name)} - {""}


def _read_matching_names(
    names: QuerySet[Any],
    whose: str,
    own: Mapping[Any, frozenset[int]],
    folded: Mapping[int, set[str]],
    parts: Sequence[str],
) -> list[dict[str, Any]]:
    """Read the names of the parties, and rows of other people or companies with the same names."""
    ids = frozenset().union(*own.values())
    words = set().union(*folded.values())
    return list(
        # One query for all parties: one for each would grow with the party list.
        names.filter(Q(**{f"{whose}__in": ids}) | Q(normal__in=words)).values(
            "printed", "normal", *parts, holder=F(f"{whose}_id")
        )
    )


def _build_party_facts(
    row: Party,
    persons: frozenset[int],
    organizations: frozenset[int],
    folded: set[str],
    person_names: list[dict[str, Any]],
    organization_names: list[dict[str, Any]],
) -> PartyFacts:
    """Build the values of one party, without its officers and group of companies."""
    own_persons = [name for name in person_names if name["holder"] in persons]
    own_organizations = [name for name in organization_names if name["holder"] in organizations]
    called = folded | {name["normal"] for name in (*own_persons, *own_organizations)}
    names = [
        affiliations.split_name(name["printed"], first=name["first"], last=name["last"])
        for name in own_persons
    ]
    if row.person_id is not None:
        # The name on this case may differ from every name on file.
        names.append(affiliations.split_name(row.name))
    if row.contact:
        names.append(affiliations.split_name(row.contact))
    # A practice may be named for its physician, so its words are compared with names of people.
    words = {word for name in own_organizations for word in name["normal"].split()}
    if row.organization_id is not None:
        words |= set(fold_name(row.name).split())
    return PartyFacts(
        party_id=row.pk,
        role=row.role,
        role_label=row.get_role_display(),
        name=row.name,
        persons=persons,
        organizations=organizations,
        person_names=tuple(dict.fromkeys(names)),
        organization_words=frozenset(words),
        namesake_persons=frozenset(
            name["holder"] for name in person_names if name["normal"] in called
        )
        - persons
        if row.person_id is not None
        else frozenset(),
        namesake_organizations=frozenset(
            name["holder"] for name in organization_names if name["normal"] in called
        )
        - organizations
        if row.organization_id is not None
        else frozenset(),
    )
