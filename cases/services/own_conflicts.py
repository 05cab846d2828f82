"""Conflict checks of this organization against the parties of a case, and their resolution.

A check runs when an application is received, when the parties change, and when a reviewer is
chosen. Every check writes its result (Labor Code 139.5; the practice of NAIRO).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from accounts.models import User
from accounts.refusals import refuse_if
from cases import policies
from cases.models import Case, Event, OrganizationMember, OwnConflictResult
from cases.organization_facts import (
    OwnOrganization,
    list_conflict_findings,
    read_own_organization,
    select_latest_findings,
)
from cases.own_conflicts import ITSELF, FoundOwnConflict, find_own_conflicts
from cases.party_facts import group_party_rows, read_party_facts
from cases.services.restrictions import end_clearances_of_barred_staff
from deadlines.days import local_day
from directory.affiliations import NONE, RELATIONS_TESTED, PartyFacts

Result = OwnConflictResult.Result

# How many cases one run of the scheduled task checks.
CASES_AT_ONCE = 500

_TESTED = [*RELATIONS_TESTED, ITSELF]
_STAFF = OrganizationMember.Kind.STAFF


@transaction.atomic
def check_own_conflicts_of_case(
    *, case_id: int, by: User | None, at: datetime
) -> list[OwnConflictResult]:
    """Lock a case and check the organization against its parties; see ``check_own_conflicts``."""
    case = Case.objects.lock(case_id)
    return check_own_conflicts(case=case, by=by, at=at)


@dataclass(frozen=True)
class ComparedParties:
    """What a conflict check compared, and what it found, before the results are stored."""

    own_organization: OwnOrganization
    party_ids: tuple[int, ...]
    conflicts: tuple[FoundOwnConflict, ...]

    def renumber(self, ids: Mapping[int, int]) -> "ComparedParties":
        """The same with other ids of the parties, for rows that were stored meanwhile."""
        return ComparedParties(
            self.own_organization,
            tuple(ids[one] for one in self.party_ids),
            tuple(
                replace(one, conflict=replace(one.conflict, party_id=ids[one.conflict.party_id]))
                for one in self.conflicts
            ),
        )


def compare_parties(
    parties: Sequence[PartyFacts], own_organization: OwnOrganization
) -> ComparedParties:
    """Compare parties with the members of the organization. No queries."""
    return ComparedParties(
        own_organization,
        tuple(party.party_id for party in parties),
        tuple(find_own_conflicts(own_organization.members, parties)),
    )


def check_own_conflicts(
    *, case: Case, compared: ComparedParties | None = None, by: User | None, at: datetime
) -> list[OwnConflictResult]:
    """Check the organization against every party of a locked case and its consolidated cases.

    If members, parties and results are the same as in the latest check, no rows are written.
    Answers of persons about the same member and party stay valid.

    :param compared: the comparison of exactly these parties, if the caller has made it.
    :returns: the rows of the latest check, this one or an earlier one.
    """
    compared = compared or compare_parties(
        read_party_facts(case, known_at=at),
        read_own_organization(on=local_day(at), known_at=at),
    )
    own_organization = compared.own_organization
    before = list(
        OwnConflictResult.objects.filter(case=case).select_related("member__user").order_by("pk")
    )
    last = select_latest_findings(before)
    # The case is locked, so no other check takes this number.
    run = max((row.run for row in before), default=0) + 1
    shared = _shared_fields(case, compared, run=run, by=by, at=at)
    rows = _build_result_rows(
        compared.conflicts,
        _map_earlier_resolutions(case, before, own_organization),
        own_organization,
        shared,
    )
    if not rows:
        # A check without findings leaves evidence too.
        rows = [_build_pass_row(len(own_organization.members), len(compared.party_ids), shared)]
    # Equal content: the earlier rows still say everything, so no new ones are written.
    if last and _collect_compared_values(
        (row, row.result) for row in rows
    ) == _collect_compared_values((one.row, one.result) for one in last):
        return [one.row for one in last]
    OwnConflictResult.objects.bulk_create(rows)
    _record_new_findings(
        rows,
        {_finding_key(one.row, own_organization, one.result) for one in last},
        own_organization,
    )
    users = {one.member_id: one.user_id for one in own_organization.members}
    # A possible affiliation bars as well, until the medical director clears it.
    barred = {users[row.member_id] for row in rows if row.member_id and row.result != Result.PASS}
    _bar_staff(case, barred - {None}, by=by, at=at)
    return rows


def store_checks_without_findings(
    *, cases: Sequence[Case], compared: Sequence[ComparedParties], by: User | None, at: datetime
) -> None:
    """Store the first check of new cases, as ``check_own_conflicts`` does, in one statement.

    :param compared: the comparison of the parties of each case, none of which found a conflict.
    """
    if any(one.conflicts for one in compared):
        raise ValueError("A comparison with findings has to be checked with its case.")
    OwnConflictResult.objects.bulk_create(
        [
            _build_pass_row(
                len(one.own_organization.members),
                len(one.party_ids),
                _shared_fields(case, one, run=1, by=by, at=at),
            )
            for case, one in zip(cases, compared, strict=True)
        ]
    )


def check_outdated_cases(
    *,
    by: User | None,
    at: datetime,
    most: int = CASES_AT_ONCE,
    guard: Callable[[str], AbstractContextManager[Any]] = nullcontext,
) -> int:
    """Check open cases again whose latest check used other facts about the organization.

    Choosing a reviewer repeats the check in any case. This finds affiliations that were recorded
    during a review, and possible affiliations for the medical director.

    :param most: check at most this many cases, next due first.
    :param guard: surrounds the check of each case and gets its number; it may keep an error of
        one case from stopping the others.
    :returns: the number of cases checked.
    """
    own_organization = read_own_organization(on=local_day(at), known_at=at)
    last = OwnConflictResult.objects.filter(case=OuterRef("pk"), resolves=None).order_by("-run")
    waiting = (
        Case.objects.own()
        .open()
        # Later facts do not matter to a case that is decided.
        .filter(decided_on=None)
        .alias(tested=Subquery(last.values("own_organization")[:1]))
        # In SQL a NULL is not unequal to the digest, so cases without a check match separately.
        .filter(Q(tested=None) | ~Q(tested=own_organization.digest))
        .order_by("due_on", "pk")
    )
    found = list(waiting.values_list("pk", "number")[:most])
    # A transaction for each case, so that none stays locked during the whole run.
    for pk, number in found:
        with guard(number):
            check_own_conflicts_of_case(case_id=pk, by=by, at=at)
    return len(found)


@transaction.atomic
def resolve_own_conflict(
    *, result_id: int, result: OwnConflictResult.Result | str, note: str, by: User, at: datetime
) -> OwnConflictResult:
    """Resolve a possible affiliation, with a note. The unknown result stays on record.

    :raises NotAllowed: wrong role, the person concerned, no note, already resolved, not open, or
        the case was checked again since.
    """
    case_id = OwnConflictResult.objects.values_list("case_id", flat=True).get(pk=result_id)
    case = Case.objects.lock(case_id)
    unknown = OwnConflictResult.objects.select_related("member", "party").get(pk=result_id)
    refuse_if(policies.why_not_resolve_own_conflict(by, unknown))
    if unknown.result != Result.UNKNOWN or unknown.resolves_id is not None:
        refuse_if("This result is not open: there is nothing to resolve.")
    if OwnConflictResult.objects.filter(resolves=unknown).exists():
        refuse_if("Someone has already resolved this. Reload the page to see the answer.")
    # Only the latest check is read, so an answer to an older one would have no effect.
    if OwnConflictResult.objects.filter(case=case, run__gt=unknown.run).exists():
        refuse_if("The conflicts of this case were checked again. Resolve the new result.")
    if result not in {Result.PASS, Result.FAIL}:
        refuse_if("Choose whether there is an affiliation.")
    refuse_if("" if note.strip() else "Enter how you know.")
    answer = OwnConflictResult.objects.create(
        **{
            name: getattr(unknown, name)
            for name in (
                "run", "party_list_version", "own_organization", "members_tested", "parties_tested",
                "member", "party", "relation", "sentence", "level", "level_source",
            )
        },
        case=case,
        result=result,
        tested=[unknown.relation],
        note=note.strip()[:300],
        tested_at=at,
        tested_by=by,
        resolves=unknown,
    )  # fmt: skip
    barred = {
        one.user_id
        for one in list_conflict_findings(case)
        if one.result != Result.PASS and one.user_id
    }
    _bar_staff(case, barred, by=by, at=at)
    # Without the member and the note: everyone on the case reads the timeline.
    assert unknown.member is not None  # noqa: S101 - the database holds it
    of = "a staff member" if unknown.member.kind == _STAFF else "this organization"
    outcome = "there is none" if result == Result.PASS else "there is one"
    _record_conflict_event(
        case, f"A possible affiliation of {of} with a party was resolved: {outcome}.", by=by, at=at
    )
    return answer


def _shared_fields(
    case: Case, compared: ComparedParties, *, run: int, by: User | None, at: datetime
) -> dict[str, Any]:
    """Return the values that all results of one check have."""
    return {
        "case": case,
        "run": run,
        "party_list_version": case.party_list_version,
        "own_organization": compared.own_organization.digest,
        "members_tested": len(compared.own_organization.members),
        "parties_tested": list(compared.party_ids),
        "tested_at": at,
        "tested_by": by,
    }


def _build_result_rows(
    conflicts: Iterable[FoundOwnConflict],
    answers: Mapping[tuple[int, int, str], OwnConflictResult],
    own_organization: OwnOrganization,
    shared: dict[str, Any],
) -> list[OwnConflictResult]:
    """Build a result row for each finding.

    If staff already resolved the same finding, their resolution is carried over.
    """
    rows = []
    for one in conflicts:
        conflict, member_id = one.conflict, one.member.member_id
        row = OwnConflictResult(
            **shared,
            member_id=member_id,
            party_id=conflict.party_id,
            relation=conflict.relation,
            result=conflict.result,
            tested=[conflict.relation],
            sentence=conflict.sentence[:400],
            **conflict.prohibition_fields,
        )
        answer = answers.get(
            (own_organization.first_versions[member_id], conflict.party_id, conflict.relation)
        )
        # Staff resolved an unknown result. It does not clear an affiliation that is on file by now.
        if answer is not None and conflict.result == Result.UNKNOWN:
            row.result, row.note = answer.result, answer.note
        rows.append(row)
    return rows


def _build_pass_row(members: int, parties: int, shared: dict[str, Any]) -> OwnConflictResult:
    """Build the result row of a check without findings."""
    sentence = (
        f"No affiliation of this organization with a party is on file. Checked: the "
        f"organization, its owners, officers and staff ({members}) against the parties ({parties})."
        if members
        else "No member of this organization is on file, so nothing was compared with the parties."
    )
    return OwnConflictResult(
        **shared, relation=NONE, result=Result.PASS, tested=_TESTED, sentence=sentence
    )


def _map_earlier_resolutions(
    case: Case, before: Sequence[OwnConflictResult], own_organization: OwnOrganization
) -> dict[tuple[int, int, str], OwnConflictResult]:
    """Map (first row of the member, party, relation) to the latest resolution by staff.

    A party whose address changed has a new row; the earlier resolution still applies. At most one
    query.

    :param before: the results of earlier checks, in order; the last of one key wins.
    """
    # Only answers, and rows that carried one over, have a note.
    answered = [row for row in before if row.note]
    if not answered:
        return {}
    same_parties = group_party_rows(case)
    return {
        (own_organization.first_versions[row.member_id], party_id, row.relation): row
        for row in answered
        if row.member_id is not None
        and row.member_id in own_organization.first_versions
        and row.party_id is not None
        for party_id in same_parties.get(row.party_id, {row.party_id})
    }


def _collect_compared_values(rows: Iterable[tuple[OwnConflictResult, str]]) -> set[tuple[Any, ...]]:
    """Return the results of a check as a set.

    A new check with the same set as the last one is not stored again.
    """
    return {
        (
            row.party_list_version, row.own_organization, tuple(row.parties_tested),
            row.member_id, row.party_id, row.relation, result,
        )
        for row, result in rows
    }  # fmt: skip


def _finding_key(
    row: OwnConflictResult, own_organization: OwnOrganization, result: str
) -> tuple[Any, ...]:
    """Return what identifies a finding across versions of the member."""
    first = (
        own_organization.first_versions.get(row.member_id, row.member_id) if row.member_id else None
    )
    return first, row.party_id, row.relation, result


def _record_new_findings(
    rows: Sequence[OwnConflictResult],
    recorded_keys: set[tuple[Any, ...]],
    own_organization: OwnOrganization,
) -> None:
    """Write events about new findings, without the name of the member."""
    kinds = {one.member_id: one.kind for one in own_organization.members}
    new = [
        row
        for row in rows
        if row.result != Result.PASS
        and _finding_key(row, own_organization, row.result) not in recorded_keys
    ]
    sentences = {
        _describe_new_finding(kinds[row.member_id], row.result) for row in new if row.member_id
    }
    # One event for each kind of finding, not for each member.
    for sentence in sorted(sentences):
        _record_conflict_event(rows[0].case, sentence, by=rows[0].tested_by, at=rows[0].tested_at)


def _describe_new_finding(kind: str, result: str) -> str:
    """Describe a finding for the timeline."""
    if kind == _STAFF:
        return "A staff member may have a conflict of interest with a party. A colleague must act."
    if result == Result.FAIL:
        return (
            "An affiliation of this organization with a party was found. "
            "It may not decide the case."
        )
    return "A possible affiliation of this organization with a party awaits the medical director."


def _bar_staff(case: Case, users: Iterable[int | None], *, by: User | None, at: datetime) -> None:
    """Store on a locked case which users are barred from it, if that changed.

    If the case is restricted, they no longer find it.
    """
    barred = sorted(pk for pk in users if pk is not None)
    # Each store adds a version of the case, and most checks change nothing.
    if case.barred_staff != barred:
        case.barred_staff = barred
        case.store(by=by, at=at, why="Conflicts of staff with the parties", fields=["barred_staff"])
        end_clearances_of_barred_staff(case=case, by=by, at=at)


def _record_conflict_event(case: Case, sentence: str, *, by: User | None, at: datetime) -> None:
    Event.objects.create(
        case=case, kind=Event.Kind.CHANGED, happened_at=at, by=by, sentence=sentence
    )
