"""How the sign-in library is bent to the organization: no one signs up by themselves."""

from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter

logger = structlog.get_logger(__name__)


class ClosedSignUpAdapter(DefaultAccountAdapter):
    """Accounts are made by an administrator."""

    def is_open_for_signup(self, request: Any) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send, or note that it could not be sent; the page answers the same to everyone.

        Otherwise a mail server that is away would tell which addresses belong to someone.
        """
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # smtplib's errors are of this kind too
            logger.error("mail_not_sent", error=type(error).__name__)
