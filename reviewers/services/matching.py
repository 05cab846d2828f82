"""Ranking the panel for a case, and storing the candidate list."""

import hashlib
import json
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import Case
from deadlines.days import local_day
from directory.affiliations import UNKNOWN
from reviewers import policies
from reviewers.matching.candidates import rank_case
from reviewers.matching.panel_ranking import PanelRanking
from reviewers.models import CandidateList, ConflictResult
from reviewers.stored_lists import pack_candidates

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
    placed = rank_case(case, on=day, known_at=at)
    weights = placed.match_case.rules.values
    content = pack_candidates(
        (one.reviewer_id, one.score, one.reasons) for one in placed.list_results()
    )
    # The day, the rules and the party list are part of it, because a stored list states them.
    digest = hashlib.sha256(
        json.dumps(
            [case.round, case.party_list_version, day.isoformat(), weights, content]
        ).encode()
    ).hexdigest()
    latest = case.candidate_lists.order_by("-pk").first()
    # The page ranks whenever it loads, and a list names every reviewer of the panel.
    if latest is not None and latest.digest == digest:
        return latest
    candidate_list = CandidateList.objects.create(
        case=case,
        round=case.round,
        made_at=at,
        made_by=by,
        on_day=day,
        party_list_version=case.party_list_version,
        weights=weights,
        digest=digest,
        content=content,
    )
    _store_new_questions(case, placed, by=by, at=at)
    return candidate_list


def _store_new_questions(
    case: Case,
    placed: PanelRanking,
    *,
    by: User,
    at: datetime,
) -> None:
    # Resolving a conflict helps only if nothing else excludes the reviewer.
    only_in_doubt = [
        result.reviewer_id
        for result in placed.list_marked()
        if result.refusals and {reason.requirement for reason in result.refusals} == {"UNSETTLED"}
    ]
    if not only_in_doubt:
        return
    # Each question is stored once for each version of the party list.
    stored_keys = set(
        ConflictResult.objects.filter(
            case=case, result=UNKNOWN, party_list_version=case.party_list_version
        ).values_list("reviewer_id", "party_id", "relation")
    )
    questions = {
        pk: [
            conflict
            for conflict in placed.get_conflicts(pk)
            if conflict.result == UNKNOWN
            and (pk, conflict.party_id, conflict.relation) not in stored_keys
        ]
        for pk in only_in_doubt
    }
    store_conflict_results(case=case, found=questions, by=by, at=at)
