"""The allauth adapters: closed sign-up, the record of sign-ins, and no mail errors on pages."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from . import sign_in_log
from .models import SignInEvent, User

logger = structlog.get_logger(__name__)

Kind = SignInEvent.Kind
TOO_MANY = "too_many_login_attempts"
# The same, said by allauth while a second factor is set up.
TOO_MANY_CODES = "rate_limited"


class ClosedSignUpAdapter(DefaultAccountAdapter):
    """Accounts are created by administrators only, and every sign-in is on record."""

    _account = ""  # what was typed, if this adapter checks a password

    def is_open_for_signup(self, request: Any) -> bool:
        return False

    # Rate limits

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """The key under which failures are counted: the account and the client's address.

        Counted by account alone, anybody could lock a person out from anywhere.
        """
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:{sign_in_log.client_address(request)}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse, before the password is checked, if too many attempts failed."""
        self._account = credentials.get("email", "")
        super().pre_authenticate(request, **credentials)
        if sign_in_log.is_guessed_from_many_addresses(request, self._account, at=timezone.now()):
            raise self.validation_error(TOO_MANY)

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        """The sentence of a refusal; a lock-out, also of a second factor, is recorded first."""
        if code not in {TOO_MANY, TOO_MANY_CODES}:
            error: ValidationError = super().validation_error(code, *args)
            return error
        if code == TOO_MANY:
            sign_in_log.record_lock_out(self.request, self._account)
        now = timezone.now()
        until = sign_in_log.find_retry_time(self.request, self._account, at=now)
        return ValidationError(_describe_lock_out(until, now), code=code)

    # The record of sign-ins

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        sign_in_log.record_failure(request, credentials.get("email", ""))
        super().authentication_failed(request, **credentials)

    def pre_login(self, request: HttpRequest, user: Any, **options: Any) -> HttpResponse | None:
        if not user.is_active:
            sign_in_log.record_event(request, Kind.INACTIVE, user)
        return super().pre_login(request, user, **options)

    def post_login(self, request: HttpRequest, user: Any, **options: Any) -> HttpResponse:
        sign_in_log.record_event(request, Kind.SIGNED_IN, user)
        return super().post_login(request, user, **options)

    def reauthenticate(self, user: Any, password: str) -> bool:
        is_confirmed = super().reauthenticate(user, password)
        if is_confirmed:
            sign_in_log.record_event(self.request, Kind.CONFIRMED, user)
        return is_confirmed

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            sign_in_log.record_event(request, Kind.SIGNED_OUT, request.user)
        super().logout(request)

    def set_password(self, user: Any, password: str) -> None:
        """Save a password that the person chose: signed in, or with the link of a mail."""
        super().set_password(user, password)
        is_own = self.request.user.is_authenticated
        kind = Kind.PASSWORD_CHANGED if is_own else Kind.PASSWORD_RESET
        sign_in_log.record_event(self.request, kind, user)

    # Mail

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send the mail, or log that it failed; the page answers the same in both cases.

        Otherwise an error of the mail server would reveal which addresses belong to users.
        """
        if template_prefix in {
            "account/email/password_reset_key",
            "account/email/unknown_account",
        }:
            user = sign_in_log.find_account(email)
            sign_in_log.record_event(self.request, Kind.RESET_REQUESTED, user, account=email)
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # includes the errors of smtplib
            logger.error("mail_not_sent", error=type(error).__name__)


def _describe_lock_out(until: datetime | None, now: datetime) -> str:
    if until is None:
        return "Too many attempts. Wait a few minutes, then try again."
    # The end of the minute, so that the time on the page is never too early.
    local = timezone.localtime(until + timedelta(seconds=59)).replace(second=0)
    day = "" if local.date() == timezone.localdate(now) else f" on {local:%m/%d/%Y}"
    return (
        f"Too many attempts. Try again at {local.hour % 12 or 12}:{local:%M %p} PT{day}. "
        "Until then the right password or code is refused too."
    )


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors, with names for keys that say nothing but their number."""

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:  # noqa: A002
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Key {count + 1}"
