"""Testing this organization against the parties of a case, and settling what only a person can.

Conflicts of the organization and its staff are looked for when an application comes in, whenever
the parties change, and once more when a reviewer is chosen; each test leaves a row (Labor Code
139.5; the practice of NAIRO).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from accounts.models import User
from accounts.refusals import refuse
from cases import policies
from cases.models import Case, Event, OrganizationMember, OwnConflictResult
from cases.organization_facts import OwnOrganization, latest_of, own_organization_of, standing
from cases.own_conflicts import ITSELF, Found, own_conflicts
from cases.party_facts import parties_of, rows_alike
from deadlines.days import local_day
from directory.affiliations import NONE, RELATIONS_TESTED

Result = OwnConflictResult.Result

# How many cases are tested in one go when facts about the organization have changed.
AT_ONCE = 500

_TESTED = [*RELATIONS_TESTED, ITSELF]
_STAFF = OrganizationMember.Kind.STAFF


@transaction.atomic
def examine_case(*, case_id: int, by: User | None, at: datetime) -> list[OwnConflictResult]:
    """Test the organization against every party of a case; see ``examine``."""
    case = Case.objects.lock(case_id)
    return examine(case=case, by=by, at=at)


def examine(*, case: Case, by: User | None, at: datetime) -> list[OwnConflictResult]:
    """Test the organization against every party of a locked case and of those that follow it.

    The same parties, the same organization and the same outcome leave no second row. What a person
    has settled about the same member and the same party stays settled.

    :returns: the rows of the latest test, be it this one or one before.
    """
    own_organization = own_organization_of(on=local_day(at), known_at=at)
    parties = parties_of(case, known_at=at)
    before = list(
        OwnConflictResult.objects.filter(case=case).select_related("member__user").order_by("pk")
    )
    last = latest_of(before)
    shared: dict[str, Any] = {
        "case": case,
        "run": max((row.run for row in before), default=0) + 1,
        "party_list_version": case.party_list_version,
        "own_organization": own_organization.digest,
        "members_tested": len(own_organization.members),
        "parties_tested": [party.party_id for party in parties],
        "tested_at": at,
        "tested_by": by,
    }
    found = own_conflicts(own_organization.members, parties)
    rows = _rows_of(found, _answers(case, before, own_organization), own_organization, shared)
    if not rows:
        rows = [_nothing_found(len(own_organization.members), len(parties), shared)]
    if last and _content((row, row.result) for row in rows) == _content(
        (one.row, one.result) for one in last
    ):
        return [one.row for one in last]
    OwnConflictResult.objects.bulk_create(rows)
    _tell_what_is_new(
        rows, {_key(one.row, own_organization, one.result) for one in last}, own_organization
    )
    users = {one.member_id: one.user_id for one in own_organization.members}
    barred = {users[row.member_id] for row in rows if row.member_id and row.result != Result.PASS}
    _bar(case, barred - {None}, by=by, at=at)
    return rows


def examine_outdated(*, by: User | None, at: datetime, most: int = AT_ONCE) -> int:
    """Test the open cases again whose last test used other facts about the organization.

    Nothing legal waits for it: whoever chooses a reviewer has the test made again in any case. It
    finds an affiliation that came up in the middle of a review, and puts doubts before the
    director.

    :returns: how many cases were tested, at most ``most``, by what is due first.
    """
    own_organization = own_organization_of(on=local_day(at), known_at=at)
    last = OwnConflictResult.objects.filter(case=OuterRef("pk"), settles=None).order_by("-run")
    waiting = (
        Case.objects.own()
        .open()
        .filter(decided_on=None)
        .alias(tested=Subquery(last.values("own_organization")[:1]))
        .filter(Q(tested=None) | ~Q(tested=own_organization.digest))
        .order_by("due_on", "pk")
    )
    ids = list(waiting.values_list("pk", flat=True)[:most])
    for pk in ids:
        examine_case(case_id=pk, by=by, at=at)
    return len(ids)


@transaction.atomic
def settle(
    *, result_id: int, result: OwnConflictResult.Result | str, note: str, by: User, at: datetime
) -> OwnConflictResult:
    """Answer what was unknown, with a note; the unknown stays readable beside the answer.

    :raises NotAllowed: wrong role, the person whom it concerns, no note, settled already, not
        unknown, or the parties or the organization were tested again since.
    """
    case_id = OwnConflictResult.objects.values_list("case_id", flat=True).get(pk=result_id)
    case = Case.objects.lock(case_id)
    unknown = OwnConflictResult.objects.select_related("member", "party").get(pk=result_id)
    refuse(policies.why_not_settle_own_conflict(by, unknown))
    if unknown.result != Result.UNKNOWN or unknown.settles_id is not None:
        refuse("This result is not open: there is nothing to settle.")
    if OwnConflictResult.objects.filter(settles=unknown).exists():
        refuse("Someone has settled this already. Reload the page to see how.")
    if OwnConflictResult.objects.filter(case=case, run__gt=unknown.run).exists():
        refuse("The affiliations of this case were tested again. Answer what stands there now.")
    if result not in {Result.PASS, Result.FAIL}:
        refuse("Say whether there is an affiliation or not.")
    refuse("" if note.strip() else "Write a note: how do you know?")
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
        settles=unknown,
    )  # fmt: skip
    stand = standing(case)
    open_to = {one.user_id for one in stand if one.result != Result.PASS and one.user_id}
    _bar(case, open_to, by=by, at=at)
    # Neither the member nor the note: everyone on the case reads the timeline.
    assert unknown.member is not None  # noqa: S101 - the database holds it
    of = "a member of staff" if unknown.member.kind == _STAFF else "this organization"
    found = "there is none" if result == Result.PASS else "there is one"
    _record(case, f"A possible affiliation of {of} to a party was settled: {found}.", by=by, at=at)
    return answer


def _rows_of(
    found: Iterable[Found],
    answers: Mapping[tuple[int, int, str], OwnConflictResult],
    own_organization: OwnOrganization,
    shared: dict[str, Any],
) -> list[OwnConflictResult]:
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
        if answer is not None and conflict.result == Result.UNKNOWN:
            row.result, row.note = answer.result, answer.note
        rows.append(row)
    return rows


def _nothing_found(members: int, parties: int, shared: dict[str, Any]) -> OwnConflictResult:
    sentence = (
        f"No affiliation of this organization to a party is on file: {members} of the "
        f"organization and {parties} "
        "on the party list were compared."
        if members
        else "No one of this organization is on file, so no one was compared with the parties."
    )
    return OwnConflictResult(
        **shared, relation=NONE, result=Result.PASS, tested=_TESTED, sentence=sentence
    )


def _answers(
    case: Case, before: Sequence[OwnConflictResult], own_organization: OwnOrganization
) -> dict[tuple[int, int, str], OwnConflictResult]:
    """What people settled: (first row of the member, party, relation) → the latest answer.

    Another address makes another row of a party and asks no new question. One query, if any.
    """
    answered = [row for row in before if row.note]
    if not answered:
        return {}
    alike = rows_alike(case)
    return {
        (own_organization.first[row.member_id], party_id, row.relation): row
        for row in answered
        if row.member_id is not None
        and row.member_id in own_organization.first
        and row.party_id is not None
        for party_id in alike.get(row.party_id, {row.party_id})
    }


def _content(rows: Iterable[tuple[OwnConflictResult, str]]) -> set[tuple[Any, ...]]:
    return {
        (
            row.party_list_version, row.own_organization, tuple(row.parties_tested),
            row.member_id, row.party_id, row.relation, result,
        )
        for row, result in rows
    }  # fmt: skip


def _key(row: OwnConflictResult, own_organization: OwnOrganization, result: str) -> tuple[Any, ...]:
    first = own_organization.first.get(row.member_id, row.member_id) if row.member_id else None
    return first, row.party_id, row.relation, result


def _tell_what_is_new(
    rows: Sequence[OwnConflictResult],
    known: set[tuple[Any, ...]],
    own_organization: OwnOrganization,
) -> None:
    """Put on the timeline what was found and was not before.

    Never whom of the organization it is of.
    """
    kinds = {one.member_id: one.kind for one in own_organization.members}
    new = [
        row
        for row in rows
        if row.result != Result.PASS and _key(row, own_organization, row.result) not in known
    ]
    sentences = {_sentence(kinds[row.member_id], row.result) for row in new if row.member_id}
    for sentence in sorted(sentences):
        _record(rows[0].case, sentence, by=rows[0].tested_by, at=rows[0].tested_at)


def _sentence(kind: str, result: str) -> str:
    if kind == _STAFF:
        return "A staff member may have a conflict of interest with a party. A colleague must act."
    if result == Result.FAIL:
        return (
            "An affiliation of this organization to a party was found; it may not decide the case."
        )
    return "A possible affiliation of this organization to a party waits for the medical director."


def _bar(case: Case, users: Iterable[int | None], *, by: User | None, at: datetime) -> None:
    """Say on the locked case who may not act on it. A version of the case only when it changes."""
    barred = sorted(pk for pk in users if pk is not None)
    if case.barred_staff != barred:
        case.barred_staff = barred
        case.store(
            by=by, at=at, why="Affiliations of staff to the parties", fields=["barred_staff"]
        )


def _record(case: Case, sentence: str, *, by: User | None, at: datetime) -> None:
    Event.objects.create(
        case=case, kind=Event.Kind.CHANGED, happened_at=at, by=by, sentence=sentence
    )
