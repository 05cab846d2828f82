"""Ranking the panel for a case, and storing the candidate list."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import Case
from deadlines.days import local_day
from directory.affiliations import UNKNOWN, FoundConflict
from reviewers import policies
from reviewers.matching.candidacy import Verdict
from reviewers.matching.candidates import evaluate_candidates
from reviewers.matching.track_record import get_matching_rules
from reviewers.models import Candidate, CandidateList, ConflictResult

from .conflicts import check_own_conflicts_first, store_conflict_results


def rank_panel(*, case_id: int, by: User, at: datetime) -> CandidateList:
    """Rank the panel for a case and store the list: who is eligible, who is not, and why.

    If nothing has changed since the latest list, that list is returned and nothing is stored. For
    reviewers who are only held up by a possible conflict, the conflict is stored to be resolved.

    :raises NotAllowed: wrong role, the case does not wait for a reviewer, or this organization has
        a conflict (checked first).
    """
    check_own_conflicts_first(case_id=case_id, by=by, at=at)
    return _rank_in_transaction(case_id, by=by, at=at)


@transaction.atomic
def _rank_in_transaction(case_id: int, *, by: User, at: datetime) -> CandidateList:
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_assign(by, case))
    day = local_day(at)
    rules = get_matching_rules(day, known_at=at)
    verdicts, conflicts = evaluate_candidates(case, on=day, known_at=at, rules=rules)
    content = [_serialize_verdict(verdict) for verdict in verdicts]
    # The day, the rules and the party list are part of it, because a stored list states them.
    digest = hashlib.sha256(
        json.dumps(
            [case.round, case.party_list_version, day.isoformat(), rules.values, content]
        ).encode()
    ).hexdigest()
    latest = case.candidate_lists.order_by("-pk").first()
    # The page ranks whenever it loads. A new list has a row for every reviewer of the panel.
    if latest is not None and latest.digest == digest:
        return latest
    made = CandidateList.objects.create(
        case=case,
        round=case.round,
        made_at=at,
        made_by=by,
        on_day=day,
        party_list_version=case.party_list_version,
        weights=rules.values,
        digest=digest,
    )
    Candidate.objects.bulk_create(
        [
            Candidate(
                candidate_list=made,
                reviewer_id=verdict.reviewer_id,
                rank=verdict.rank,
                score=verdict.score,
                reasons=row["reasons"],
            )
            for verdict, row in zip(verdicts, content, strict=True)
        ],
        # Databases limit the number of parameters in one statement.
        batch_size=500,
    )
    _store_new_questions(case, verdicts, conflicts, by=by, at=at)
    return made


def _store_new_questions(
    case: Case,
    verdicts: list[Verdict],
    conflicts: Mapping[int, Sequence[FoundConflict]],
    *,
    by: User,
    at: datetime,
) -> None:
    # Resolving a conflict helps only if nothing else excludes the reviewer.
    only_in_doubt = [
        verdict.reviewer_id
        for verdict in verdicts
        if verdict.refusals and {reason.requirement for reason in verdict.refusals} == {"UNSETTLED"}
    ]
    if not only_in_doubt:
        return
    # Each question is stored once for each version of the party list.
    known = set(
        ConflictResult.objects.filter(
            case=case, result=UNKNOWN, party_list_version=case.party_list_version
        ).values_list("reviewer_id", "party_id", "relation")
    )
    found = {
        pk: [
            conflict
            for conflict in conflicts[pk]
            if conflict.result == UNKNOWN
            and (pk, conflict.party_id, conflict.relation) not in known
        ]
        for pk in only_in_doubt
    }
    store_conflict_results(case=case, found=found, by=by, at=at)


def _serialize_verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "reviewer": verdict.reviewer_id,
        "rank": verdict.rank,
        "score": verdict.score,
        "reasons": [
            {"requirement": one.requirement, "holds": one.holds, "sentence": one.sentence}
            for one in verdict.reasons
        ],
    }
