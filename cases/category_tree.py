"""Treatment categories as a tree, for the selects of forms."""

from itertools import groupby

from .models import TreatmentCategory


def list_categories() -> list[TreatmentCategory]:
    """List the categories that can be chosen: each top category, then its kinds. One query.

    Inactive categories stay on old items but cannot be chosen.
    """
    rows = TreatmentCategory.objects.filter(is_active=True).select_related("parent")
    # In Python, because databases differ in where they sort rows without a parent.
    return sorted(rows, key=_sort_key)


def group_categories() -> list[tuple[str, list[tuple[int, str]]]]:
    """Return the choices of a select: each top category with itself and its kinds. One query.

    Each choice names its top category too, because a closed select shows nothing else, and
    several top categories have a kind “Other”.
    """
    return [
        (top, [(row.pk, row.full_name) for row in rows])
        for top, rows in groupby(list_categories(), key=_name_of_top)
    ]


def _name_of_top(row: TreatmentCategory) -> str:
    return row.parent.name if row.parent else row.name


def _sort_key(row: TreatmentCategory) -> tuple[str, bool, str]:
    return _name_of_top(row).casefold(), row.parent is not None, row.name.casefold()
