"""Consolidated cases: which case leads, and which items one determination decides."""

from django.db.models import BigIntegerField, IntegerField, QuerySet, Value, When
from django.db.models import Case as SqlCase
from django.db.models.expressions import RawSQL

from .lifecycle import Status
from .models import Case, CaseLink, DisputedItem

CONSOLIDATED = CaseLink.Kind.CONSOLIDATED
_DECIDED_CASES = (
    "SELECT id FROM cases_case WHERE id = %s "  # noqa: S608 - ours
    "UNION ALL SELECT case_id FROM cases_caselink "
    f"WHERE other_id = %s AND kind = '{CONSOLIDATED.value}' AND ended_at IS NULL"
)


def list_consolidated_cases(lead: Case) -> list[Case]:
    """List the cases consolidated into a lead case, by number. One query."""
    return [
        link.case
        for link in lead.linked_from.filter(kind=CONSOLIDATED, ended_at=None)
        .select_related("case")
        .order_by("case__number")
    ]


def find_lead_case(case: Case) -> Case | None:
    """Return the lead case of a consolidated case, or ``None``. One query."""
    link = case.links.filter(kind=CONSOLIDATED, ended_at=None).select_related("other").first()
    return link.other if link else None


def find_deciding_case(case: Case) -> Case:
    """Return the case whose determination decides the items: the lead, or the case itself.

    No queries unless the case is consolidated.
    """
    if case.stage != Status.CONSOLIDATED:
        return case
    return find_lead_case(case) or case


def select_decided_case_ids(case: Case) -> RawSQL:
    """Select the ids of a case and of those consolidated into it, as a subquery."""
    return RawSQL(_DECIDED_CASES, [case.pk, case.pk], BigIntegerField())  # noqa: S611 - ours


def list_decided_items(case: Case) -> QuerySet[DisputedItem]:
    """Select the items that a case's determination decides: its own first, then the others."""
    # One list of ids, so that the items of all cases are read in one query, by their index: with
    # "this case or one of these", PostgreSQL would read the items of every case.
    return (
        DisputedItem.objects.filter(case__in=select_decided_case_ids(case))
        # Ordering by case id alone would put an older follower before its lead.
        .annotate(
            _own=SqlCase(
                When(case=case, then=Value(0)), default=Value(1), output_field=IntegerField()
            )
        )
        .order_by("_own", "case_id", "position")
    )
