"""Create users, grant and revoke roles, and record accesses."""

from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction

from .clashes import refuse_unique_clash
from .models import AccountEvent, Look, User
from .policies import why_not_lose_administrator
from .refusals import NotAllowed, refuse_if
from .roles import Role


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
    """Create a user with roles.

    :raises NotAllowed: the address already belongs to a user.
    """
    taken = _address_taken_sentence(email)
    if User.objects.filter(email__iexact=email).exists():
        raise NotAllowed(taken)
    with refuse_unique_clash(taken):
        user = User.objects.create_user(email=email, name=name, password=password)
    if is_demo:
        user.is_demo = True
        user.save(update_fields=["is_demo"])
    _record_account_event(AccountEvent.Kind.CREATED, user, by=by, at=at)
    for role in roles:
        grant_role(user_id=user.pk, role=role, by=by, at=at)
    return user


@transaction.atomic
def grant_role(*, user_id: int, role: Role, by: User | None, at: datetime) -> None:
    """Grant a role; does nothing if the user has it."""
    user = User.objects.select_for_update().get(pk=user_id)
    if role in user.roles:
        return
    # The group of a role that is new in the product is created when it is first granted.
    group, _ = Group.objects.get_or_create(name=role.value)
    user.groups.add(group)
    if role == Role.REVIEWER:
        user.ever_reviewer = True
        user.save(update_fields=["ever_reviewer"])
    _record_account_event(AccountEvent.Kind.ROLE_GRANTED, user, by=by, at=at, detail=role.label)


@transaction.atomic
def revoke_role(*, user_id: int, role: Role, by: User | None, at: datetime) -> None:
    """Revoke a role, effective at the user's next request.

    :raises NotAllowed: the user is the last administrator.
    """
    if role == Role.ADMINISTRATOR:
        _lock_administrators()
    user = User.objects.select_for_update().get(pk=user_id)
    if role not in user.roles:
        return
    if role == Role.ADMINISTRATOR:
        refuse_if(why_not_lose_administrator(user))
    user.groups.remove(Group.objects.get(name=role.value))
    _record_account_event(AccountEvent.Kind.ROLE_REVOKED, user, by=by, at=at, detail=role.label)


@transaction.atomic
def change_person(
    *, user_id: int, email: str, name: str, password: str = "", by: User | None, at: datetime
) -> User:
    """Change a user's name and address, and the password unless it is empty.

    The event names what changed, but never the password.

    :raises NotAllowed: the address belongs to another user.
    """
    user = User.objects.select_for_update().get(pk=user_id)
    taken = _address_taken_sentence(email)
    if User.objects.filter(email__iexact=email).exclude(pk=user_id).exists():
        raise NotAllowed(taken)
    changes = []
    if user.name != name:
        changes.append(f"name, before: {user.name}")
    if user.email != email:
        changes.append(f"e-mail address, before: {user.email}")
    if password:
        changes.append("password")
        user.set_password(password)
    if changes:
        user.name, user.email = name, email
        with refuse_unique_clash(taken):
            user.save(update_fields=["name", "email", "password"])
        detail = "; ".join(changes)[:300]
        _record_account_event(AccountEvent.Kind.CHANGED, user, by=by, at=at, detail=detail)
    return user


@transaction.atomic
def create_first_administrator(
    *, email: str, name: str, password: str, by: User | None, at: datetime
) -> User:
    """Create the first administrator of an installation, who then creates the other users.

    :raises NotAllowed: there is an administrator, or the address is taken.
    """
    _lock_administrators()
    if User.objects.filter(groups__name=Role.ADMINISTRATOR.value, is_active=True).exists():
        raise NotAllowed(
            "There is an administrator already. Ask them to add users in the admin site."
        )
    return create_user(
        email=email, name=name, password=password, roles=[Role.ADMINISTRATOR], by=by, at=at
    )


@transaction.atomic
def set_active(*, user_id: int, active: bool, by: User | None, at: datetime) -> None:
    """Deactivate or reactivate a user. Open sessions end at their next request.

    :raises NotAllowed: the user is the last administrator.
    """
    if not active:
        _lock_administrators()
    user = User.objects.select_for_update().get(pk=user_id)
    if user.is_active == active:
        return
    if not active and Role.ADMINISTRATOR in user.roles:
        refuse_if(why_not_lose_administrator(user))
    user.is_active = active
    user.save(update_fields=["is_active"])
    kind = AccountEvent.Kind.REACTIVATED if active else AccountEvent.Kind.DEACTIVATED
    _record_account_event(kind, user, by=by, at=at)


def record_look(*, by: User, subject: str, reference: str, granted: bool, at: datetime) -> None:
    """Record in the access log that a user opened something or was refused.

    Call it before the answer is sent.
    """
    Look.objects.create(
        user=by, subject=subject, reference=reference, granted=granted, looked_at=at
    )


def _address_taken_sentence(email: str) -> str:
    return f"{email} already belongs to a user. Choose another address."


def _lock_administrators() -> None:
    """Lock the administrator group, so that two administrators cannot revoke each other at once.

    Call it before locking the row of a user; the other order could deadlock.
    """
    Group.objects.select_for_update().get(name=Role.ADMINISTRATOR.value)


def _record_account_event(
    kind: AccountEvent.Kind,
    user: User,
    *,
    by: User | None,
    at: datetime,
    detail: str = "",
) -> None:
    AccountEvent.objects.create(kind=kind, user=user, by=by, happened_at=at, detail=detail)
