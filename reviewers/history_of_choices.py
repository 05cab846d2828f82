"""Who was chosen for whose cases, as the test of fairness reads it."""

from datetime import date

from cases.deadlines import local_day
from cases.models import Party
from cases.models import Role as PartyRole
from cases.names import fold_organisation

from .fairness import Choice
from .models import ReviewerAssignment


def choices_between(first: date, last: date, *, role: PartyRole) -> list[Choice]:
    """Every offer of the days, both included, by the party of one role. Two queries.

    The specialty is the one that was matched; the last row of a role counts as the party.
    """
    offers = [
        row
        for row in ReviewerAssignment.objects.filter(
            reviewer__isnull=False, offered_at__isnull=False
        ).order_by("pk")
        if row.offered_at and first <= local_day(row.offered_at) <= last
    ]
    parties = {
        case_id: str(organisation_id or fold_organisation(name))
        for case_id, organisation_id, name in Party.objects.filter(
            role=role, case__in={row.case_id for row in offers}
        )
        .order_by("pk")
        .values_list("case_id", "organisation_id", "name")
    }
    return [
        Choice(
            specialty=", ".join(sorted({one["specialty"] for one in row.match_reasons})),
            party=parties[row.case_id],
            reviewer=str(row.reviewer_id),
        )
        for row in offers
        if row.case_id in parties
    ]
