"""Reads what matching needs of some cases: items, parties, history and affiliations near them.

Every statement is fixed and reads the rows of all the cases, so the number of statements does not
depend on how many cases there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import JSONObject

from accounts.kept_queries import KeptQuery, ListSlot, Slot
from cases.consolidated_items import CONSOLIDATED
from cases.models import Case, CaseLink, DisputedItem, Party
from cases.party_facts import PartyRow, group_same_parties
from deadlines.days import local_day
from directory.affiliations import PartyFacts
from reviewers.facts import AffiliationRecord
from reviewers.models import ConflictResult, ReviewerAssignment, ReviewerBar
from reviewers.profiles import build_affiliations, select_affiliations

from .candidacy import CaseMarks
from .track_record import PastAssignment, find_previous_assignments

State = ReviewerAssignment.State

# reviewer id → (party id, relation) → (result, note), as people resolved possible conflicts
Resolutions = Mapping[int, Mapping[tuple[int, str], tuple[str, str]]]


class ItemRow(NamedTuple):
    """A disputed item that is still to be decided.

    :ivar is_experimental: the UR decision says so. What it does not say counts as no.
    """

    pk: int
    case_id: int
    position: int
    title: str
    category_id: int | None
    parent_id: int | None
    body_part: str
    is_experimental: bool
    diagnosis: str


@dataclass(frozen=True)
class CaseRows:
    """The rows of one case and of the cases consolidated into it."""

    items: Sequence[ItemRow] = ()
    parties: Sequence[PartyRow] = ()
    histories: Mapping[int, CaseMarks] = field(default_factory=dict)
    resolutions: Resolutions = field(default_factory=dict)


def load_case_rows(cases: Sequence[Case], *, known_at: datetime) -> dict[int, CaseRows]:
    """Load the rows of some cases by case id, as known at a moment. One query.

    One more if someone has resolved a possible conflict of one of them.
    """
    found: dict[str, dict[int, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for kind, case_id, values in _CASE_ROWS.fetch(
        known_at=known_at, cases=[case.pk for case in cases]
    ):
        found[kind][case_id].append(values)
    # A case comes first, then those consolidated into it by number.
    joint = {
        case.pk: [
            case.pk,
            *(
                link["case"]
                for link in sorted(found["link"][case.pk], key=lambda link: link["number"])
            ),
        ]
        for case in cases
    }
    same_parties = _load_same_parties(joint, found["resolution"])
    return {
        case.pk: CaseRows(
            items=_list_items(case.pk, joint[case.pk], found["item"]),
            parties=_list_parties(joint[case.pk], found["party"]),
            histories=_build_histories(
                case, found["bar"][case.pk], found["assignment"][case.pk], known_at=known_at
            ),
            resolutions=_build_resolutions(
                found["resolution"][case.pk], same_parties.get(case.pk, {})
            ),
        )
        for case in cases
    }


def load_affiliations_near(
    parties: Iterable[PartyFacts], *, on: date, known_at: datetime
) -> dict[int, tuple[AffiliationRecord, ...]]:
    """Load the affiliations that can reach one of these parties, by reviewer. One query."""
    organizations: set[int] = set()
    persons: set[int] = set()
    for party in parties:
        organizations |= party.all_organizations
        persons |= party.all_persons
    rows = _AFFILIATIONS.fetch(
        on=on, known_at=known_at, organizations=organizations, persons=persons
    )
    return build_affiliations(rows)


_AFFILIATIONS = KeptQuery(
    lambda: select_affiliations(
        Q(organization_id__in=ListSlot("organizations")) | Q(person_id__in=ListSlot("persons")),
        on=Slot("on"),
        known_at=Slot("known_at"),
    )
)


def _select_case_rows() -> QuerySet[Any]:
    """Select the rows of all kinds: the kind, the case, and the columns as JSON."""
    links = CaseLink.objects.filter(
        other_id__in=ListSlot("cases"), kind=CONSOLIDATED, ended_at=None
    )
    joint = Q(case_id__in=ListSlot("cases")) | Q(case_id__in=links.values("case_id"))
    own = Q(case_id__in=ListSlot("cases"))
    parts = [
        _select_kind("link", links, F("other_id"), {"case": "case_id", "number": "case__number"}),
        _select_kind(
            "item",
            # Withdrawn or authorized items are not decided, so they must not exclude a reviewer.
            DisputedItem.objects.filter(joint, ending=DisputedItem.Ending.PENDING),
            F("case_id"),
            {
                "pk": "pk",
                "position": "position",
                "title": "title",
                "category": "category_id",
                "parent": "category__parent_id",
                "body_part": "body_part",
                "experimental": "is_experimental",
                "diagnosis": "case__diagnosis",
            },
        ),
        _select_kind(
            "party",
            Party.objects.known_at(Slot("known_at")).filter(joint),
            F("case_id"),
            {name: name for name in PartyRow._fields},
        ),
        _select_kind(
            "bar",
            ReviewerBar.objects.filter(own),
            F("case_id"),
            {"pk": "pk", "reviewer": "reviewer_id", "reason": "reason"},
        ),
        _select_kind(
            "assignment",
            ReviewerAssignment.objects.filter(own, reviewer__isnull=False),
            F("case_id"),
            {
                "pk": "pk",
                "reviewer": "reviewer_id",
                "round": "round",
                "state": "state",
                "offered_at": "offered_at",
                "accepted_at": "accepted_at",
                "ended_at": "ended_at",
            },
        ),
        _select_kind(
            "resolution",
            ConflictResult.objects.filter(
                own, resolves__isnull=False, tested_at__lte=Slot("known_at")
            ),
            F("case_id"),
            {
                "pk": "pk",
                "reviewer": "reviewer_id",
                "party": "party_id",
                "relation": "relation",
                "result": "result",
                "note": "note",
                "tested_at": "tested_at",
            },
        ),
    ]
    return parts[0].union(*parts[1:], all=True)


def _select_kind(
    kind: str, rows: QuerySet[Any], case_id: F, columns: Mapping[str, str]
) -> QuerySet[Any]:
    return (
        rows.order_by()
        .annotate(
            row_kind=Value(kind, output_field=CharField()),
            of_case=case_id,
            row_values=JSONObject(**columns),
        )
        .values_list("row_kind", "of_case", "row_values")
    )


_CASE_ROWS = KeptQuery(_select_case_rows)


def _list_items(
    lead: int, joint: Sequence[int], found: Mapping[int, list[dict[str, Any]]]
) -> list[ItemRow]:
    """Return the items to decide: those of the case first, then those of the others."""
    items = [
        ItemRow(
            pk=one["pk"],
            case_id=case_id,
            position=one["position"],
            title=one["title"],
            category_id=one["category"],
            parent_id=one["parent"],
            body_part=one["body_part"],
            # NULL means that the UR decision does not say. Only a stated yes requires experience.
            is_experimental=bool(one["experimental"]),
            diagnosis=one["diagnosis"],
        )
        for case_id in joint
        for one in found.get(case_id, ())
    ]
    return sorted(items, key=lambda item: (item.case_id != lead, item.case_id, item.position))


def _list_parties(
    joint: Sequence[int], found: Mapping[int, list[dict[str, Any]]]
) -> list[PartyRow]:
    rows = [PartyRow(**one) for case_id in joint for one in found.get(case_id, ())]
    return sorted(rows, key=lambda row: row.pk)


def _build_histories(
    case: Case,
    bars: Iterable[dict[str, Any]],
    assignments: Sequence[dict[str, Any]],
    *,
    known_at: datetime,
) -> dict[int, CaseMarks]:
    """Build the history of each reviewer who was barred from, or had, a case."""
    bar_reasons: dict[int, str] = {}
    for bar in sorted(bars, key=lambda one: one["pk"]):
        bar_reasons.setdefault(bar["reviewer"], bar["reason"])
    past = [_read_assignment(one) for one in assignments]
    # Someone who never accepted has not seen the records and may decide the new round.
    earlier = {
        one.reviewer_id for one in past if one.round < case.round and one.accepted_at is not None
    }
    # Declining an earlier round does not count against the reviewer in this one.
    declined = {
        one.reviewer_id for one in past if one.round == case.round and one.state == State.DECLINED
    }
    had = find_previous_assignments(past, this_round=case.round, known_at=known_at)
    return {
        pk: CaseMarks(
            barred_because=bar_reasons.get(pk, ""),
            was_on_earlier_round=pk in earlier,
            has_declined=pk in declined,
            removed_from_case_on=local_day(had[pk]) if pk in had else None,
        )
        for pk in bar_reasons.keys() | earlier | declined | had.keys()
    }


def _read_assignment(values: Mapping[str, Any]) -> PastAssignment:
    return PastAssignment(
        pk=values["pk"],
        reviewer_id=values["reviewer"],
        round=values["round"],
        state=values["state"],
        offered_at=_read_moment(values["offered_at"]),
        accepted_at=_read_moment(values["accepted_at"]),
        ended_at=_read_moment(values["ended_at"]),
    )


def _read_moment(text: str | None) -> datetime | None:
    """Read a moment out of JSON. SQLite keeps moments in UTC, without saying so."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _load_same_parties(
    joint: Mapping[int, Sequence[int]], resolutions: Mapping[int, list[dict[str, Any]]]
) -> dict[int, dict[int, frozenset[int]]]:
    """Group the party rows of each case that has a resolution. One query if there is any."""
    # Most cases have no resolution, and then the party rows need not be read.
    resolved = [case_id for case_id, rows in resolutions.items() if rows]
    if not resolved:
        return {}
    case_ids = {pk for case_id in resolved for pk in joint[case_id]}
    rows: dict[int, list[PartyRow]] = defaultdict(list)
    for case_id, *values in Party.objects.filter(case__in=case_ids).values_list(
        "case_id", *PartyRow._fields
    ):
        rows[case_id].append(PartyRow(*values))
    return {
        case_id: group_same_parties(row for pk in joint[case_id] for row in rows[pk])
        for case_id in resolved
    }


def _build_resolutions(
    rows: Iterable[dict[str, Any]], same_parties: Mapping[int, frozenset[int]]
) -> Resolutions:
    """Build how people resolved possible conflicts of a case.

    A resolution holds for a party row in every version of the party list, because party rows never
    change. It also holds for a later row that names the same people at another address.
    """
    resolutions: dict[int, dict[tuple[int, str], tuple[str, str]]] = defaultdict(dict)
    # Oldest first, so that the latest resolution of a relation replaces earlier ones.
    for one in sorted(rows, key=lambda one: (_read_moment(one["tested_at"]), one["pk"])):
        for same in same_parties[one["party"]]:
            resolutions[one["reviewer"]][same, one["relation"]] = (one["result"], one["note"])
    return resolutions
