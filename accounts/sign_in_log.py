"""The record of sign-ins: who signed in or failed to, from which address and device.

``accounts.adapter`` calls it where allauth signs people in and out; ``SecondFactorLog`` hears what
allauth does with second factors, for which it has no other hook.
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.stagekit import get_pending_stage
from allauth.core.internal import ratelimit
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from . import services
from .models import SignInEvent, User

Kind = SignInEvent.Kind

# After so many failures in an hour, from whatever addresses, an account opens only from addresses
# from which it was signed in before. So guessing from many addresses ends, and the owner gets in.
MOST_FAILURES = 50
FAILURES_PERIOD = timedelta(hours=1)
KNOWN_ADDRESS_PERIOD = timedelta(days=90)
# A lock-out is recorded once a minute for an address and account, or an attack would fill the disk.
BETWEEN_LOCK_OUTS = timedelta(minutes=1)
# The limit of failed attempts, as allauth names it.
_APP, _ACTION = "allauth.account", "login_failed"


def client_address(request: HttpRequest) -> str | None:
    """The IP address of the client, before the trusted proxies; ``None`` if it is not one."""
    address = get_adapter().get_client_ip(request)
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


def client_device(request: HttpRequest) -> str:
    """What the browser says it is, shortened. Its name is often at the end."""
    return request.headers.get("User-Agent", "")[:300]


def record_event(
    request: HttpRequest, kind: Kind, user: User | None, *, account: str = "", detail: str = ""
) -> None:
    """Record an event with the address and the device of the request.

    :param account: what was typed as the account. It is kept only if it looks like an address,
        because people also type their password there.
    """
    services.record_sign_in_event(
        kind=kind,
        by=user,
        account=account if "@" in account or not account else "(not an email address)",
        address=client_address(request),
        device=client_device(request),
        at=timezone.now(),
        detail=detail,
    )


def record_failure(request: HttpRequest, account: str) -> None:
    """Record a wrong password, or an account that does not exist."""
    user = find_account(account)
    kind = Kind.FAILED if user else Kind.UNKNOWN_ACCOUNT
    detail = "when asked to confirm who they are" if request.user.is_authenticated else ""
    record_event(request, kind, user, account=account, detail=detail)


def record_lock_out(request: HttpRequest, account: str = "", *, detail: str = "") -> None:
    """Record that an attempt was refused without being checked, once a minute.

    :param account: what was typed; empty if the person was half or fully signed in.
    """
    user = find_account(account) if account else _find_person(request)
    recorded = SignInEvent.objects.filter(
        kind=Kind.LOCKED_OUT,
        user=user,
        address=client_address(request),
        happened_at__gt=timezone.now() - BETWEEN_LOCK_OUTS,
    )
    if not recorded.exists():
        record_event(request, Kind.LOCKED_OUT, user, account=account, detail=detail)


def _find_person(request: HttpRequest) -> User | None:
    """Who is signed in, or has given the password and not yet the second factor."""
    if isinstance(request.user, User):
        return request.user
    stage = get_pending_stage(request)
    return stage.login.user if stage and isinstance(stage.login.user, User) else None


def find_account(account: str) -> User | None:
    """The user with this email address."""
    return User.objects.filter(email__iexact=account).first() if account else None


def is_guessed_from_many_addresses(request: HttpRequest, account: str, *, at: datetime) -> bool:
    """Whether too many attempts failed lately, and this address is new for the account."""
    user = find_account(account)
    events = SignInEvent.objects.filter(user=user)
    if user is None:
        return False
    failed = events.filter(kind=Kind.FAILED, happened_at__gt=at - FAILURES_PERIOD)
    if failed.count() < MOST_FAILURES:
        return False
    known = events.filter(
        kind=Kind.SIGNED_IN,
        address=client_address(request),
        happened_at__gt=at - KNOWN_ADDRESS_PERIOD,
    )
    return not known.exists()


def find_retry_time(request: HttpRequest, account: str, *, at: datetime) -> datetime | None:
    """When someone who was locked out may try again; ``None`` if that is not known.

    :param account: what was typed; empty if the person was half or fully signed in.
    """
    user = find_account(account) if account else _find_person(request)
    if account:
        key = get_adapter(request)._get_login_attempts_cache_key(request, email=account)
    else:
        key = f"mfa-auth-user-{user.pk}" if user else ""
    moments = []
    for rate in ratelimit.get_rates(app=_APP, action=_ACTION):
        counted = ratelimit.get_cache_key(request, app=_APP, action=_ACTION, rate=rate, key=key)
        # Newest first. The attempt that the limit still counts and the next one may not follow.
        moments += [
            datetime.fromtimestamp(stamp + rate.duration, tz=UTC)
            for stamp in cache.get(counted, [])[rate.amount - 1 : rate.amount]
        ]
    if user is not None and is_guessed_from_many_addresses(request, account, at=at):
        failed = SignInEvent.objects.filter(user=user, kind=Kind.FAILED).order_by("-happened_at")
        moments.append(failed[MOST_FAILURES - 1].happened_at + FAILURES_PERIOD)
    return max((one for one in moments if one > at), default=None)


class SecondFactorLog:
    """Hears what allauth does with second factors. It is created once, by ``accounts.apps``."""

    def __init__(self) -> None:
        # Bound methods are held weakly, so the app keeps this object.
        signals.authenticator_added.connect(self.record_added)
        signals.authenticator_removed.connect(self.record_removed)
        signals.authenticator_reset.connect(self.record_codes)
        signals.authenticator_used.connect(self.record_used)
        signals.authentication_failed.connect(self.record_failed)

    def record_added(
        self, *, request: Any, user: User, authenticator: Authenticator, **_: Any
    ) -> None:
        kind = Kind.CODES_MADE if _is_codes(authenticator) else Kind.FACTOR_ADDED
        record_event(request, kind, user, detail=_name_of(authenticator))

    def record_removed(
        self, *, request: Any, user: User, authenticator: Authenticator, **_: Any
    ) -> None:
        record_event(request, Kind.FACTOR_REMOVED, user, detail=_name_of(authenticator))

    def record_codes(self, *, request: Any, user: User, **_: Any) -> None:
        record_event(request, Kind.CODES_MADE, user)

    def record_used(
        self, *, request: Any, user: User, authenticator: Authenticator, **_: Any
    ) -> None:
        kind = Kind.CODE_USED if _is_codes(authenticator) else Kind.FACTOR_USED
        record_event(request, kind, user, detail=_name_of(authenticator))

    def record_failed(self, *, request: Any, user: User, **_: Any) -> None:
        record_event(request, Kind.FACTOR_FAILED, user)


def _is_codes(authenticator: Authenticator) -> bool:
    return bool(authenticator.type == Authenticator.Type.RECOVERY_CODES)


def _name_of(authenticator: Authenticator) -> str:
    return str(Authenticator.Type(authenticator.type).label)
