"""Conflict checks of this organization against the parties of a case, and their resolution.

A check runs when an application is received, when the parties change, and when a reviewer is
chosen. Every check writes its result (Labor Code 139.5; the practice of NAIRO).
"""

from collections.abc import Iterable, Mapping, Sequence
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
from deadlines.days import local_day
from directory.affiliations import NONE, RELATIONS_TESTED

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


def check_own_conflicts(*, case: Case, by: User | None, at: datetime) -> list[OwnConflictResult]:
    """Check the organization against every party of a locked case and its consolidated cases.

    If members, parties and results are the same as in the latest check, no rows are written.
    Answers of persons about the same member and party stay valid.

    :returns: the rows of the latest check, this one or an earlier one.
    """
    own_organization = read_own_organization(on=local_day(at), known_at=at)
    parties = read_party_facts(case, known_at=at)
    before = list(
        OwnConflictResult.objects.filter(case=case).select_related("member__user").order_by("pk")
    )
    last = select_latest_findings(before)
    shared: dict[str, Any] = {
        "case": case,
        # The case is locked, so no other check takes this number.
        "run": max((row.run for row in before), default=0) + 1,
        "party_list_version": case.party_list_version,
        "own_organization": own_organization.digest,
        "members_tested": len(own_organization.members),
        "parties_tested": [party.party_id for party in parties],
        "tested_at": at,
        "tested_by": by,
    }
    found = find_own_conflicts(own_organization.members, parties)
    rows = _build_result_rows(
        found, _collect_resolved_answers(case, before, own_organization), own_organization, shared
    )
    if not rows:
        # A check without findings leaves evidence too.
        rows = [_build_pass_row(len(own_organization.members), len(parties), shared)]
    # Equal content: the earlier rows still say everything, so no new ones are written.
    if last and _collect_result_contents(
        (row, row.result) for row in rows
    ) == _collect_result_contents((one.row, one.result) for one in last):
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


def check_outdated_cases(*, by: User | None, at: datetime, most: int = CASES_AT_ONCE) -> int:
    """Check open cases again whose latest check used other facts about the organization.

    Choosing a reviewer repeats the check in any case. This finds affiliations that were recorded
    during a review, and possible affiliations for the medical director.

    :param most: check at most this many cases, next due first.
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
    ids = list(waiting.values_list("pk", flat=True)[:most])
    # A transaction for each case, so that none stays locked during the whole run.
    for pk in ids:
        check_own_conflicts_of_case(case_id=pk, by=by, at=at)
    return len(ids)


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
                "member", "party", "relation", "sentence",
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
    found = "there is none" if result == Result.PASS else "there is one"
    _record_conflict_event(
        case, f"A possible affiliation of {of} with a party was resolved: {found}.", by=by, at=at
    )
    return answer


def _build_result_rows(
    found: Iterable[FoundOwnConflict],
    answers: Mapping[tuple[int, int, str], OwnConflictResult],
    own_organization: OwnOrganization,
    shared: dict[str, Any],
) -> list[OwnConflictResult]:
    """Build a result row for each finding; earlier answers of persons are carried over."""
    rows = []
    for one in found:
        conflict, member_id = one.conflict, one.member.member_id
        row = OwnConflictResult(
            **shared,
            member_id=member_id,
            party_id=conflict.party_id,
            relation=conflict.relation,
            result=conflict.result,
            tested=[conflict.relation],
            sentence=conflict.sentence[:400],
        )
        answer = answers.get(
            (own_organization.first[member_id], conflict.party_id, conflict.relation)
        )
        # An answer about a doubt does not clear an affiliation that is now on file.
        if answer is not None and conflict.result == Result.UNKNOWN:
            row.result, row.note = answer.result, answer.note
        rows.append(row)
    return rows


def _build_pass_row(members: int, parties: int, shared: dict[str, Any]) -> OwnConflictResult:
    """Build the result row of a check without findings."""
    sentence = (
        f"No affiliation of this organization with a party is on file. Compared: {members} "
        f"members and {parties} parties."
        if members
        else "No member of this organization is on file, so nothing was compared with the parties."
    )
    return OwnConflictResult(
        **shared, relation=NONE, result=Result.PASS, tested=_TESTED, sentence=sentence
    )


def _collect_resolved_answers(
    case: Case, before: Sequence[OwnConflictResult], own_organization: OwnOrganization
) -> dict[tuple[int, int, str], OwnConflictResult]:
    """Map (first row of the member, party, relation) to the latest answer of a person.

    A new address makes a new row of a party but needs no new answer. At most one query.
    """
    # Only answers, and rows that carried one over, have a note.
    answered = [row for row in before if row.note]
    if not answered:
        return {}
    alike = group_party_rows(case)
    return {
        (own_organization.first[row.member_id], party_id, row.relation): row
        for row in answered
        if row.member_id is not None
        and row.member_id in own_organization.first
        and row.party_id is not None
        for party_id in alike.get(row.party_id, {row.party_id})
    }


def _collect_result_contents(rows: Iterable[tuple[OwnConflictResult, str]]) -> set[tuple[Any, ...]]:
    """Return what two checks are compared by."""
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
    first = own_organization.first.get(row.member_id, row.member_id) if row.member_id else None
    return first, row.party_id, row.relation, result


def _record_new_findings(
    rows: Sequence[OwnConflictResult],
    known: set[tuple[Any, ...]],
    own_organization: OwnOrganization,
) -> None:
    """Write events about new findings, without the name of the member."""
    kinds = {one.member_id: one.kind for one in own_organization.members}
    new = [
        row
        for row in rows
        if row.result != Result.PASS
        and _finding_key(row, own_organization, row.result) not in known
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
    """Store on a locked case which users are barred from it, if that changed."""
    barred = sorted(pk for pk in users if pk is not None)
    # Each store adds a version of the case, and most checks change nothing.
    if case.barred_staff != barred:
        case.barred_staff = barred
        case.store(by=by, at=at, why="Conflicts of staff with the parties", fields=["barred_staff"])


def _record_conflict_event(case: Case, sentence: str, *, by: User | None, at: datetime) -> None:
    Event.objects.create(
        case=case, kind=Event.Kind.CHANGED, happened_at=at, by=by, sentence=sentence
    )
