"""Why an action on a user is not allowed; the page and the service use the same sentence."""

from datetime import datetime, timedelta

from django.db.models import Q

from .models import LONGEST_REASON, AccountEvent, AccountRequest, User
from .roles import DECIDING_ROLES, Role

# Whoever removes a second administrator has to wait so long before acting alone.
ALONE_AFTER = timedelta(days=30)


def why_not_lose_administrator(user: User) -> str:
    """Return why this user cannot lose the administrator role.

    Empty if there is another administrator.
    """
    others = User.objects.filter(groups__name=Role.ADMINISTRATOR.value, is_active=True)
    if others.exclude(pk=user.pk).exists():
        return ""
    return "This is the last administrator. Add another one first."


def has_other_administrator(user: User, *, at: datetime) -> bool:
    """Whether someone besides this user is an administrator, or was one in the last 30 days."""
    others = User.objects.filter(groups__name=Role.ADMINISTRATOR.value, is_active=True)
    if others.exclude(pk=user.pk).exists():
        return True
    ended = Q(kind=AccountEvent.Kind.ROLE_REVOKED, detail=Role.ADMINISTRATOR.label) | Q(
        kind=AccountEvent.Kind.DEACTIVATED, user__groups__name=Role.ADMINISTRATOR.value
    )
    lately = AccountEvent.objects.filter(ended, happened_at__gt=at - ALONE_AFTER)
    return lately.exclude(user=user).exists()


def has_other_confirmer(user: User, *, besides: User) -> bool:
    """Whether a second person besides these two may confirm changes of accounts."""
    others = User.objects.filter(groups__name__in=DECIDING_ROLES, is_active=True)
    return others.exclude(pk__in=[user.pk, besides.pk]).exists()


def why_not_ask_reset(by: User, user: User) -> str:
    """Why this user may not ask to reset the second factor of a person."""
    if not by.may("accounts.confirm_account_change"):
        return "Only administrators and the medical director reset second factors."
    if by == user:
        return "Someone else has to ask for the reset of your second factor."
    return ""


def why_not_give_reason(reason: str) -> str:
    """Why a reset of a second factor is refused for the reason that was given."""
    if not reason.strip():
        return "Enter why, and how you identified the person."
    if len(reason) > LONGEST_REASON:
        return f"Shorten the reason to {LONGEST_REASON} characters."
    return ""


def why_not_decide(by: User, request: AccountRequest) -> str:
    """Why this user may not confirm or decline a requested change of an account."""
    if request.state != AccountRequest.State.OPEN:
        return "This request was decided already."
    if not by.may("accounts.confirm_account_change"):
        return "Only administrators and the medical director decide about changes of accounts."
    if by == request.asked_by:
        return "You asked for this change. A second person has to decide about it."
    if by == request.user:
        return "This concerns your own account. Another person has to decide about it."
    return ""
