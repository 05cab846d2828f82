"""Create users, grant and revoke roles, confirm changes, and record accesses and sign-ins."""

from datetime import datetime
from typing import Any

import structlog
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import Error as DatabaseFailure
from django.db import transaction

from . import access_reserve
from .clashes import refuse_unique_clash
from .models import AccessLogEntry, AccountEvent, AccountRequest, SignInEvent, User
from .policies import (
    has_other_administrator,
    has_other_confirmer,
    why_not_ask_reset,
    why_not_decide,
    why_not_give_reason,
    why_not_lose_administrator,
)
from .refusals import NotAllowed, refuse_if
from .roles import DECIDING_ROLES, Role
from .storage_failures import AccessNotRecorded, find_storage_failure, stop_waiting

logger = structlog.get_logger(__name__)

Kind = AccountRequest.Kind

# Whoever knows the password of such a person could act, or decide as the second person.
_GUARDED_ROLES = DECIDING_ROLES | {Role.REVIEWER}


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
    taken_sentence = _address_taken_sentence(email)
    if User.objects.filter(email__iexact=email).exists():
        raise NotAllowed(taken_sentence)
    is_guarded = bool(password) and not _GUARDED_ROLES.isdisjoint(roles)
    waits = is_guarded and _needs_second_person(by, at=at)
    with refuse_unique_clash(taken_sentence):
        user = User.objects.create_user(
            email=email, name=name, password=None if waits else password
        )
    if is_demo:
        user.is_demo = True
        user.save(update_fields=["is_demo"])
    _record_account_event(AccountEvent.Kind.CREATED, user, by=by, at=at)
    for role in roles:
        grant_role(user_id=user.pk, role=role, by=by, at=at)
    if by is not None and waits:
        _ask_second_person(
            user, Kind.SET_PASSWORD, by=by, at=at, password_hash=make_password(password)
        )
    return user


@transaction.atomic
def grant_role(*, user_id: int, role: Role, by: User | None, at: datetime) -> None:
    """Grant a role; does nothing if the user has it.

    Nobody grants themselves a role alone, and nobody makes an administrator or medical director
    alone: if there is a second administrator, a request is stored that another person has to
    confirm.
    """
    if by is not None:
        _lock_administrators()
    user = User.objects.select_for_update().get(pk=user_id)
    if role in user.roles:
        return
    if by is not None and (by.pk == user_id or role in DECIDING_ROLES):
        if _needs_second_person(by, at=at):
            _ask_second_person(user, Kind.GRANT_ROLE, by=by, at=at, role=role.value)
            return
        whose = "own role" if by.pk == user_id else "role"
        _record_alone(f"{whose} {role.label}", user, by=by, at=at)
    _grant(user, role, by=by, at=at)


@transaction.atomic
def revoke_role(*, user_id: int, role: Role, by: User | None, at: datetime) -> None:
    """Revoke a role, effective at the user's next request.

    Nobody removes another administrator or medical director alone, if a third person may confirm.

    :raises NotAllowed: the user is the last administrator.
    """
    if role in DECIDING_ROLES:
        _lock_administrators()
    user = User.objects.select_for_update().get(pk=user_id)
    if role not in user.roles:
        return
    if role == Role.ADMINISTRATOR:
        refuse_if(why_not_lose_administrator(user))
    if role in DECIDING_ROLES and _removal_waits(
        user, Kind.REVOKE_ROLE, by=by, at=at, role=role.value
    ):
        return
    _revoke(user, role, by=by, at=at)


@transaction.atomic
def change_person(
    *, user_id: int, email: str, name: str, password: str = "", by: User | None, at: datetime
) -> User:
    """Change a user's name and address, and the password unless it is empty.

    The event names what changed, but never the password. The password of a reviewer, administrator
    or medical director, and the address to which a new password can be sent, wait for a second
    person.

    :raises NotAllowed: the address belongs to another user.
    """
    if by is not None:
        _lock_administrators()
    user = User.objects.select_for_update().get(pk=user_id)
    taken_sentence = _address_taken_sentence(email)
    if User.objects.filter(email__iexact=email).exclude(pk=user_id).exists():
        raise NotAllowed(taken_sentence)
    is_guarded = user.ever_reviewer or not _GUARDED_ROLES.isdisjoint(user.roles)
    is_of_other = by is not None and by.pk != user_id
    if by is not None and is_of_other and is_guarded and (password or email != user.email):
        if _needs_second_person(by, at=at):
            if password:
                hashed = make_password(password)
                _ask_second_person(user, Kind.SET_PASSWORD, by=by, at=at, password_hash=hashed)
            if email != user.email:
                _ask_second_person(user, Kind.CHANGE_EMAIL, by=by, at=at, email=email)
            password, email = "", user.email
        else:
            _record_alone("password or email address of a guarded account", user, by=by, at=at)
    changes = []
    if user.name != name:
        changes.append(f"name, before: {user.name}")
    if user.email != email:
        changes.append(f"email address, before: {user.email}")
    if password:
        changes.append("password")
        user.set_password(password)
    if changes:
        user.name, user.email = name, email
        with refuse_unique_clash(taken_sentence):
            user.save(update_fields=["name", "email", "password"])
        detail = "; ".join(changes)[:300]
        _record_account_event(AccountEvent.Kind.CHANGED, user, by=by, at=at, detail=detail)
    if password:
        _record_without_request(SignInEvent.Kind.PASSWORD_SET, user, at=at)
    return user


