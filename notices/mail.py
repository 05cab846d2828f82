"""The e-mail of a notice: a case number, what happened and a link, and no health facts."""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from accounts.models import User

from .kinds import MENTIONS
from .models import Notice


def wants_mail(user: User, notice: Notice) -> bool:
    """Whether a person gets this notice by e-mail: their choice, and a server is configured."""
    chosen = (
        user.mail_on_mentions if notice.description.choice == MENTIONS else user.mail_on_reviews
    )
    return settings.MAIL_IS_CONFIGURED and user.is_active and chosen


def build_message(notice: Notice, connection: Any) -> EmailMessage:
    """Build the e-mail. Its id is that of the notice, so that servers recognize a repetition."""
    sentence = notice.description.mail.format(number=notice.reference)
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    return EmailMessage(
        subject=sentence.rstrip("."),
        body=(
            f"{sentence}\n\nOpen it in the portal:\n{settings.PORTAL_URL}{notice.path}\n\n"
            "This message leaves out all details. You can turn these messages off in your "
            "settings in the portal.\n"
        ),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[notice.addressee.email],
        connection=connection,
        headers={
            "Message-ID": f"<notice-{notice.pk}@{host}>",
            "Auto-Submitted": "auto-generated",
        },
    )
