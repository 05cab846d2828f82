"""Confirm the fees of independent medical reviews."""

from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.names import name_actor
from accounts.refusals import NotAllowed, refuse_if

from .models import FeeRow
from .policies import why_not_manage_fees


@transaction.atomic
def confirm_fee(*, fee_id: int, on: date, by: User, at: datetime) -> FeeRow:
    """Confirm, as a named person, that a fee row matches the rule.

    :param on: the local day of the confirmation.
    :raises NotAllowed: not allowed for this user, or it is already confirmed.
    """
    refuse_if(why_not_manage_fees(by))
    # Locked, so that of two confirmations at once the second is refused with a name.
    row: FeeRow = FeeRow.objects.select_for_update().get(pk=fee_id)
    if row.is_confirmed:
        name = name_actor(row.confirmed_by, reader=by)
        raise NotAllowed(f"{row} was confirmed by {name} on {row.confirmed_on:%m/%d/%Y}.")
    row.confirmed_by, row.confirmed_on = by, on
    return row.store(by=by, at=at, why="Confirmed", fields=["confirmed_by", "confirmed_on"])