@transaction.atomic
def ask_second_factor_reset(*, user_id: int, reason: str, by: User, at: datetime) -> None:
    """Ask a second person to reset the lost second factor of a user.

    If nobody else may confirm it, the reset is done at once, with an event for auditors.

    :param reason: why, and how the person was identified.
    :raises NotAllowed: no reason, not an administrator or the medical director, or one's own.
    """
    _lock_administrators()
    user = User.objects.select_for_update().get(pk=user_id)
    refuse_if(why_not_ask_reset(by, user) or why_not_give_reason(reason))
    if has_other_confirmer(by, besides=user):
        _ask_second_person(user, Kind.RESET_FACTOR, by=by, at=at, reason=reason)
        return
    _record_alone(f"reset of the second factor: {reason}", user, by=by, at=at)
    _reset_second_factor(user, by=by, at=at)


@transaction.atomic
def reset_second_factor_at_server(
    *, user_id: int, confirmed_by: User, reason: str, by: User, at: datetime
) -> None:
    """Reset a second factor with two people at the server, if nobody else can sign in to do it.

    :param by: who asks; this may be the person who lost the second factor.
    :param confirmed_by: an administrator or the medical director; neither of the two.
    :param reason: why, and how the person was identified.
    :raises NotAllowed: no reason, it is not two people, or the second one may not confirm.
    """
    refuse_if(why_not_give_reason(reason))
    user = User.objects.select_for_update().get(pk=user_id)
    request = _ask_second_person(user, Kind.RESET_FACTOR, by=by, at=at, reason=reason)
    decide_account_request(request_id=request.pk, confirm=True, by=confirmed_by, at=at)


