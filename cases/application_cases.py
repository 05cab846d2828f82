"""The cases of one application: the one that it opened, and those that were split from it."""

from django.db.models import Max

from .consolidated_items import list_consolidated_cases
from .lifecycle import Status
from .models import Case, DisputedItem
from .models.case import CaseQuerySet


def select_cases_of_application(case: Case) -> CaseQuerySet:
    """Select the other cases of the application of a case."""
    # A case that was loaded from a published letter has no application.
    none: CaseQuerySet = Case.objects.none()
    if case.application_id is None:
        return none
    rows: CaseQuerySet = Case.objects.filter(application=case.application_id)
    return rows.exclude(pk=case.pk).order_by("pk")


def lock_open_cases_of_application(case_id: int) -> tuple[Case, list[Case]]:
    """Lock a case and the other open cases of its application until the transaction ends.

    :raises Case.DoesNotExist: no such case.
    """
    case = Case.objects.get(pk=case_id)
    locked: dict[int, Case] = {}
    # Someone may split one of them until they are locked, so look again after each lock.
    while True:
        ids = {case_id, *select_cases_of_application(case).values_list("pk", flat=True)}
        if not ids - locked.keys():
            break
        locked = Case.objects.lock_all(ids)
    return locked[case_id], [one for pk, one in locked.items() if pk != case_id and one.is_open]


def describe_other_cases(case: Case) -> list[str]:
    """Describe for letters which treatments are reviewed in other cases. Three queries.

    One text for each open case of the application that is not decided with this one:
    “CM26-0000002: Lumbar brace (deferred until the liability dispute is resolved)”.
    """
    together = [one.pk for one in list_consolidated_cases(case)]
    described = []
    for other in select_cases_of_application(case).open().exclude(pk__in=together):
        items = other.items.filter(ending=DisputedItem.Ending.PENDING).order_by("position")
        titles = "; ".join(items.values_list("title", flat=True))
        waits = (
            " (deferred until the liability dispute is resolved)"
            if other.stage == Status.DEFERRED
            else ""
        )
        if titles:
            described.append(f"{other.number}: {titles}{waits}")
    return described


def find_last_position(case: Case) -> int:
    """Return the highest number of an item of the application. One query.

    Letters name items by number, so no number is used twice, not even by items that were split
    into different cases.
    """
    items = DisputedItem.objects.filter(case=case)
    if case.application_id is not None:
        items = DisputedItem.objects.filter(case__application=case.application_id)
    last: int | None = items.aggregate(last=Max("position"))["last"]
    return last or 0
