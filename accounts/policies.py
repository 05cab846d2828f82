"""Why an action on a user is not allowed; the page and the service use the same sentence."""

from .models import User
from .roles import Role


def why_not_lose_administrator(user: User) -> str:
    """Why this user cannot lose the administrator role; empty if there is another administrator."""
    others = User.objects.filter(groups__name=Role.ADMINISTRATOR.value, is_active=True)
    if others.exclude(pk=user.pk).exists():
        return ""
    return "This is the last administrator. Add another one first."
