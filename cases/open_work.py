"""Work of all cases that waits for a person: possible duplicates, item changes, restrictions."""

from typing import Any

from accounts.models import User

from .models import DuplicateProposal, ItemChange
from .models.restrictions import restricted_now, select_visible

# Bands do not sort by alphabet, so a limited number of rows is sorted in Python.
MOST_PAIRS_SORTED = 200
_BANDS = ["SAME", "LIKELY", "POSSIBLE", "NO"]


def list_open_pairs(reader: User) -> list[DuplicateProposal]:
    """List the open possible duplicates: expedited cases first, then most certain. One query."""
    rows = select_visible(DuplicateProposal.objects.filter(answer=""), reader, "case", "other")
    found = rows.select_related("case", "other").order_by("case__urgency", "pk")
    return sorted(
        found[:MOST_PAIRS_SORTED], key=lambda row: (row.case.urgency, _BANDS.index(row.band))
    )


def select_proposed_changes(reader: User) -> Any:
    """Select the item changes that await a second person: expedited cases first, then by age."""
    rows = select_visible(ItemChange.objects.filter(state=ItemChange.State.PROPOSED), reader)
    return rows.select_related("case", "item", "proposed_by").order_by(
        "case__urgency", "proposed_at", "pk"
    )


def select_restrictions(reader: User) -> Any:
    """Select the restricted cases for which the reader is cleared, newest restriction first."""
    rows = select_visible(restricted_now(), reader).select_related("case", "begun_by")
    return rows.order_by("-begun_at", "-pk")
