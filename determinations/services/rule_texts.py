"""The dated texts of the law at the checks of a review: read and confirm them."""

from datetime import date, datetime

from django.db import transaction

from accounts.models import User
from accounts.names import name_actor
from accounts.refusals import refuse_if
from cases.models import DisputedItem
from determinations import policies
from determinations.checks import DatedText
from determinations.models import RuleText


def list_rule_texts() -> list[DatedText]:
    """List all rule texts as the checks read them. One query."""
    return [row.as_text() for row in RuleText.objects.order_by("code", "effective_from")]


def find_request_date(item: DisputedItem) -> date | None:
    """Return the day that decides which law applies to an item; ``None`` if it is not on file.

    The date of service of a retrospective request, otherwise the RFA date.
    """
    ur_decision = item.case.ur_decision
    return item.service_from or (ur_decision.requested_on if ur_decision else None)


@transaction.atomic
def confirm_rule_text(*, rule_text_id: int, on: date, by: User, at: datetime) -> RuleText:
    """Confirm, as a named person, that a rule text, its days and its source match the law.

    :param on: the local day of the confirmation.
    :raises NotAllowed: wrong role, or it is already confirmed.
    """
    refuse_if(policies.why_not_keep_rule_texts(by))
    # Locked, so that of two confirmations at once the second is refused with a name.
    row: RuleText = RuleText.objects.select_for_update().get(pk=rule_text_id)
    if row.is_confirmed:
        name = name_actor(row.confirmed_by, reader=by)
        refuse_if(f"{row} was confirmed by {name} on {row.confirmed_on:%m/%d/%Y}.")
    row.confirmed_by, row.confirmed_on = by, on
    row.store(by=by, at=at, why="Confirmed", fields=["confirmed_by", "confirmed_on"])
    return row
