"""References, such as case numbers, that are hidden from a person.

Apps below ``cases`` store case numbers as text and know nothing about restricted cases. They ask
here; ``cases`` registers the answer when it is loaded.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Q

from .models import User

_finders: list[Callable[[User], Any]] = []


def register_hidden_references(find: Callable[[User], Any]) -> None:
    """Register a function that returns the hidden references of a person, as a subquery."""
    if find not in _finders:
        _finders.append(find)


def match_hidden_references(user: User, field: str = "reference") -> Q:
    """Build the condition that a field holds a reference that is hidden from a person."""
    condition = Q(pk__in=[])
    for find in _finders:
        condition |= Q(**{f"{field}__in": find(user)})
    return condition


def list_hidden_references(user: User) -> list[str]:
    """List the references that are hidden from a person. One query; there are few."""
    return sorted(one for find in _finders for row in find(user) for one in row.values())
