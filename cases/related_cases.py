"""Cases that are restricted together: linked cases, and other cases of the same worker."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from .models import Case, CaseLink, Party, PartyRole
from .models.restrictions import restricted_now

MOST_RELATED = 100  # a worker with more cases is a name that several people share


@dataclass(frozen=True)
class RelatedCase:
    """A case that names another one, or is about the same worker."""

    case: Case
    is_linked: bool  # by a link, so that each of the two pages names the other case

    def __str__(self) -> str:
        why = "linked to this case" if self.is_linked else "the same worker"
        return f"{self.case.number}: {why}, {self.case.stage.label.lower()}"


def find_linked_ids(case_id: int) -> set[int]:
    """Find the cases linked to a case, directly or through others. Two queries for each step."""
    found, latest = {case_id}, {case_id}
    while latest:
        links = CaseLink.objects.filter(ended_at=None)
        links = links.filter(Q(case__in=latest) | Q(other__in=latest))
        # A duplicate found on receipt names its lead in a column too.
        duplicates = Case.objects.filter(duplicate_of__isnull=False)
        duplicates = duplicates.filter(Q(pk__in=latest) | Q(duplicate_of__in=latest))
        pairs = [
            *links.values_list("case_id", "other_id"),
            *duplicates.values_list("pk", "duplicate_of_id"),
        ]
        latest = {pk for pair in pairs for pk in pair} - found
        found |= latest
    return found - {case_id}


def find_ids_of_worker(case_id: int) -> set[int]:
    """Find the other cases of the same worker. One query."""
    employees = Party.objects.filter(role=PartyRole.EMPLOYEE)
    persons = employees.filter(case=case_id).values("person")
    rows = employees.filter(person__in=persons).exclude(case=case_id)
    return set(rows.order_by("case").values_list("case", flat=True).distinct()[:MOST_RELATED])


def list_related_cases(case: Case) -> list[RelatedCase]:
    """List the related cases that are not restricted, linked ones first.

    Cases that are restricted already have their own people, so they are neither named nor changed.
    """
    linked = find_linked_ids(case.pk)
    related: Collection[int] = linked | find_ids_of_worker(case.pk)
    rows = Case.objects.filter(pk__in=related).exclude(pk__in=restricted_now().values("case"))
    found = [RelatedCase(row, row.pk in linked) for row in rows.order_by("number")]
    return sorted(found, key=lambda one: not one.is_linked)
