"""The allauth adapter: public sign-up is closed, and mail errors do not reach the page."""

from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter

logger = structlog.get_logger(__name__)


class ClosedSignUpAdapter(DefaultAccountAdapter):
    """Accounts are created by administrators only."""

    def is_open_for_signup(self, request: Any) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send the mail, or log that it failed; the page answers the same in both cases.

        Otherwise an error of the mail server would reveal which addresses belong to users.
        """
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # includes the errors of smtplib
            logger.error("mail_not_sent", error=type(error).__name__)
