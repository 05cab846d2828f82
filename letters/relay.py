"""The relay: the process that publishes due letters to the workers. It keeps no state of its own.

It reads due letters from the database, puts their ids on the broker, and once a minute queues lost
letters again. If the broker is down, it waits longer after each try; the letters stay due.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import OperationalError, close_old_connections
from kombu.exceptions import OperationalError as BrokerAway
from redis.exceptions import RedisError

from . import services, tasks

logger = structlog.get_logger(__name__)

SWEEP_EVERY = timedelta(seconds=60)
LONGEST_WAIT = 30.0  # maximum seconds between two tries to reach the broker


class BrokerUnavailable(Exception):
    """The broker did not accept a message."""


def send_to_broker(letter_id: uuid.UUID) -> None:
    """Put one letter id on the broker, without retries.

    :raises BrokerUnavailable: the broker is down.
    """
    try:
        tasks.render_letter.apply_async(
            kwargs={"letter_id": str(letter_id)},
            # The row stays due, so the next round is the retry; Celery's own would block this one.
            retry=False,
            ignore_result=True,
        )
    except (BrokerAway, RedisError, OSError) as error:
        raise BrokerUnavailable from error


class Relay:
    """One running relay.

    :param read_clock: returns the current time.
    :param wait: waits the given seconds; returns true if the relay has to stop.
    :param interval: seconds between two rounds without due letters.
    """

    def __init__(
        self,
        *,
        read_clock: Callable[[], datetime],
        wait: Callable[[float], bool],
        interval: float = 0.5,
        send: Callable[[uuid.UUID], None] = send_to_broker,
    ) -> None:
        self.read_clock = read_clock
        self.wait = wait
        self.interval = interval
        self.send = send
        self._swept_at: datetime | None = None
        self._failures = 0

    def run(self) -> None:
        """Run rounds until asked to stop."""
        while True:
            pause = self.turn()
            if self.wait(pause):
                return

    def turn(self) -> float:
        """Run one round; return the seconds to wait before the next."""
        # Otherwise every round would fail once the server has closed the connection.
        close_old_connections()
        try:
            self._sweep_when_due()
            sent = self.publish()
        except BrokerUnavailable:
            self._failures += 1
            pause = min(LONGEST_WAIT, self.interval * 2 ** min(self._failures, 10))
            logger.warning("relay_broker_away", seconds=pause)
            return pause
        except OperationalError:
            # The database is down or busy. Nothing is lost: due letters are still due later.
            self._failures += 1
            pause = min(LONGEST_WAIT, self.interval * 2 ** min(self._failures, 10))
            logger.warning("relay_database_away", seconds=pause)
            return pause
        self._failures = 0
        # More letters may be due than one round takes.
        return 0.0 if sent else self.interval

    def publish(self) -> int:
        """Publish all due letters; return their number."""
        return services.publish_due_letters(
            send=self.send, lost=BrokerUnavailable, at=self.read_clock()
        )

    def _sweep_when_due(self) -> None:
        at = self.read_clock()
        # With a short lease, as in tests, lost letters must be found earlier.
        every = min(SWEEP_EVERY, timedelta(seconds=settings.LETTER_LEASE_SECONDS))
        if self._swept_at is not None and at - self._swept_at < every:
            return
        # Before the sweep, so that a sweep that fails does not repeat in every round.
        self._swept_at = at
        services.record_heartbeat(name="relay", at=at)
        swept = services.requeue_lost_letters(at=at)
        if swept.requeued:
            logger.warning("relay_requeued", count=swept.requeued)
        if swept.failed:
            logger.error("relay_failed", count=swept.failed)
