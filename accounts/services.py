"""Acts about people: making a user, granting and taking roles, noting who looked at what."""

from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction

from .models import AccountEvent, Look, User
from .roles import Role


class Refused(Exception):
    """The act is refused; the message says why in a sentence for the person who tried."""


@transaction.atomic
def create_user(
    *,
    email: str,
    name: str,
    password: str | None,
    roles: list[Role],
    by: User | None,
    at: datetime,
    is_demo: bool = False,
) -> User:
    """Make a user with roles.

    :raises Refused: somebody already signs in with this address.
    """
    if User.objects.filter(email__iexact=email).exists():
        raise Refused(f"{email} already belongs to a user. Choose another address.")
    user = User.objects.create_user(email=email, name=name, password=password)
    if is_demo:
        user.is_demo = True
        user.save(update_fields=["is_demo"])
    _record(AccountEvent.Kind.CREATED, user, by=by, at=at)
    for role in roles:
        grant_role(user_id=user.pk, role=role, by=by, at=at)
    return user


@transaction.atomic
def grant_role(*, user_id: int, role: Role, by: User | None, at: datetime) -> None:
    """Give a role; giving it twice changes nothing."""
    user = User.objects.select_for_update().get(pk=user_id)
    if role in user.roles:
        return
    user.groups.add(Group.objects.get(name=role.value))
    _record(AccountEvent.Kind.ROLE_GRANTED, user, by=by, at=at, detail=role.label)


@transaction.atomic
def revoke_role(*, user_id: int, role: Role, by: User | None, at: datetime) -> None:
    """Take a role away; it bites at the person's next request.

    :raises Refused: they are the last administrator.
    """
    user = User.objects.select_for_update().get(pk=user_id)
    if role not in user.roles:
        return
    others = User.objects.filter(groups__name=role.value, is_active=True).exclude(pk=user.pk)
    if role == Role.ADMINISTRATOR and not others.exists():
        raise Refused("This is the last administrator. Make another one first.")
    user.groups.remove(Group.objects.get(name=role.value))
    _record(AccountEvent.Kind.ROLE_REVOKED, user, by=by, at=at, detail=role.label)


@transaction.atomic
def set_active(*, user_id: int, active: bool, by: User | None, at: datetime) -> None:
    """Withdraw or give back the right to sign in. Open sessions end at their next request."""
    user = User.objects.select_for_update().get(pk=user_id)
    if user.is_active == active:
        return
    user.is_active = active
    user.save(update_fields=["is_active"])
    kind = AccountEvent.Kind.REACTIVATED if active else AccountEvent.Kind.DEACTIVATED
    _record(kind, user, by=by, at=at)


def note_look(*, by: User, subject: str, reference: str, granted: bool, at: datetime) -> None:
    """Record that a person opened, or was refused, something; call it before the bytes go out."""
    Look.objects.create(
        user=by, subject=subject, reference=reference, granted=granted, looked_at=at
    )


def _record(
    kind: AccountEvent.Kind,
    user: User,
    *,
    by: User | None,
    at: datetime,
    detail: str = "",
) -> None:
    AccountEvent.objects.create(kind=kind, user=user, by=by, happened_at=at, detail=detail)
