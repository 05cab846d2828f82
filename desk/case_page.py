"""What the case page says of other tables: letters, related cases, complaints, waiting changes."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BooleanField, Q, TextField
from django.db.models.expressions import RawSQL

from accounts.models import User
from cases.consolidated_items import select_decided_case_ids
from cases.models import Case, CaseLink, DisputedItem, ItemChange
from cases.models.restrictions import select_visible
from complaints.models import Complaint
from complaints.overview import list_complaints_of_case

# Columns of the query that loads the case, so that the page asks only for rows that there are.
_HAS_CHANGES = (
    "EXISTS (SELECT 1 FROM cases_itemchange c WHERE c.state = 'PROPOSED' AND c.case_id IN "
    "(SELECT cases_case.id UNION ALL SELECT f.case_id FROM cases_caselink f "
    "WHERE f.other_id = cases_case.id AND f.kind = 'CONSOLIDATED' AND f.ended_at IS NULL))"
)
_HAS_LINKS = (
    "EXISTS (SELECT 1 FROM cases_caselink l "
    "WHERE l.case_id = cases_case.id OR l.other_id = cases_case.id)"
)
_HAS_COMPLAINTS = "EXISTS (SELECT 1 FROM complaints_complaint m WHERE m.case_id = cases_case.id)"
_LETTERS = "(SELECT count(*) FROM letters_letter t WHERE t.reference = cases_case.number{state})"
_COUNTS_OF_LETTERS = (
    _LETTERS.format(state=""),
    _LETTERS.format(state=" AND t.state IN ('QUEUED', 'RENDERING')"),
    _LETTERS.format(state=" AND t.state = 'FAILED'"),
    "(SELECT count(*) FROM letters_letter t JOIN letters_service s ON s.letter_id = t.id "
    "WHERE t.reference = cases_case.number AND t.state = 'FILED' AND s.state = 'PREPARED')",
    "(SELECT count(*) FROM cases_caseletter d "
    "WHERE d.case_id = cases_case.id AND d.state = 'DRAFT')",
)
_ARRAYS = {"postgresql": "json_build_array({})::text", "sqlite": "json_array({})"}


def annotations_of_page() -> dict[str, Any]:
    """Return the columns that the functions below read."""
    letters = _ARRAYS[connection.vendor].format(", ".join(_COUNTS_OF_LETTERS))
    return {
        "has_changes": RawSQL(_HAS_CHANGES, [], BooleanField()),  # noqa: S611 - all ours
        "has_links": RawSQL(_HAS_LINKS, [], BooleanField()),  # noqa: S611
        "has_complaints": RawSQL(_HAS_COMPLAINTS, [], BooleanField()),  # noqa: S611
        "letters_json": RawSQL(letters, [], TextField()),  # noqa: S611
    }


def list_proposed_changes(case: Any) -> list[ItemChange]:
    """List the changes that wait for a second person, of all items that the case decides.

    At most one query.
    """
    if not case.has_changes:
        return []
    ids = select_decided_case_ids(case)
    rows = ItemChange.objects.filter(case__in=ids, state=ItemChange.State.PROPOSED)
    return list(rows.select_related("item", "case").order_by("pk"))


def list_links(case: Any, reader: User) -> list[CaseLink]:
    """List the links from and to a case that this person may see. At most one query."""
    if not case.has_links:
        return []
    rows = CaseLink.objects.filter(Q(case=case) | Q(other=case)).select_related("case", "other")
    links = select_visible(rows, reader, "case", "other").order_by("pk")
    # What this case says of others comes first.
    return sorted(links, key=lambda link: link.case_id != case.pk)


def find_moved_items(
    items: Sequence[DisputedItem], reader: User
) -> list[tuple[DisputedItem, Case]]:
    """Find where items that were moved to another case are decided, if the reader may see it.

    One query; none if no item was moved.
    """
    moved = {item.pk: item for item in items if item.ending == DisputedItem.Ending.MOVED}
    if not moved:
        return []
    # Continued in a case that was split off, or merged back into the one that it came from.
    firsts = {item.split_from_id for item in moved.values()} - {None}
    related = Q(split_from__in=moved) | Q(pk__in=firsts)
    rows = select_visible(DisputedItem.objects.filter(related).select_related("case"), reader)
    found = {}
    for row in rows.order_by("pk"):
        for pk, item in moved.items():
            # An item may be split off, merged back and split off again: the last one counts.
            is_other = pk == row.split_from_id or row.pk == item.split_from_id
            if is_other and (pk not in found or row.ending != DisputedItem.Ending.MOVED):
                found[pk] = row.case
    return [(moved[pk], case) for pk, case in found.items()]


def list_complaints(case: Any, reader: User) -> list[Complaint]:
    """List the complaints about a case that this person may read. At most one query."""
    if not case.has_complaints or not reader.may("complaints.view_complaint"):
        return []
    return list(list_complaints_of_case(case, reader))


def summarize_letters(case: Case) -> str:
    """Summarize the letters of a case, without drafts: ``5 letters, 1 generating.`` No queries."""
    count = _count_letters(case)
    if not count.total:
        return "No letters yet."
    rest = ", ".join(_list_unsent(count))
    return f"{count.total} letter{'' if count.total == 1 else 's'}, {rest or 'all sent'}."


def describe_unsent_letters(case: Case) -> str:
    """Say which letters of a case have not left: ``1 draft to review, 2 not sent yet``.

    No queries. Empty if nothing waits.
    """
    count = _count_letters(case)
    drafts = f"{count.drafts} draft{'' if count.drafts == 1 else 's'} to review"
    return ", ".join([*([drafts] if count.drafts else []), *_list_unsent(count)])


class _Letters(NamedTuple):
    total: int
    generating: int
    failed: int
    unsent: int
    drafts: int


def _count_letters(case: Case) -> _Letters:
    return _Letters(*json.loads(case.__dict__["letters_json"]))


def _list_unsent(count: _Letters) -> list[str]:
    numbers = {
        "generating": count.generating,
        "failed": count.failed,
        "not sent yet": count.unsent,
    }
    return [f"{number} {words}" for words, number in numbers.items() if number]
