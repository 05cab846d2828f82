"""The members of this organization and the results of its conflict checks."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, OuterRef, Subquery

from accounts.models import User
from directory.affiliations import DEFAULT_LIMITS, Limits, split_name

from .case_rows import rows_of
from .models import Case, MemberAffiliation, OrganizationMember, OwnConflictResult
from .models.restrictions import hidden_cases
from .own_conflicts import MemberFacts

Kind, Result = OrganizationMember.Kind, OwnConflictResult.Result

_STAFF_KINDS = (Kind.STAFF,)  # these bar one person, not the organization


@dataclass(frozen=True)
class OwnOrganization:
    """The organization and its members on a day, as known at a moment."""

    members: tuple[MemberFacts, ...]
    digest: str  # changes when any of the rows used changes
    first_versions: Mapping[int, int]  # id of any version of a member → id of its first version


@dataclass(frozen=True)
class ConflictFinding:
    """One result of the latest conflict check, with the answer of a person if there is one."""

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
        """The user it concerns, if that member can sign in."""
        return self.row.member.user_id if self.row.member else None

    @property
    def stops_the_case(self) -> bool:
        """Whether it concerns the organization, an owner or an officer, and was not cleared."""
        return self.result != Result.PASS and self.kind not in _STAFF_KINDS


def read_own_organization(
    *, on: date, known_at: datetime, limits: Limits = DEFAULT_LIMITS
) -> OwnOrganization:
    """Read the members of the organization on a day, as known at a moment. Two queries.

    :param limits: shares and relatives that count as an affiliation.
    """
    rows = list(
        OrganizationMember.objects.filter(recorded_at__lte=known_at)
        .select_related("user")
        .order_by("pk")
    )
    first = map_first_versions(rows)
    conflicts: dict[int, list[MemberAffiliation]] = defaultdict(list)
    # An affiliation may refer to an older version of its member, so it is filed under the first.
    for conflict in MemberAffiliation.objects.known_at(known_at).true_on(on).order_by("pk"):
        conflicts[first[conflict.member_id]].append(conflict)
    # Filtered here, not by known_at() and on(): the map above needs every version anyway.
    corrected = {row.corrects_id for row in rows}
    valid_rows = [
        row for row in rows if row.pk not in corrected and not row.withdrawn and row.held_on(on)
    ]
    # Ids are enough for the digest, because rows of these tables never change.
    content = [
        (row.pk, [conflict.pk for conflict in conflicts[first[row.pk]]]) for row in valid_rows
    ]
    return OwnOrganization(
        members=tuple(
            _build_member_facts(row, conflicts[first[row.pk]], limits) for row in valid_rows
        ),
        digest=hashlib.sha256(json.dumps(content).encode()).hexdigest(),
        first_versions=first,
    )


def map_first_versions(rows: Iterable[OrganizationMember]) -> dict[int, int]:
    """Map the id of every version of a member to the id of its first version.

    :param rows: all versions, in the order of their ids.
    """
    first: dict[int, int] = {}
    for row in rows:
        # Ids grow, so the row that this one corrects is already in the map.
        first[row.pk] = first.get(row.corrects_id, row.pk) if row.corrects_id else row.pk
    return first


def list_conflict_findings(case: Case) -> list[ConflictFinding]:
    """List the results of the latest check of a case, with their answers. At most one query."""
    return select_latest_findings(rows_of(case).conflict_results)


def select_latest_findings(rows: Sequence[OwnConflictResult]) -> list[ConflictFinding]:
    """Select the latest check from all results of a case.

    :param rows: all results of the case, oldest first.
    """
    if not rows:
        return []
    latest = max(row.run for row in rows)
    answers = {row.resolves_id: row for row in rows if row.resolves_id}
    return [
        ConflictFinding(row, answers.get(row.pk))
        for row in rows
        if row.run == latest and row.resolves_id is None
    ]


def why_not_decided_here(case: Case) -> str:
    """Say why this organization may not decide a case, or not yet. At most one query.

    An affiliation of the organization, an owner or an officer bars the organization (Labor Code
    139.5). An affiliation of a staff member bars only that person.
    """
    if not rows_of(case).has_conflicts:
        return ""
    return _describe_stopping_findings(case, list_conflict_findings(case))


def map_cases_not_decided_here(cases: Sequence[Case]) -> dict[int, str]:
    """Say of each case, by id, what ``why_not_decided_here`` says. One query."""
    rows: dict[int, list[OwnConflictResult]] = defaultdict(list)
    for row in (
        OwnConflictResult.objects.filter(case__in=[case.pk for case in cases])
        .select_related("member__user", "party", "tested_by")
        .order_by("pk")
    ):
        rows[row.case_id].append(row)
    return {
        case.pk: _describe_stopping_findings(case, select_latest_findings(rows[case.pk]))
        for case in cases
    }


def _describe_stopping_findings(case: Case, findings: Iterable[ConflictFinding]) -> str:
    open_findings = [one for one in findings if one.stops_the_case]
    # A confirmed affiliation is final, so it is reported before any open question.
    confirmed = next((one for one in open_findings if not one.is_open), None)
    if confirmed is not None:
        return (
            f"This organization may not decide case {case.number}. {confirmed.row.sentence} "
            "The Administrative Director must assign it to another organization."
        )
    if open_findings:
        return (
            "The medical director must first decide whether this organization has a conflict of "
            f"interest in case {case.number}. {open_findings[0].row.sentence}"
        )
    return ""


def list_open_case_findings(reader: User) -> list[ConflictFinding]:
    """List confirmed and possible affiliations of the latest checks of open cases, next due first.

    One query. A partial index holds only these rows.
    """
    latest = (
        OwnConflictResult.objects.filter(case=OuterRef("case")).order_by("-run").values("run")[:1]
    )
    rows = (
        OwnConflictResult.objects.filter(
            result__in=[Result.FAIL, Result.UNKNOWN], resolves=None, case__is_open=True
        )
        .exclude(case__in=hidden_cases(reader))
        .alias(latest=Subquery(latest))
        # An older check may have found what a correction has removed since.
        .filter(run=F("latest"))
        .select_related("case", "party", "member__user", "resolved_by__tested_by", "tested_by")
        .order_by("case__urgency", "case__due_on", "case", "pk")
    )
    # A reverse one-to-one relation raises if there is no row.
    findings = [ConflictFinding(row, getattr(row, "resolved_by", None)) for row in rows]
    return [one for one in findings if one.result != Result.PASS]


def count_open_findings(reader: User) -> int:
    """Count the possible affiliations in open cases that await the medical director. One query."""
    # Answers decide what is open, so rows are counted here and not in SQL.
    return sum(one.is_open for one in list_open_case_findings(reader))


def list_member_versions(member: OrganizationMember) -> list[OrganizationMember]:
    """List every version of a member, oldest first. One query."""
    # All members are few rows, and one query finds the whole chain of corrections.
    rows = {row.pk: row for row in OrganizationMember.objects.select_related("user").order_by("pk")}
    first = map_first_versions(rows.values())
    return [row for pk, row in rows.items() if first[pk] == first[member.pk]]


def _build_member_facts(
    row: OrganizationMember, conflicts: Sequence[MemberAffiliation], limits: Limits
) -> MemberFacts:
    """Build the values of one member for the conflict check."""
    # A user’s name may change without a new row for the member.
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
