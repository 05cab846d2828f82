"""Why an act about a person would be refused: the page grays with it, the service raises it."""

from .models import User
from .roles import Role


def why_not_lose_administrator(user: User) -> str:
    """Why this administrator must stay one for now; empty when another could take over."""
    others = User.objects.filter(groups__name=Role.ADMINISTRATOR.value, is_active=True)
    if others.exclude(pk=user.pk).exists():
        return ""
    return "This is the last administrator. Make another one first."
