"""Acts of two people at once, in an order that the test chooses.

For PostgreSQL, which says who waits for whose locks.
"""

from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction

from .processes import wait_until

# Everyone who waits for this connection, or for someone who waits for it.
WAITING = """
WITH RECURSIVE waiting (pid) AS (
    SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
    UNION
    SELECT other.pid FROM pg_locks AS other JOIN waiting
    ON waiting.pid = ANY (pg_blocking_pids(other.pid)) WHERE NOT other.granted
)
SELECT count(*) FROM waiting
"""


def answers_after(first, later, *, meanwhile=lambda: None):
    """Do one act, and commit it only when every later act waits for its locks.

    :param later: the later acts by name; each runs in a thread and a connection of its own.
    :param meanwhile: what is done, by whoever did the first act, while the later ones wait.
    :returns: by name, what each later act returned, or the exception that it raised.
    """
    with ThreadPoolExecutor(len(later)) as pool:
        with transaction.atomic():
            first()
            answers = {name: pool.submit(_alone, act) for name, act in later.items()}
            wait_until(
                lambda: (
                    any(answer.done() for answer in answers.values()) or _waiting() == len(later)
                ),
                what="every later act waits for the locks of the first",
                every=0.01,
            )
            early = {name: _answer(answer) for name, answer in answers.items() if answer.done()}
            assert not early, f"did not wait for the first act: {early}"
            meanwhile()
        return {name: _answer(answer) for name, answer in answers.items()}


def _alone(act):
    try:
        return act()
    finally:
        connection.close()


def _answer(future):
    return future.exception() or future.result()


def _waiting():
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return cursor.fetchone()[0]
