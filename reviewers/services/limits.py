"""Setting from where on a tie is a conflict."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse
from deadlines.days import local_day
from reviewers import policies
from reviewers.models import ConflictLimits, Kin


@transaction.atomic
def set_limits(
    *,
    effective_from: date,
    holding_percent: Decimal,
    kin: Sequence[str],
    reason: str,
    by: User | None,
    at: datetime,
) -> ConflictLimits:
    """Set which holdings and relatives make a conflict, from a day on; what stood before stays.

    :param holding_percent: a holding above this share of an organisation is a financial tie.
    :param kin: values of ``Kin`` that count as family.
    :raises NotAllowed: wrong role, a day past, a day that has limits, no reason, or no such share.
    """
    refuse(policies.why_not_set_limits(by))
    refuse("" if reason.strip() else "Say why the limits change.")
    if effective_from < local_day(at):
        refuse("Limits hold from today on, not for the past. Choose today or later.")
    if ConflictLimits.objects.filter(effective_from=effective_from).exists():
        refuse(f"Limits from {effective_from:%m/%d/%Y} are on file. Choose another day.")
    if not 0 <= holding_percent <= 100:
        refuse("A share lies between 0 and 100 percent.")
    unknown = set(kin) - set(Kin.values)
    refuse("Choose relatives from the list." if unknown else "")
    return ConflictLimits(
        effective_from=effective_from,
        holding_percent=holding_percent,
        kin=[value for value in Kin.values if value in kin],
        reason=reason.strip()[:300],
        recorded_at=at,
    ).store(by=by, at=at, why=reason)
