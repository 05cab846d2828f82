"""E-mails of notices, to a real mail server: without details, once, also if a worker is killed."""

import socket
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from django.core.mail.backends.smtp import EmailBackend

from accounts import services as accounts
from accounts.roles import Role
from cases.services import notes
from letters import relay as relays
from notices import services
from notices.models import Notice
from tests.factories import MONDAY, person, received_case

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


class Box:
    """What the server does with a message: keep it, or refuse it."""

    def __init__(self):
        self.messages, self.answer = [], "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - named by aiosmtpd
        if self.answer.startswith("250"):
            self.messages.append(envelope)
        return self.answer


@pytest.fixture
def box(settings):
    """A mail server on a free port of this machine, in a thread."""
    box = Box()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.MAIL_IS_CONFIGURED = True
    settings.PORTAL_URL = "https://portal.example.org"
    yield box
    server.stop()


@pytest.fixture
def ben(db):
    return person(Role.SUPERVISOR, name="Ben Roy", email="ben@office.example")


def mention(text="The MRI of Ms. Quintanar, @Ben Roy?", at=MONDAY):
    ada = person(Role.COORDINATOR, name="Ada Lin")
    case = received_case()
    notes.add_note(case_id=case.pk, text=text, by=ada, at=at)
    return Notice.objects.latest("pk")


def publish(at=MONDAY):
    """What the relay puts on the broker."""
    sent = []
    services.publish_due_mail(send=sent.append, broker_error=relays.BrokerUnavailable, at=at)
    return [pk for message in sent for pk in message]


def send(ids, at=MONDAY):
    return services.send_mail(notice_ids=ids, at=at, now=lambda: at)


@pytest.mark.capability("RV-9")
def test_the_email_says_the_case_and_what_happened_and_nothing_else(box, ben):
    notice = mention()

    assert send(publish()) == 1

    (envelope,) = box.messages
    text = envelope.content.decode()
    assert envelope.rcpt_tos == ["ben@office.example"]
    assert f"Subject: You are mentioned in a note on case {notice.reference}" in text
    assert f"https://portal.example.org/cases/{notice.reference}/timeline/" in text
    for secret in ("MRI", "Quintanar", "Ada", "Lin,", "injection", "Marisol"):
        assert secret not in text, secret
    assert Notice.objects.get(pk=notice.pk).mail_state == "SENT"


@pytest.mark.capability("RV-9")
def test_a_message_that_is_delivered_twice_sends_one_email(box, ben):
    mention()
    ids = publish()

    assert [send(ids), send(ids), publish()] == [1, 0, []]
    assert len(box.messages) == 1


class Killed(BaseException):
    """Stands for SIGKILL: no handler of the worker runs, and nothing more is stored."""


@pytest.mark.capability("RV-9")
def test_a_worker_killed_before_it_hands_the_message_over_loses_nothing(box, ben, monkeypatch):
    mention()
    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "open", lambda self: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            send(publish())
    assert not box.messages

    later = MONDAY + 2 * MINUTE
    assert services.requeue_lost_mail(at=MONDAY) == 0  # its lease is not over
    assert services.requeue_lost_mail(at=later) == 1
    assert send(publish(later), later) == 1
    assert len(box.messages) == 1


@pytest.mark.capability("RV-9")
def test_a_worker_killed_after_the_server_took_the_message_sends_no_second_one(
    box, ben, monkeypatch
):
    mention()
    real = EmailBackend.send_messages

    def send_and_die(self, messages):
        real(self, messages)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", send_and_die)
        with pytest.raises(Killed):
            send(publish())

    later = MONDAY + 2 * MINUTE
    services.requeue_lost_mail(at=later)
    assert send(publish(later), later) == 0
    assert len(box.messages) == 1
    notice = Notice.objects.get()
    assert (notice.mail_state, "may have been sent" in notice.mail_failure) == ("FAILED", True)


@pytest.mark.capability("RV-9")
def test_a_server_that_refuses_or_is_down_gets_the_message_again_later(box, ben, settings):
    mention()
    box.answer = "451 Try again later, ben@office.example"
    assert send(publish()) == 0
    notice = Notice.objects.get()
    assert notice.mail_failure == "The mail server did not take the message. It answered 451."
    assert publish() == []  # not at once

    real, settings.EMAIL_PORT = settings.EMAIL_PORT, 9  # no one listens on discard
    later = MONDAY + 10 * MINUTE
    assert send(publish(later), later) == 0
    settings.EMAIL_PORT, box.answer = real, "250 OK"
    last = MONDAY + 60 * MINUTE
    assert send(publish(last), last) == 1
    assert len(box.messages) == 1


@pytest.mark.capability("RV-9")
def test_after_the_last_attempt_the_notice_says_so(box, ben):
    mention()
    box.answer = "550 No such person"
    at = MONDAY
    for _ in range(services.MOST_ATTEMPTS):
        send(publish(at), at)
        at += 60 * MINUTE

    assert Notice.objects.get().mail_state == "FAILED"
    assert publish(at) == []


@pytest.mark.capability("RV-9")
def test_a_lost_message_of_the_broker_is_published_again(box, ben):
    notice = mention()
    assert publish() == [notice.pk]
    assert publish() == []

    later = MONDAY + 2 * MINUTE
    services.requeue_lost_mail(at=later)
    assert publish(later) == [notice.pk]


@pytest.mark.capability("RV-9")
def test_the_relay_publishes_mail_and_keeps_it_due_while_the_broker_is_down(box, ben):
    notice = mention()

    def fail(ids):
        raise relays.BrokerUnavailable

    def relay(send_mail):
        return relays.Relay(
            read_clock=lambda: MONDAY, wait=lambda _: True, send=fail, send_mail=send_mail
        )

    with pytest.raises(relays.BrokerUnavailable):
        relay(fail).publish_due()
    assert Notice.objects.get(pk=notice.pk).mail_published_at is None
    sent = []
    relay(sent.extend).publish_due()
    assert sent == [notice.pk]


@pytest.mark.capability("RV-9")
def test_nobody_gets_mail_who_turned_it_off_or_left_or_without_a_server(box, ben, settings):
    mention()
    accounts.change_settings(chosen={"mail_on_mentions": False}, by=ben, at=MONDAY)
    assert send(publish()) == 0
    mention()
    assert publish() == []

    accounts.change_settings(chosen={"mail_on_mentions": True}, by=ben, at=MONDAY)
    settings.MAIL_IS_CONFIGURED = False
    mention()
    assert publish() == []
    assert not box.messages
    assert set(Notice.objects.values_list("mail_state", flat=True)) == {"NONE"}
