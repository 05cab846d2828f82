"""The members of this organization and the results of its conflict checks."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, OuterRef, Subquery

from directory.affiliations import DEFAULT_LIMITS, Limits, split_name

from .models import Case, MemberAffiliation, OrganizationMember, OwnConflictResult
from .own_conflicts import MemberFacts

Kind, Result = OrganizationMember.Kind, OwnConflictResult.Result

_OF_STAFF_ALONE = (Kind.STAFF,)


@dataclass(frozen=True)
class OwnOrganization:
    """The organization and everyone of it on a day, as known at a moment."""

    members: tuple[MemberFacts, ...]
    digest: str  # the same as long as the same rows hold
    first: Mapping[int, int]  # every version of a member's row → the first one


@dataclass(frozen=True)
class Standing:
    """A result of the latest test, with the answer of a person where there is one."""

    row: OwnConflictResult
    answer: OwnConflictResult | None

    @property
    def result(self) -> str:
        return self.answer.result if self.answer else self.row.result

    @property
    def is_open(self) -> bool:
        return self.result == Result.UNKNOWN

    @property
    def kind(self) -> str:
        return self.row.member.kind if self.row.member else ""

    @property
    def user_id(self) -> int | None:
        """Whom it concerns, if they sign in here."""
        return self.row.member.user_id if self.row.member else None

    @property
    def stops_the_case(self) -> bool:
        """Whether it is of the organization, an owner or an officer, and not cleared."""
        return self.result != Result.PASS and self.kind not in _OF_STAFF_ALONE


def own_organization_of(
    *, on: date, known_at: datetime, limits: Limits = DEFAULT_LIMITS
) -> OwnOrganization:
    """Everyone of the organization on a day. Two queries."""
    rows = list(
        OrganizationMember.objects.filter(recorded_at__lte=known_at)
        .select_related("user")
        .order_by("pk")
    )
    first = first_versions(rows)
    conflicts: dict[int, list[MemberAffiliation]] = defaultdict(list)
    for conflict in MemberAffiliation.objects.known_at(known_at).on(on).order_by("pk"):
        conflicts[first[conflict.member_id]].append(conflict)
    corrected = {row.corrects_id for row in rows}
    held = [
        row for row in rows if row.pk not in corrected and not row.withdrawn and row.held_on(on)
    ]
    content = [(row.pk, [conflict.pk for conflict in conflicts[first[row.pk]]]) for row in held]
    return OwnOrganization(
        members=tuple(_facts(row, conflicts[first[row.pk]], limits) for row in held),
        digest=hashlib.sha256(json.dumps(content).encode()).hexdigest(),
        first=first,
    )


def first_versions(rows: Iterable[OrganizationMember]) -> dict[int, int]:
    """Every version of a member → the first one. ``rows`` come in the order of their ids."""
    first: dict[int, int] = {}
    for row in rows:
        first[row.pk] = first.get(row.corrects_id, row.pk) if row.corrects_id else row.pk
    return first


def standing(case: Case) -> list[Standing]:
    """What the latest test of a case says, answers beside. Queries once."""
    rows = list(
        OwnConflictResult.objects.filter(case=case)
        .select_related("member__user", "party", "tested_by")
        .order_by("pk")
    )
    return latest_of(rows)


def latest_of(rows: Sequence[OwnConflictResult]) -> list[Standing]:
    """The latest test among all results of a case, oldest first."""
    if not rows:
        return []
    latest = max(row.run for row in rows)
    answers = {row.settles_id: row for row in rows if row.settles_id}
    return [
        Standing(row, answers.get(row.pk))
        for row in rows
        if row.run == latest and row.settles_id is None
    ]


def why_not_decided_here(case: Case) -> str:
    """Why this organization may not decide a case, or not yet. Queries once.

    An affiliation of the organization, an owner or an officer is one of the organization that
    decides (Labor Code 139.5). An affiliation of a member of staff keeps that person alone from the
    case.
    """
    found = [one for one in standing(case) if one.stops_the_case]
    tied = next((one for one in found if not one.is_open), None)
    if tied is not None:
        return (
            f"This organization may not decide case {case.number}. {tied.row.sentence} "
            "The Administrative Director has to give it to another organization."
        )
    if found:
        return (
            "The medical director has to settle first whether this organization is tied to a "
            f"party of case {case.number}. {found[0].row.sentence}"
        )
    return ""


def found_in_open_cases() -> list[Standing]:
    """Every affiliation, and every possible one, of the latest tests of open cases, by what is due
    first.

    Queries once, by an index that holds nothing else.
    """
    latest = (
        OwnConflictResult.objects.filter(case=OuterRef("case")).order_by("-run").values("run")[:1]
    )
    rows = (
        OwnConflictResult.objects.filter(
            result__in=[Result.FAIL, Result.UNKNOWN], settles=None, case__is_open=True
        )
        .alias(latest=Subquery(latest))
        .filter(run=F("latest"))
        .select_related("case", "party", "member__user", "settled_by__tested_by", "tested_by")
        .order_by("case__due_on", "case", "pk")
    )
    found = [Standing(row, getattr(row, "settled_by", None)) for row in rows]
    return [one for one in found if one.result != Result.PASS]


def questions() -> int:
    """How many possible affiliations of open cases wait for the medical director. Queries once."""
    return sum(one.is_open for one in found_in_open_cases())


def versions_of(member: OrganizationMember) -> list[OrganizationMember]:
    """Every version of a member, the first one first. Queries once."""
    rows = {row.pk: row for row in OrganizationMember.objects.select_related("user").order_by("pk")}
    first = first_versions(rows.values())
    return [row for pk, row in rows.items() if first[pk] == first[member.pk]]


def _facts(
    row: OrganizationMember, conflicts: Sequence[MemberAffiliation], limits: Limits
) -> MemberFacts:
    name = row.user.name if row.user is not None and row.kind == Kind.STAFF else row.name
    return MemberFacts(
        member_id=row.pk,
        kind=row.kind,
        name=None if row.organization_id is not None else split_name(name),
        organization_id=row.organization_id,
        person_id=row.person_id,
        user_id=row.user_id,
        is_small=row.kind == Kind.OWNER
        and row.share_percent is not None
        and row.share_percent <= limits.holding_percent,
        conflicts=tuple(conflicts),
    )
