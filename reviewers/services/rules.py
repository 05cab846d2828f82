"""Setting the matching rules, and which cases a reviewer may be offered."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases.models import TreatmentCategory
from deadlines.days import local_day
from reviewers import policies
from reviewers.matching.candidacy import LIMITS, WEIGHTS
from reviewers.models import MatchingRules, Reviewer

# Twice the default maximum of the score, and the days of a year.
WEIGHT_MOST, LIMIT_MOST = 200, 365


@transaction.atomic
def set_matching_rules(
    *,
    effective_from: date,
    weights: Mapping[str, int],
    limits: Mapping[str, int],
    reason: str,
    by: User,
    at: datetime,
) -> MatchingRules:
    """Set the weights and limits of matching from a day on. Earlier rules are kept.

    :param weights: every key of ``candidacy.WEIGHTS`` with its points.
    :param limits: every key of ``candidacy.LIMITS`` with its days or cases.
    :raises NotAllowed: wrong role, a past day, no reason, or a value missing or out of range.
    """
    refuse_if(policies.why_not_set_rules(by))
    refuse_if("" if reason.strip() else "Enter why the rules change.")
    if effective_from < local_day(at):
        refuse_if("Rules cannot start in the past. Choose today or later.")
    if set(weights) != set(WEIGHTS) or set(limits) != set(LIMITS):
        refuse_if("Enter a value for every weight and every limit.")
    for name, points in weights.items():
        # A weight that takes points away by default may not add points, and the reverse.
        low, high = (-WEIGHT_MOST, 0) if WEIGHTS[name] < 0 else (0, WEIGHT_MOST)
        if not low <= points <= high:
            refuse_if(f"Enter weights from {low} to {high}.")
    if not all(0 <= value <= LIMIT_MOST for value in limits.values()):
        refuse_if(f"Enter limits from 0 to {LIMIT_MOST}.")
    return MatchingRules(
        effective_from=effective_from,
        weights=dict(weights),
        limits=dict(limits),
        reason=reason.strip()[:300],
        recorded_at=at,
        recorded_by=by,
    ).store(by=by, at=at, why=reason.strip())


@transaction.atomic
def limit_offers(
    *,
    reviewer_id: int,
    subjects: Sequence[int] | None,
    days_off: Sequence[int],
    reason: str,
    seen_version: int | None = None,
    by: User | None,
    at: datetime,
) -> Reviewer:
    """Limit the treatments and weekdays on which a reviewer is offered cases, effective at once.

    Cases that the reviewer already has are not affected.

    :param subjects: ids of treatment categories; ``None`` means all, an empty list none.
    :param days_off: weekdays without offers, Monday 0 to Sunday 6.
    :raises NotAllowed: wrong role, no reason, no such category or weekday.
    :raises Stale: someone else changed the row in between.
    """
    refuse_if(policies.why_not_keep_credentials(by))
    reviewer = Reviewer.objects.select_for_update().get(pk=reviewer_id)
    reviewer.refuse_if_stale(seen_version)
    refuse_if("" if reason.strip() else "Enter why this changes.")
    subject_ids = sorted(set(subjects or ()))
    # The ids are stored as JSON, so no foreign key checks them.
    if TreatmentCategory.objects.filter(pk__in=subject_ids).count() != len(subject_ids):
        refuse_if("Choose treatments from the list.")
    if not set(days_off) <= set(range(7)):
        refuse_if("Choose days from the list.")
    reviewer.subjects = None if subjects is None else subject_ids
    reviewer.days_off = sorted(set(days_off))
    return reviewer.store(by=by, at=at, why=reason.strip(), fields=["subjects", "days_off"])
