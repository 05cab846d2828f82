"""Notices to one person, shown once and kept as read, with the progress of their e-mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from .kinds import NOTICE_KINDS, NoticeKind, notice_choices

# Clocks of two machines differ a little.
CLOCK_SKEW = timedelta(minutes=5)


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Queries of the page, the relay, the workers and the sweep."""

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)

    def mail_due(self, *, at: datetime) -> Self:
        """Notices whose e-mail is due and not published to the workers yet, oldest first."""
        return self.filter(
            mail_state=Notice.MailState.QUEUED, mail_published_at__isnull=True, mail_due_at__lte=at
        ).order_by("mail_due_at", "pk")

    def mail_lost(self, *, at: datetime, lease: timedelta) -> Self:
        """Published notices that no worker took within a lease: the message may be lost."""
        return self.filter(
            Q(mail_published_at__lt=at - lease) | Q(mail_published_at__gt=at + CLOCK_SKEW),
            mail_state=Notice.MailState.QUEUED,
        )

    def mail_abandoned(self, *, at: datetime, lease: timedelta) -> Self:
        """Notices whose worker has stopped: the lease is over."""
        return self.filter(
            Q(mail_claimed_at__lt=at - lease) | Q(mail_claimed_at__gt=at + CLOCK_SKEW),
            mail_state=Notice.MailState.SENDING,
        )


class Notice(models.Model):
    """A notice to one person about a case. It is never deleted; only its progress changes."""

    class MailState(models.TextChoices):
        NONE = "NONE", "No e-mail"
        QUEUED = "QUEUED", "Queued"
        SENDING = "SENDING", "Being sent"
        SENT = "SENT", "Sent"
        FAILED = "FAILED", "Failed"

    addressee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notices"
    )
    kind = models.CharField(max_length=20, choices=notice_choices)
    reference = models.CharField(max_length=40)  # the case number
    # What it is about, such as the note: a person gets one notice of the same thing.
    key = models.CharField(max_length=80)
    event_id = models.BigIntegerField(null=True)  # the note, of a mention or an answer
    path = models.CharField(max_length=200)  # of the page that it leads to
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    mail_state = models.CharField(max_length=8, choices=MailState, default=MailState.NONE)
    mail_due_at = models.DateTimeField(null=True)
    mail_published_at = models.DateTimeField(null=True)  # when the relay published it
    mail_claimed_at = models.DateTimeField(null=True)  # the beginning of the lease
    # Stored before the message is handed to the mail server. If the worker stops after that, the
    # message may have been sent, so it is not sent again.
    mail_handed_at = models.DateTimeField(null=True)
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    mail_failure = models.CharField(max_length=300, blank=True)  # one sentence

    objects: ClassVar[NoticeQuerySet] = NoticeQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(fields=["addressee", "id"], name="notice_of_person"),
            # Every page counts the unread ones of its reader.
            models.Index(
                fields=["addressee", "reference"],
                name="notice_unread",
                condition=Q(read_at__isnull=True),
            ),
            models.Index(
                fields=["mail_state", "mail_due_at", "id"],
                name="notice_mail_waiting",
                condition=Q(mail_state__in=["QUEUED", "SENDING"]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="notice_once_per_key", fields=["addressee", "kind", "key"]
            ),
            models.CheckConstraint(
                name="notice_queued_mail_has_moment",
                condition=~Q(mail_state="QUEUED") | Q(mail_due_at__isnull=False),
            ),
            models.CheckConstraint(
                name="notice_failed_mail_says_why",
                condition=~Q(mail_state="FAILED") | ~Q(mail_failure=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.reference}"

    @property
    def description(self) -> NoticeKind:
        """What pages and e-mails say of this kind."""
        return NOTICE_KINDS[self.kind]
