"""Whether liability is disputed for the treatments of a case, read from each item.

Rows come in as values, and nothing is queried. A dispute may concern one body part only, so the
statement is the item's own. An item without one takes what the UR decision says of all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from .models import DisputedItem, URDecision


@dataclass(frozen=True)
class Liability:
    """What is on file about liability for some items.

    :ivar disputed: ``None`` if the documents do not say.
    :ivar reasons: why it is disputed, as the claims administrator stated it, each once.
    :ivar resolved_on: the latest notice that a dispute is resolved, if none is open.
    :ivar notice_method: how that notice was served.
    """

    disputed: bool | None
    reasons: tuple[str, ...] = ()
    resolved_on: date | None = None
    notice_method: str = ""


def read_liability(items: Sequence[DisputedItem], decision: URDecision | None) -> Liability:
    """Read what is on file about liability for the items of one case."""
    stated = [(item, is_liability_disputed(item, decision)) for item in items]
    reasons = tuple(
        dict.fromkeys(
            reason
            for item, disputed in stated
            if disputed is not False
            and (reason := item.liability_reason or (decision.liability_reason if decision else ""))
        )
    )
    still_open = [disputed for item, disputed in stated if item.liability_resolved_on is None]
    if True in still_open:
        return Liability(True, reasons)
    if None in still_open or not stated:
        return Liability(None, reasons)
    resolved = [item for item in items if item.liability_resolved_on is not None]
    latest = max(resolved, key=lambda item: item.liability_resolved_on or date.min, default=None)
    if latest is None:
        return Liability(False, reasons)
    return Liability(True, reasons, latest.liability_resolved_on, latest.liability_notice_method)


def is_liability_disputed(item: DisputedItem, decision: URDecision | None) -> bool | None:
    """Whether liability was disputed for an item, also if that is resolved; ``None``: not known."""
    if item.liability_disputed is not None or decision is None:
        return item.liability_disputed
    return decision.liability_disputed
