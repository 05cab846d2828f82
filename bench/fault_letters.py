"""Letters while the processes that make them are killed: at random again and again, and one by one.

The first run shows that nothing is lost. In the second one each fault is left alone, to measure how
long the letters that it loses take; in the first one they also wait for the faults that follow.
"""

import base64
import contextlib
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError

from tests.processes import DidNotHappen, wait_until

from .fault_verdicts import Bar, LetterVerdict, LostLetter, judge_letters
from .letter_samples import copy_letter
from .portal import Portal, kill_one_child, kill_parent

# What is done, and how often among ten: a worker is killed most, because it has the letters.
FAULTS = {
    "worker": 2,
    "worker's child": 3,
    "relay": 2,
    "scheduler": 1,
    "broker": 1,
    "broker emptied": 1,
}
BETWEEN_FAULTS = (0.5, 4.0)  # seconds, beside the start of a killed worker
URGENT_EVERY, LONG_EVERY = 5, 10  # one letter in so many
LONG_TEXT = "\n\n".join(["Two injections at C3-C4 gave short relief. " * 12] * 150)
MOST_BEHIND = 100  # letters, most of which wait because their message or worker was lost
# Each left alone until the letters are there. A relay holds no letter for longer than a moment.
SINGLE_FAULTS = [
    ("worker", 0.0),
    ("worker's child", 0.0),  # the first child, then the second one
    ("worker's child", 0.5),
    ("broker", 0.0),
    ("broker emptied", 0.0),
]
LETTERS_OF_FAULT = 14
# Seconds: from the last fault to the last letter, and from one fault to a letter that it lost.
LONGEST_DRAIN, LONGEST_WAIT, LONGEST_URGENT_WAIT = 60, 60, 20
PATIENCE = 180  # seconds for letters after the last fault; then they count as stuck


@dataclass
class Storm:
    """The notes of one run."""

    queued: dict[UUID, str] = field(default_factory=dict)
    losses: list[LostLetter] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    last_fault: datetime | None = None
    in_flight: int = 0  # faults that hit at least one letter


def run_letters(*, faults: int, letters: int, seed: int) -> tuple[Storm, LetterVerdict]:
    """Queue letters and break processes at random; wait for the letters and judge them."""
    chance, storm, portal = random.Random(seed), Storm(), Portal()
    model = queue_first_letter(storm)
    try:
        portal.start()
        for number in range(1, faults + 1):
            upto = letters * number // faults
            queue_letters(storm, model, upto - len(storm.queued))
            pause = chance.uniform(*BETWEEN_FAULTS)
            time.sleep(pause)
            break_something(storm, portal, chance)
            portal.restart_ended()
            # Otherwise the next fault would often hit a worker that has nothing yet.
            portal.wait_until_working()
            wait_for_progress(len(storm.queued))
            print_progress(storm, number, faults)
        with contextlib.suppress(DidNotHappen):
            wait_until(
                lambda: not count_moving(), what="all are filed", seconds=PATIENCE, every=0.2
            )
    finally:
        portal.stop()
    return judge_storm(storm)


def run_single_faults() -> tuple[Storm, LetterVerdict]:
    """Break one process after the other, each when letters are in its hands, and wait each time."""
    storm, portal = Storm(), Portal()
    model = queue_first_letter(storm)
    try:
        portal.start()
        wait_until(lambda: not count_moving(), what="the first letter is filed", seconds=PATIENCE)
        for fault, which in SINGLE_FAULTS:
            # Both children begin with a long letter, one of them urgent; the others have to wait.
            queue_letters(storm, model, LETTERS_OF_FAULT, long_first=True)
            wait_for_rendering(2)
            break_process(storm, portal, fault, which)
            portal.restart_ended()
            with contextlib.suppress(DidNotHappen):
                wait_until(
                    lambda: not count_moving(), what="all are filed", seconds=PATIENCE, every=0.1
                )
    finally:
        portal.stop()
    return judge_storm(storm)


def judge_storm(storm: Storm) -> tuple[Storm, LetterVerdict]:
    """Compare the notes of a run with the rows and files."""
    assert storm.last_fault is not None
    verdict = judge_letters(queued=storm.queued, losses=storm.losses, last_fault=storm.last_fault)
    return storm, verdict


def queue_first_letter(storm: Storm) -> Any:
    """Publish the wording and queue one letter by the service; the others are copies of it."""
    from django.utils import timezone

    from tests.letters import factories

    letter = factories.enqueue(
        factories.wording(), reference="CM99-0000000", at=timezone.now(), recipients=()
    )
    storm.queued[letter.pk] = letter.reference
    return letter


def queue_letters(storm: Storm, model: Any, count: int, *, long_first: bool = False) -> None:
    """Queue copies of a letter in one transaction; some are urgent and some are long.

    :param long_first: every second one is urgent, and the first two are long.
    """
    from django.db import transaction
    from django.utils import timezone

    from letters.models import Letter, LetterStep

    now, first = timezone.now(), len(storm.queued)
    rows = []
    for number in range(first, first + count):
        place = number - first
        is_long = place < 2 if long_first else number % LONG_EVERY == 0
        long = {"summary": LONG_TEXT} if is_long else {}
        letter = copy_letter(model, f"CM99-{number:07d}", now, **long)
        letter.is_urgent = number % (2 if long_first else URGENT_EVERY) == 0
        letter.due_at = now - timedelta(milliseconds=count - place)  # in the order of the numbers
        rows.append(letter)
    with transaction.atomic():
        Letter.objects.bulk_create(rows)
        LetterStep.objects.bulk_create(
            LetterStep(letter=row, kind=LetterStep.Kind.QUEUED, happened_at=now) for row in rows
        )
    storm.queued |= {row.pk: row.reference for row in rows}


