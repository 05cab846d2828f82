"""Notices to one person: written once, read, and sent by e-mail by the workers.

The row comes first, in the transaction of the action; the relay publishes its id to a worker. An
e-mail is sent once: before the message is handed to the mail server, the row says so. If the worker
is killed before that, the message is queued again; after that, it is not sent a second time.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

from django.core.mail import get_connection
from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed

from .mail import build_message, wants_mail
from .models import Notice, NoticeQuerySet

MOST_ATTEMPTS = 5
# A server that answers needs seconds; the time limits of the connection are shorter.
LEASE = timedelta(seconds=60)
_MESSAGES_PER_RUN = 100
_UNKNOWN = "The connection broke while the message was handed over. It may have been sent."


@transaction.atomic
def add_notice(
    *,
    to: User,
    kind: str,
    reference: str,
    key: str,
    path: str,
    event_id: int | None = None,
    leaves_after: timedelta = timedelta(0),
    by: User | None,
    at: datetime,
) -> Notice | None:
    """Write a notice to a person, and queue its e-mail if they want one.

    :param key: what it is about; a person gets one notice of the same thing.
    :param leaves_after: how long the e-mail stays here, so that the notice can be taken back.
    :returns: ``None`` if the person has this notice already.
    """
    notice = Notice(
        addressee=to,
        kind=kind,
        reference=reference,
        key=key,
        path=path,
        event_id=event_id,
        by=by,
        created_at=at,
    )
    if wants_mail(to, notice):
        notice.mail_state = Notice.MailState.QUEUED
        notice.mail_due_at = at + leaves_after
    # Another action may write the same notice at this moment; the constraint allows one.
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
    return _find_new(notice)


def _find_new(notice: Notice) -> Notice | None:
    """Return the stored row, if it is the one that was just written."""
    same = Notice.objects.filter(addressee=notice.addressee, kind=notice.kind, key=notice.key)
    return same.filter(created_at=notice.created_at).first()


@transaction.atomic
def mark_read(*, notice_id: int, by: User, at: datetime) -> Notice:
    """Mark a notice as read. Doing it again changes nothing.

    :raises NotAllowed: no notice of this person.
    """
    notice = Notice.objects.select_for_update().filter(pk=notice_id, addressee=by).first()
    if notice is None:
        raise NotAllowed("This notice is not yours.")
    if notice.read_at is None:
        notice.read_at = at
        notice.save(update_fields=["read_at"])
    return notice


@transaction.atomic
def take_back_notices(*, kind: str, key: str, by: User, at: datetime) -> None:
    """Take back the notices of an action that was undone: none is unread, no e-mail leaves."""
    rows = Notice.objects.filter(kind=kind, key=key)
    rows.filter(mail_state=Notice.MailState.QUEUED).update(mail_state=Notice.MailState.NONE)
    rows.unread().update(read_at=at)


def mark_all_read(*, by: User, at: datetime) -> int:
    """Mark all notices of a person as read; return their number."""
    return Notice.objects.unread().filter(addressee=by, created_at__lte=at).update(read_at=at)


@transaction.atomic
def record_answer(*, event_id: int, by: User, at: datetime) -> None:
    """Mark the mention of a person in a note as read and answered.

    :raises NotAllowed: they are not mentioned in it.
    """
    mentions = Notice.objects.filter(addressee=by, kind="MENTION", event_id=event_id)
    notice = mentions.select_for_update().first()
    if notice is None:
        raise NotAllowed("You are not mentioned in this note.")
    notice.read_at, notice.answered_at = notice.read_at or at, at
    notice.save(update_fields=["read_at", "answered_at"])


# --- E-mail -------------------------------------------------------------------------------------


def publish_due_mail(
    *, send: Callable[[list[int]], None], broker_error: type[Exception], at: datetime
) -> int:
    """Publish the notices whose e-mail is due to the workers; return their number.

    :param send: puts the ids of one message on the broker.
    :param broker_error: what ``send`` raises if the broker is down; the notices then stay due.
    """
    due = list(Notice.objects.mail_due(at=at).values_list("pk", flat=True)[:_MESSAGES_PER_RUN])
    if not due:
        return 0
    # First the rows: a message without its row published would be claimed by nobody twice.
    rows = Notice.objects.filter(pk__in=due, mail_state=Notice.MailState.QUEUED)
    rows.filter(mail_published_at__isnull=True).update(mail_published_at=at)
    try:
        send(due)
    except broker_error:
        rows.filter(mail_published_at=at).update(mail_published_at=None)
        raise
    return len(due)


def send_mail(*, notice_ids: Sequence[int], at: datetime, now: Callable[[], datetime]) -> int:
    """Send the e-mail of these notices, each once; return how many were sent.

    Those that another worker has, or that were sent, are left out.
    """
    return sum(_send_one(pk, now) for pk in notice_ids)


def requeue_lost_mail(*, at: datetime) -> int:
    """Queue e-mails again whose message or worker was lost; return their number.

    One that was being handed to the mail server when its worker stopped may have been sent. It is
    marked as failed and not sent again.
    """
    found = Notice.objects.mail_lost(at=at, lease=LEASE).update(mail_published_at=None)
    abandoned = Notice.objects.mail_abandoned(at=at, lease=LEASE)
    found += abandoned.filter(mail_handed_at__isnull=True).update(
        mail_state=Notice.MailState.QUEUED,
        mail_due_at=at,
        mail_published_at=None,
        mail_claimed_at=None,
    )
    abandoned.filter(mail_handed_at__isnull=False).update(
        mail_state=Notice.MailState.FAILED, mail_failure=_UNKNOWN
    )
    return found


def _send_one(pk: int, now: Callable[[], datetime]) -> bool:
    claimed_at = now()
    notice = _claim(pk, at=claimed_at)
    if notice is None:
        return False
    if not wants_mail(notice.addressee, notice):
        # The person has turned it off, or left, since it was queued.
        _end_attempt(notice, Notice.MailState.NONE)
        return False
    connection = get_connection()
    try:
        connection.open()
        # Committed before the message leaves. Whoever lost the lease sends nothing.
        handed = _own(notice).update(mail_handed_at=now())
        if not handed:
            return False
        build_message(notice, connection).send()
    except (SMTPResponseException, SMTPRecipientsRefused) as error:
        # The server has answered that it does not take the message.
        _retry(notice, _describe(error), at=now())
        return False
    except (OSError, SMTPException) as error:
        if _own(notice).filter(mail_handed_at__isnull=False).exists():
            _end_attempt(notice, Notice.MailState.FAILED, _UNKNOWN)
        else:
            _retry(notice, _describe(error), at=now())
        return False
    finally:
        connection.close()
    _end_attempt(notice, Notice.MailState.SENT)
    return True


@transaction.atomic
def _claim(pk: int, *, at: datetime) -> Notice | None:
    """Claim the e-mail of a notice, committed at once; ``None`` if another worker has it."""
    claimed = Notice.objects.filter(pk=pk, mail_state=Notice.MailState.QUEUED).update(
        mail_state=Notice.MailState.SENDING, mail_claimed_at=at, mail_handed_at=None
    )
    return Notice.objects.select_related("addressee").get(pk=pk) if claimed else None


def _own(notice: Notice) -> NoticeQuerySet:
    """Select the row while this worker has its lease."""
    return Notice.objects.filter(
        pk=notice.pk,
        mail_state=Notice.MailState.SENDING,
        mail_claimed_at=notice.mail_claimed_at,
    )


def _end_attempt(notice: Notice, state: Notice.MailState, failure: str = "") -> None:
    _own(notice).update(mail_state=state, mail_failure=failure)


def _retry(notice: Notice, why: str, *, at: datetime) -> None:
    """Queue the e-mail again, later after each attempt; give up after the last one."""
    attempts = notice.mail_attempts + 1
    if attempts >= MOST_ATTEMPTS:
        _own(notice).update(
            mail_state=Notice.MailState.FAILED, mail_failure=why, mail_attempts=attempts
        )
        return
    _own(notice).update(
        mail_state=Notice.MailState.QUEUED,
        mail_due_at=at + LEASE * 2**attempts,
        mail_published_at=None,
        mail_claimed_at=None,
        mail_handed_at=None,
        mail_attempts=attempts,
        mail_failure=why,
    )


def _describe(error: Exception) -> str:
    """Describe an error of the mail server, without its text, which may contain an address."""
    code = getattr(error, "smtp_code", "")
    answer = f"It answered {code}." if code else f"({type(error).__name__})."
    return f"The mail server did not take the message. {answer}"
