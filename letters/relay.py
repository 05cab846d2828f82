"""The relay: the process that publishes due letters and e-mails to the workers.

It reads what is due from the database, puts the ids on the broker, and every few seconds queues
what was lost again. If the broker or the database is down, it waits longer after each try; the
letters stay due. Its only state is the time of the last sweep and the number of failed runs, so it
can be restarted at any time.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.db import OperationalError, close_old_connections
from kombu.exceptions import OperationalError as BrokerConnectionError
from redis.exceptions import RedisError

from notices import services as notices
from notices.tasks import send_mail

from . import services, tasks

logger = structlog.get_logger(__name__)

# Seconds between two sweeps; with the lease of an urgent letter less than 20 seconds.
SWEEP_EVERY = 5.0
HEARTBEAT_EVERY = 15.0
LONGEST_WAIT = 30.0  # maximum seconds between two runs that fail
# The wait doubles with each failed run, up to LONGEST_WAIT. Without a cap the power of two would
# grow without limit during a long outage.
MAX_DOUBLINGS = 10


class BrokerUnavailable(Exception):
    """The broker did not accept a message."""


def send_mail_to_broker(notice_ids: list[int]) -> None:
    """Put one message with the ids of notices to mail on the broker, without retries.

    :raises BrokerUnavailable: the broker is down.
    """
    _send(send_mail, {"notice_ids": notice_ids})


def send_to_broker(letter_ids: list[uuid.UUID]) -> None:
    """Put one message with the ids of letters on the broker, without retries.

    :raises BrokerUnavailable: the broker is down.
    """
    _send(tasks.render_letters, {"letter_ids": [str(letter_id) for letter_id in letter_ids]})


def _send(task: Any, kwargs: dict[str, Any]) -> None:
    try:
        task.apply_async(
            kwargs=kwargs,
            # The row stays due, so the next run is the retry. Celery's own would block this run.
            retry=False,
            ignore_result=True,
        )
    except (BrokerConnectionError, RedisError, OSError) as error:
        raise BrokerUnavailable from error


class Relay:
    """One running relay.

    :param read_clock: returns the current time.
    :param read_monotonic: returns seconds that never go back, even if the clock is set back.
    :param wait: waits the given seconds; returns true if the relay has to stop.
    :param interval: seconds between two runs while no letter is due.
    """

    def __init__(
        self,
        *,
        read_clock: Callable[[], datetime],
        read_monotonic: Callable[[], float] = monotonic,
        wait: Callable[[float], bool],
        interval: float = 0.5,
        send: Callable[[list[uuid.UUID]], None] = send_to_broker,
        send_mail: Callable[[list[int]], None] = send_mail_to_broker,
    ) -> None:
        self.read_clock = read_clock
        self.read_monotonic = read_monotonic
        self.wait = wait
        self.interval = interval
        self.send = send
        self.send_mail = send_mail
        self._swept_at: float | None = None
        self._beat_at: float | None = None
        self._failures = 0

    def run(self) -> None:
        """Run ``run_once`` repeatedly until asked to stop."""
        while True:
            pause = self.run_once()
            if self.wait(pause):
                return

    def run_once(self) -> float:
        """Sweep if due, and publish due letters. Return the seconds to wait before the next run."""
        # Django does this only between requests. If the database server has closed the connection,
        # every later run would fail.
        close_old_connections()
        try:
            self._sweep_when_due()
            published = self.publish_due()
        except BrokerUnavailable:
            return self._wait_longer("relay_broker_unavailable")
        except OperationalError:
            # The database is down or busy. Nothing is lost: due letters are still due later.
            return self._wait_longer("relay_database_unavailable")
        self._failures = 0
        # More letters may be due than one run publishes.
        return 0.0 if published else self.interval

    def publish_due(self) -> int:
        """Publish the due letters and e-mails, and return how many were published."""
        return services.publish_due_letters(
            send=self.send, broker_error=BrokerUnavailable, at=self.read_clock()
        ) + notices.publish_due_mail(
            send=self.send_mail, broker_error=BrokerUnavailable, at=self.read_clock()
        )

    def _wait_longer(self, log_event: str) -> float:
        """Log a failed run, and return the seconds to wait: twice as long after each failure."""
        self._failures += 1
        pause = min(LONGEST_WAIT, self.interval * 2 ** min(self._failures, MAX_DOUBLINGS))
        logger.warning(log_event, seconds=pause)
        return pause

    def _sweep_when_due(self) -> None:
        """Record the heartbeat and queue lost letters again, once a minute."""
        at, now = self.read_clock(), self.read_monotonic()
        # With a short lease, as in tests, lost letters must be found earlier.
        every = min(SWEEP_EVERY, settings.LETTER_LEASE_SECONDS)
        if self._swept_at is not None and now - self._swept_at < every:
            return
        # Set before the sweep: a sweep that fails is repeated after a minute and not in every run.
        self._swept_at = now
        if self._beat_at is None or now - self._beat_at >= HEARTBEAT_EVERY:
            self._beat_at = now
            services.record_heartbeat(name="relay", at=at)
        if mails := notices.requeue_lost_mail(at=at):
            logger.warning("relay_mails_requeued", count=mails)
        swept = services.requeue_lost_letters(at=at)
        if swept.requeued:
            logger.warning("relay_letters_requeued", count=swept.requeued)
        if swept.failed:
            logger.error("relay_letters_failed", count=swept.failed)
