"""The lock that every correction of a dated fact takes first."""

from typing import Any

from accounts.refusals import refuse_if
from directory.models import TwoTimeFact


def lock_fact(model: type[TwoTimeFact], fact_id: int) -> TwoTimeFact:
    """Lock a fact that has not been corrected or withdrawn yet. Call it inside a transaction.

    :raises NotAllowed: it has been corrected or withdrawn.
    """
    rows: Any = model  # the type checker cannot query an abstract model
    # Locked before the check, so that two corrections of one row cannot both pass.
    old: TwoTimeFact = rows.objects.select_for_update().get(pk=fact_id)
    if old.withdrawn or rows.objects.filter(corrects=old).exists():
        refuse_if("Someone else corrected this. Reload the page to see the correction.")
    return old