def break_something(storm: Storm, portal: Portal, chance: random.Random) -> None:
    """Break one process, drawn by lot."""
    (fault,) = chance.choices(list(FAULTS), list(FAULTS.values()))
    which = chance.random()
    if fault.startswith("worker") and chance.random() < 0.5:
        wait_for_rendering(1)
    break_process(storm, portal, fault, which)


def break_process(storm: Storm, portal: Portal, fault: str, which: float) -> None:
    """Break one process, and note which letters were lost by it.

    :param which: the child of a worker, as a number from 0 to below 1.
    """
    from django.utils import timezone

    at = timezone.now()
    if fault == "worker":
        kill_parent(portal.worker)
    elif fault == "worker's child":
        kill_one_child(portal.worker, which)
    elif fault == "relay":
        kill_parent(portal.relay)
    elif fault == "scheduler":
        kill_parent(portal.scheduler)
    elif fault == "broker":
        portal.broker.kill()
    else:
        with contextlib.suppress(RedisError):
            portal.broker.flush()
    storm.faults[fault] += 1
    storm.last_fault = at
    lost = note_losses(storm, portal, fault, at)
    storm.in_flight += bool(lost)


def wait_for_rendering(children: int) -> None:
    """Wait until so many children of the worker have a letter, for two seconds at most."""
    from letters.models import Letter

    rendering = Letter.objects.filter(state=Letter.State.RENDERING)
    with contextlib.suppress(DidNotHappen):
        wait_until(
            lambda: rendering.count() >= children, what="it has letters", seconds=2, every=0.01
        )


def note_losses(storm: Storm, portal: Portal, fault: str, at: datetime) -> list[LostLetter]:
    """Note the letters whose message or worker has gone with the fault."""
    from letters.models import Letter

    rows = Letter.objects.filter(published_at__isnull=False, published_at__lte=at)
    waiting = rows.filter(state=Letter.State.QUEUED)
    lost: list[Any] = []
    if fault.startswith("broker"):
        lost += waiting
    elif fault == "worker":
        lost += waiting.exclude(pk__in=list_messages(portal, "imr"))
    elif fault == "relay":
        lost += waiting.exclude(pk__in=list_messages(portal, "imr", "unacked"))
    if fault.startswith("worker"):
        lost += Letter.objects.filter(state=Letter.State.RENDERING, claimed_at__lte=at)
    known = {loss.letter_id: loss.progress for loss in storm.losses}
    new = []
    for letter in lost:
        progress = (letter.published_at, letter.claimed_at, letter.attempts)
        if known.get(letter.pk) != progress:
            new.append(LostLetter(letter.pk, fault, at, progress))
    storm.losses += new
    return new


def list_messages(portal: Portal, *keys: str) -> list[UUID]:
    """The letters whose messages the broker has in these keys."""
    messages: list[dict[str, Any]] = []
    with portal.broker.client() as client:
        if "imr" in keys:
            messages += [json.loads(text) for text in client.lrange("imr", 0, -1)]
        if "unacked" in keys:
            messages += [json.loads(text)[0] for text in client.hvals("unacked")]
    named = [json.loads(base64.b64decode(message["body"]))[1] for message in messages]
    return [UUID(one) for arguments in named for one in arguments.get("letter_ids", ())]


def wait_for_progress(queued: int) -> None:
    """Wait, on a slow machine, until not too many letters are behind; for two minutes at most."""
    with contextlib.suppress(DidNotHappen):
        wait_until(
            lambda: count_moving() <= MOST_BEHIND,
            what=f"most of {queued} letters are filed",
            seconds=120,
            every=0.2,
        )


def count_moving() -> int:
    """The letters that the portal has not finished."""
    from letters.models import Letter

    return Letter.objects.filter(state__in=[Letter.State.QUEUED, Letter.State.RENDERING]).count()


def print_progress(storm: Storm, number: int, faults: int) -> None:
    from letters.models import Letter

    if number % 10 == 0 or number == faults:
        filed = Letter.objects.filter(state=Letter.State.FILED).count()
        print(f"{number} of {faults} kills, {filed} of {len(storm.queued)} filed", flush=True)


def list_kept_bars(part: str, verdict: LetterVerdict) -> list[Bar]:
    """The bars of what no fault may do to a letter."""
    return [
        Bar(f"{part}.lost", len(verdict.lost), 0),
        Bar(f"{part}.doubled", len(verdict.doubled), 0),
        Bar(f"{part}.wrong", len(verdict.wrong), 0),
        Bar(f"{part}.stuck", len(verdict.stuck), 0),
    ]


def list_storm_bars(
    storm: Storm, verdict: LetterVerdict, *, faults: int, letters: int
) -> list[Bar]:
    """The bars of many faults at random."""
    return [
        Bar("letters.kills", storm.faults.total(), faults, at_least=True),
        Bar("letters.queued", len(storm.queued), letters, at_least=True),
        *list_kept_bars("letters", verdict),
        Bar("letters.drain_seconds", round(verdict.drain_seconds, 1), LONGEST_DRAIN),
    ]


def list_single_bars(storm: Storm, verdict: LetterVerdict) -> list[Bar]:
    """The bars of single faults."""
    regular, urgent = (verdict.find_longest_wait(urgent=urgent) for urgent in (False, True))
    return [
        Bar("recovery.faults", storm.faults.total(), len(SINGLE_FAULTS), at_least=True),
        *list_kept_bars("recovery", verdict),
        Bar("recovery.longest_wait_seconds", regular, LONGEST_WAIT),
        Bar("recovery.longest_urgent_wait_seconds", urgent, LONGEST_URGENT_WAIT),
    ]