@transaction.atomic
def decide_account_request(*, request_id: int, confirm: bool, by: User, at: datetime) -> None:
    """Confirm or decline, as the second person, a change of an account.

    :raises NotAllowed: decided already, one's own request, or not a person who may decide.
    """
    _lock_administrators()
    request = AccountRequest.objects.select_for_update().get(pk=request_id)
    user = User.objects.select_for_update().get(pk=request.user_id)
    refuse_if(why_not_decide(by, request))
    password_hash = request.password_hash
    request.state = AccountRequest.State.CONFIRMED if confirm else AccountRequest.State.DECLINED
    request.decided_by, request.decided_at, request.password_hash = by, at, ""
    request.save()
    kind = AccountEvent.Kind.CONFIRMED if confirm else AccountEvent.Kind.DECLINED
    _record_account_event(kind, user, by=by, at=at, detail=request.subject)
    if not confirm:
        return
    if request.kind == Kind.GRANT_ROLE:
        role = Role(request.role)
        if role not in user.roles:
            _grant(user, role, by=by, at=at)
    elif request.kind == Kind.REVOKE_ROLE:
        role = Role(request.role)
        if role == Role.ADMINISTRATOR:
            refuse_if(why_not_lose_administrator(user))
        if role in user.roles:
            _revoke(user, role, by=by, at=at)
    elif request.kind == Kind.DEACTIVATE:
        if Role.ADMINISTRATOR in user.roles:
            refuse_if(why_not_lose_administrator(user))
        _store_active(user, active=False, by=by, at=at)
    elif request.kind == Kind.REACTIVATE:
        _store_active(user, active=True, by=by, at=at)
    elif request.kind == Kind.SET_PASSWORD:
        user.password = password_hash
        user.save(update_fields=["password"])
        _record_without_request(SignInEvent.Kind.PASSWORD_SET, user, at=at)
    elif request.kind == Kind.CHANGE_EMAIL:
        user.email = request.email
        with refuse_unique_clash(_address_taken_sentence(request.email)):
            user.save(update_fields=["email"])
    else:
        _reset_second_factor(user, by=by, at=at)


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

    For an administrator or medical director, this takes two people as the role itself does.

    :raises NotAllowed: the user is the last administrator.
    """
    _lock_administrators()
    user = User.objects.select_for_update().get(pk=user_id)
    if user.is_active == active:
        return
    if not active and Role.ADMINISTRATOR in user.roles:
        refuse_if(why_not_lose_administrator(user))
    if by is not None and not DECIDING_ROLES.isdisjoint(user.roles):
        if active and _needs_second_person(by, at=at):
            _ask_second_person(user, Kind.REACTIVATE, by=by, at=at)
            return
        if active:
            _record_alone("reactivation", user, by=by, at=at)
        elif _removal_waits(user, Kind.DEACTIVATE, by=by, at=at):
            return
    _store_active(user, active=active, by=by, at=at)


def write_access_entry(
    *,
    by: User,
    subject: str,
    reference: str,
    granted: bool,
    at: datetime,
    page: str = "",
    case_number: str = "",
    shown: str = "",
) -> None:
    """Write to the access log that a user opened something or was refused.

    ``imr_portal.middleware.AccessLogMiddleware`` calls it for every page, before the answer is
    sent. If it raises, the page does not open.

    :param page: the name of the route.
    :param case_number: the case concerned; empty if the page is a list.
    :param shown: the numbers of the other cases on the page, separated by spaces.

    Call it outside of a transaction. If the database cannot take the entry, because the disk is
    full or the database is busy, a preallocated file takes it until the database works again.

    :raises AccessNotRecorded: neither took the entry. The page must not be shown.
    """
    entry: dict[str, Any] = {
        "subject": subject,
        "reference": reference[:80],
        "granted": granted,
        "accessed_at": at,
        "page": page[:80],
        "case_number": case_number[:20],
        "shown": shown,
    }
    try:
        AccessLogEntry.objects.create(user=by, **entry)
    except (DatabaseFailure, OSError) as error:
        if find_storage_failure(error) is None:
            raise
        stop_waiting()
        logger.error("access_entry_reserved", error=type(error).__name__)
        try:
            access_reserve.add_reserved_entry(user_id=by.pk, **entry)
        except OSError as failure:
            raise AccessNotRecorded from failure
        return
    if access_reserve.has_reserved_entries():
        _move_reserved_entries()


def _move_reserved_entries() -> None:
    """Move the entries of the preallocated file into the database; if it fails, they stay there."""
    try:
        count = access_reserve.move_reserved_entries()
    except (DatabaseFailure, OSError) as error:
        logger.error("access_entries_not_moved", error=type(error).__name__)
    else:
        logger.info("access_entries_moved", count=count)


def record_sign_in_event(
    *,
    kind: SignInEvent.Kind,
    by: User | None,
    account: str = "",
    address: str | None,
    device: str,
    at: datetime,
    detail: str = "",
) -> None:
    """Record a sign-in, a failure, or a changed password or second factor.

    :param by: whose account it is; ``None`` if there is no such account.
    :param account: the address as typed; the user's own address if it is empty.
    :param address: the IP address of the client.
    :param device: what the browser says it is.
    """
    SignInEvent.objects.create(
        kind=kind,
        user=by,
        account=(account or (by.email if by else ""))[:254],
        address=address,
        device=device[:120],
        happened_at=at,
        detail=detail[:200],
    )


def _needs_second_person(by: User | None, *, at: datetime) -> bool:
    """Whether there is, or was lately, a second administrator. The first acts alone until then."""
    return by is not None and has_other_administrator(by, at=at)


def _removal_waits(
    user: User, kind: Kind, *, by: User | None, at: datetime, role: str = ""
) -> bool:
    """Ask a third person to confirm that an administrator or medical director is removed.

    If nobody else may confirm it, auditors see that, because access must end when someone leaves.
    """
    if by is None or by == user:
        return False
    if has_other_confirmer(by, besides=user):
        if not _needs_second_person(by, at=at):
            return False
        _ask_second_person(user, kind, by=by, at=at, role=role)
        return True
    _record_alone(str(kind.label), user, by=by, at=at)
    return False


def _ask_second_person(
    user: User, kind: Kind, *, by: User, at: datetime, **values: str
) -> AccountRequest:
    """Store a request; one that is open for the same change is replaced."""
    open_ones = AccountRequest.objects.filter(
        kind=kind, user=user, role=values.get("role", ""), state=AccountRequest.State.OPEN
    )
    for request in open_ones.select_for_update():
        _close_undecided(request, at=at)
    request = AccountRequest.objects.create(
        kind=kind, user=user, asked_by=by, asked_at=at, **values
    )
    detail = ": ".join(filter(None, [request.subject, request.reason]))
    _record_account_event(AccountEvent.Kind.REQUESTED, user, by=by, at=at, detail=detail)
    return request


def _close_undecided(request: AccountRequest, *, at: datetime) -> None:
    """Decline a request without a second person: nobody decided about it."""
    request.state, request.decided_at = AccountRequest.State.DECLINED, at
    request.password_hash = ""
    request.save()


def _decline_requests_of(asker: User, *, by: User | None, at: datetime) -> None:
    """Decline what someone asked for who may not ask any more."""
    asked = AccountRequest.objects.filter(asked_by=asker, state=AccountRequest.State.OPEN)
    for request in asked.select_for_update().select_related("user"):
        _close_undecided(request, at=at)
        _record_account_event(
            AccountEvent.Kind.DECLINED, request.user, by=by, at=at, detail=request.subject
        )


def _record_alone(what: str, user: User, *, by: User, at: datetime) -> None:
    """Tell auditors that the only administrator did alone what otherwise takes two people."""
    _record_account_event(AccountEvent.Kind.ALONE, user, by=by, at=at, detail=what)


def _grant(user: User, role: Role, *, by: User | None, at: datetime) -> None:
    # Before the grant, which may make the user the second administrator.
    takes_two = _needs_second_person(by, at=at)
    # The group of a role that is new in the product is created when it is first granted.
    group, _ = Group.objects.get_or_create(name=role.value)
    user.groups.add(group)
    if role == Role.REVIEWER:
        user.ever_reviewer = True
        user.save(update_fields=["ever_reviewer"])
    _record_account_event(AccountEvent.Kind.ROLE_GRANTED, user, by=by, at=at, detail=role.label)
    if role in _GUARDED_ROLES and by is not None and user.has_usable_password():
        _void_known_password(user, takes_two=takes_two, by=by, at=at)


def _void_known_password(user: User, *, takes_two: bool, by: User, at: datetime) -> None:
    """Void a password that someone else set alone; the person chooses one by email."""
    if _chose_password(user):
        return
    if not takes_two:
        _record_alone("password that someone else set", user, by=by, at=at)
        return
    user.set_unusable_password()
    user.save(update_fields=["password"])
    _record_account_event(
        AccountEvent.Kind.CHANGED, user, by=by, at=at, detail="password voided: someone else set it"
    )


def _chose_password(user: User) -> bool:
    """Whether the person chose the password by an emailed link, or two people set it.

    A changed password counts as the one before: who knew that one could change it.
    """
    kinds = SignInEvent.Kind
    events = SignInEvent.objects.filter(user=user)
    last = events.filter(kind__in=[kinds.PASSWORD_RESET, kinds.PASSWORD_SET]).order_by("pk").last()
    if last is None or last.kind == kinds.PASSWORD_RESET:
        return last is not None
    return AccountRequest.objects.filter(
        user=user,
        kind=Kind.SET_PASSWORD,
        state=AccountRequest.State.CONFIRMED,
        decided_at=last.happened_at,
    ).exists()


def _revoke(user: User, role: Role, *, by: User | None, at: datetime) -> None:
    user.groups.remove(Group.objects.get(name=role.value))
    _record_account_event(AccountEvent.Kind.ROLE_REVOKED, user, by=by, at=at, detail=role.label)
    if role in DECIDING_ROLES:
        _decline_requests_of(user, by=by, at=at)


def _store_active(user: User, *, active: bool, by: User | None, at: datetime) -> None:
    user.is_active = active
    user.save(update_fields=["is_active"])
    kind = AccountEvent.Kind.REACTIVATED if active else AccountEvent.Kind.DEACTIVATED
    _record_account_event(kind, user, by=by, at=at)
    if not active:
        _decline_requests_of(user, by=by, at=at)


def _reset_second_factor(user: User, *, by: User, at: datetime) -> None:
    Authenticator.objects.filter(user=user).delete()
    _record_account_event(AccountEvent.Kind.FACTOR_RESET, user, by=by, at=at)
    _record_without_request(SignInEvent.Kind.FACTOR_RESET, user, at=at)


def _record_without_request(kind: SignInEvent.Kind, user: User, *, at: datetime) -> None:
    """Record what others did to the account, so that the person sees it among their sign-ins."""
    record_sign_in_event(kind=kind, by=user, address=None, device="", at=at)


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


SETTINGS = frozenset({"theme", "density", "single_keys", "mail_on_mentions", "mail_on_reviews"})


@transaction.atomic
def change_settings(*, chosen: dict[str, Any], by: User, at: datetime) -> User:
    """Store what a person chooses for themselves; only the fields of ``SETTINGS``."""
    user = User.objects.select_for_update().get(pk=by.pk)
    fields = sorted(SETTINGS & chosen.keys())
    for name in fields:
        setattr(user, name, chosen[name])
    user.save(update_fields=fields)
    return user
