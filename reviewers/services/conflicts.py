"""Conflict checks of reviewers, resolution of possible conflicts, and the conflict limits."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from accounts.clashes import refuse_unique_clash
from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import Case, Event
from cases.services import own_conflicts
from deadlines.days import local_day
from directory.affiliations import DEFAULT_LIMITS, FoundConflict
from reviewers import policies
from reviewers.facts import format_day
from reviewers.matching.candidates import find_case_conflicts
from reviewers.models import ConflictLimits, ConflictResult, Kin, Reviewer
from reviewers.profiles import load_profile


@transaction.atomic
def check_conflicts(
    *, case_id: int, reviewer_id: int, by: User | None, at: datetime
) -> list[ConflictResult]:
    """Check a reviewer against every current party of a case and store each result.

    Results are never changed. Each check adds rows with the party list version that it used.
    """
    # Locked, so that the parties match the list version that is stored with the results.
    case = Case.objects.lock(case_id)
    reviewer = Reviewer.objects.get(pk=reviewer_id)
    facts = load_profile(reviewer, on=local_day(at), known_at=at)
    return store_conflict_results(
        case=case, found={reviewer.pk: find_case_conflicts(case, facts, known_at=at)}, by=by, at=at
    )


def check_own_conflicts_first(*, case_id: int, by: User, at: datetime) -> None:
    """Check this organization's own conflicts before a reviewer is assigned.

    Runs in its own transaction, so that what it finds is kept even if the assignment is refused.
    """
    # Without the permission the action is refused, and then nothing may be stored.
    if by.may("reviewers.assign_reviewer"):
        own_conflicts.check_own_conflicts_of_case(case_id=case_id, by=by, at=at)


def store_conflict_results(
    *,
    case: Case,
    found: Mapping[int, Sequence[FoundConflict]],
    by: User | None,
    at: datetime,
) -> list[ConflictResult]:
    """Store the conflict results of reviewers for a locked case, in one statement."""
    return ConflictResult.objects.bulk_create(
        [
            ConflictResult(
                case=case,
                reviewer_id=reviewer_id,
                party_id=conflict.party_id,
                party_list_version=case.party_list_version,
                relation=conflict.relation,
                result=conflict.result,
                tested=list(conflict.tested),
                sentence=conflict.sentence,
                **conflict.prohibition_fields,
                tested_at=at,
                tested_by=by,
            )
            for reviewer_id, conflicts in found.items()
            for conflict in conflicts
        ]
    )


@transaction.atomic
def resolve_conflict(
    *, result_id: int, result: ConflictResult.Result | str, note: str, by: User, at: datetime
) -> ConflictResult:
    """Resolve a possible conflict, with a note. The unresolved result is kept.

    :raises NotAllowed: the reviewer themself, wrong role, no note, already resolved, or not open.
    """
    case_id = ConflictResult.objects.values_list("case_id", flat=True).get(pk=result_id)
    case = Case.objects.lock(case_id)
    # Read after the lock: someone else may have resolved it during the wait.
    unknown = ConflictResult.objects.select_related("reviewer", "party").get(pk=result_id)
    refuse_if(policies.why_not_resolve_conflict(by, unknown.reviewer))
    if unknown.result != ConflictResult.Result.UNKNOWN:
        refuse_if("This result is not open. There is nothing to resolve.")
    if ConflictResult.objects.filter(resolves=unknown).exists():
        refuse_if("Someone has already resolved this. Reload the page.")
    if result not in {ConflictResult.Result.PASS, ConflictResult.Result.FAIL}:
        refuse_if("Choose whether there is a conflict.")
    if not note.strip():
        refuse_if("Enter a note: how do you know?")
    resolved = ConflictResult.objects.create(
        case=case,
        reviewer=unknown.reviewer,
        party=unknown.party,
        party_list_version=case.party_list_version,
        relation=unknown.relation,
        tested=[unknown.relation],
        result=result,
        sentence=unknown.sentence,
        level=unknown.level,
        level_source=unknown.level_source,
        note=note.strip()[:300],
        tested_at=at,
        tested_by=by,
        resolves=unknown,
    )
    # Without the reviewer and the note, because everyone with the case reads the timeline.
    outcome = "no conflict" if result == ConflictResult.Result.PASS else "a conflict"
    Event.objects.create(
        case=case,
        kind=Event.Kind.CHANGED,
        happened_at=at,
        by=by,
        sentence=f"A possible conflict of a reviewer was resolved: {outcome}.",
        facts={"resolves": unknown.pk, "result": resolved.result},
    )
    return resolved


def list_open_questions(case: Case, reviewer_ids: Iterable[int]) -> list[ConflictResult]:
    """Return the unresolved possible conflicts of a case, the latest result of each."""
    rows = list(
        ConflictResult.objects.filter(
            case=case, reviewer_id__in=list(reviewer_ids), result=ConflictResult.Result.UNKNOWN
        )
        .select_related("reviewer", "party")
        .order_by("-pk")
    )
    if not rows:
        return []
    # Compared by party and relation, because each new check stores the same question again.
    resolved = set(
        ConflictResult.objects.filter(case=case, resolves__isnull=False).values_list(
            "reviewer_id", "party_id", "relation"
        )
    )
    latest: dict[tuple[int, int, str], ConflictResult] = {}
    for row in rows:
        key = (row.reviewer_id, row.party_id, row.relation)
        if key not in resolved:
            latest.setdefault(key, row)
    return list(latest.values())


@transaction.atomic
def set_conflict_limits(
    *,
    effective_from: date,
    holding_percent: Decimal,
    kin: Sequence[str],
    source: str = DEFAULT_LIMITS.source,
    reason: str,
    by: User | None,
    at: datetime,
) -> ConflictLimits:
    """Set which holdings and relatives are conflicts, from a day on. Earlier limits are kept.

    :param holding_percent: a holding above this share of an organization is a financial
        affiliation.
    :param kin: values of ``Kin`` that count as family.
    :param source: where the organization takes these limits from.
    :raises NotAllowed: wrong role, a past day, a day that has limits, no reason, no source, or an
        impossible share.
    """
    refuse_if(policies.why_not_set_limits(by))
    refuse_if("" if reason.strip() else "Enter why the limits change.")
    refuse_if("" if source.strip() else "Enter the source of the limits.")
    if effective_from < local_day(at):
        refuse_if("Limits cannot start in the past. Choose today or later.")
    on_file = f"Limits from {format_day(effective_from)} are already on file. Choose another day."
    if ConflictLimits.objects.filter(effective_from=effective_from).exists():
        refuse_if(on_file)
    if not 0 <= holding_percent <= 100:
        refuse_if("Enter a share from 0 to 100 percent.")
    unknown = set(kin) - set(Kin.values)
    refuse_if("Choose relatives from the list." if unknown else "")
    limits = ConflictLimits(
        effective_from=effective_from,
        holding_percent=holding_percent,
        # In the order of ``Kin`` and without repeats, however the form sent them.
        kin=[value for value in Kin.values if value in kin],
        source=source.strip()[:200],
        reason=reason.strip()[:300],
        recorded_at=at,
    )
    # Two people may pass the check above at the same time; the constraint refuses one.
    with refuse_unique_clash(on_file):
        return limits.store(by=by, at=at, why=reason)
