"""A worker killed at any step of a batch: every letter of it is filed exactly once in the end."""

import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from letters import services
from letters.models import Letter, LetterStep
from tests import processes

from . import factories as make

pytestmark = [
    pytest.mark.faults,
    pytest.mark.every_database,
    pytest.mark.usefixtures("committed_db"),
]

# The steps of a batch. The worker is killed when it has done the step for the Nth time.
STEPS = {
    "letters are claimed, not committed": ("letters.models.LetterQuerySet.claim", 1),
    "the step is recorded, not committed": ("letters.services._record_steps", 1),
    "the claim is committed": ("letters.services._claim_letters", 1),
    "a letter is typeset": ("letters.typesetting.typeset_words", 3),
    "a file is stored": ("files.services.WrittenFile.put_into_storage", 3),
    "all files are stored": ("files.services.WrittenFile.put_into_storage", 5),
    "the files have rows, not committed": ("files.services.record_written_files", 1),
    "letters are filed, not committed": ("letters.models.LetterQuerySet.mark_filed", 1),
    "their steps are recorded, not committed": ("letters.services._record_steps", 2),
    "all is committed": ("letters.services.render_letters", 1),
}

WORKER = """
import os, signal, sys, uuid
import django
django.setup()
from django.utils.module_loading import import_string
from unittest import mock
from django.utils import timezone
import letters.tasks, letters.services, files.services
from letters import typesetting
from tests.letters.factories import stand_in
typesetting.typeset_words = stand_in
path, times = sys.argv[1], int(sys.argv[2])
owner, _, name = path.rpartition(".")
owner = import_string(owner) if owner.rpartition(".")[2][0].isupper() else sys.modules[owner]
real, calls = getattr(owner, name), []
def killed_after(*args, **kwargs):
    done = real(*args, **kwargs)
    calls.append(1)
    if len(calls) == times:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
setattr(owner, name, killed_after)
letters.tasks.render_letters(letter_ids=sys.argv[3:])
"""


def queue_letters(count):
    wording = make.wording()
    composed = make.composed(wording)
    now = timezone.now()
    return [
        make.enqueue(
            wording,
            reference=f"CM26-{number:07d}",
            document=make.determination(composed, case_number=f"CM26-{number:07d}"),
            at=now,
        )
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_a_step_files_each_letter_once(step, run_folder, monkeypatch, settings):
    letters = queue_letters(5)
    # Rows are put back after each test, and files are not.
    before = services.files.compare_with_storage(at=timezone.now())
    (message,) = services._claim_due_messages(at=timezone.now(), limit=100)
    assert len(message) == 5
    path, times = STEPS[step]
    ended = subprocess.run(
        [sys.executable, "-c", WORKER, path, str(times), *map(str, message)],
        env=processes.environment(run_folder),
        cwd=make.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    filed = Letter.objects.filter(state="FILED").count()
    assert filed == (5 if step == "all is committed" else 0)

    monkeypatch.setattr("letters.typesetting.typeset_words", make.stand_in)
    at = timezone.now() + timedelta(seconds=settings.LETTER_LEASE_SECONDS + 1)
    services.requeue_lost_letters(at=at)
    for letter_id in services.claim_due_letters(at=at):
        services.render_letter(letter_id=letter_id, at=at, now=lambda: at)
    for letter in letters:
        letter.refresh_from_db()
        assert letter.is_filed
        assert letter.steps.filter(kind=LetterStep.Kind.FILED).count() == 1
        assert services.files.read_bytes(letter.file).startswith(b"%PDF-")
    # No file is left over: those of the killed worker are those of the letters.
    differences = services.files.compare_with_storage(at=at)
    assert set(differences.files_without_row) <= set(before.files_without_row)
    assert not differences.rows_without_file


def test_a_letter_that_kills_its_worker_fails_alone(run_folder, monkeypatch, settings):
    """Twenty in a message; one of them ends the process each time, and the others go out."""
    letters = queue_letters(20)
    poison = str(letters[6].pk)
    worker = WORKER.replace(
        "typesetting.typeset_words = stand_in",
        f"""
def typeset(words, layout, on):
    if words["case_number"] == {letters[6].reference!r}:
        os.kill(os.getpid(), signal.SIGKILL)
    return stand_in(words, layout, on)
typesetting.typeset_words = typeset
""",
    )
    monkeypatch.setattr("letters.typesetting.typeset_words", make.stand_in)
    at = timezone.now()
    sizes = []
    for _ in range(settings.LETTER_MAX_ATTEMPTS):
        messages = []
        services.publish_due_letters(send=messages.append, broker_error=OSError, at=at)
        sizes.append([len(message) for message in messages])
        for message in messages:
            ids = [str(letter_id) for letter_id in message]
            if poison not in ids:
                services.render_letters(letter_ids=message, at=at, now=lambda at=at: at)
                continue
            ended = subprocess.run(
                [sys.executable, "-c", worker, "letters.services._claim_letters", "99", *ids],
                env=processes.environment(run_folder),
                cwd=make.ROOT,
                capture_output=True,
                check=False,
            )
            assert ended.returncode == -signal.SIGKILL
        at = timezone.now() + timedelta(seconds=settings.LETTER_LEASE_SECONDS + 1)
        services.requeue_lost_letters(at=at)
    assert sizes == [[20], [1] * 20, [1]]
    assert Letter.objects.filter(state="FILED").count() == 19
    failed = Letter.objects.get(state="FAILED")
    assert str(failed.pk) == poison
    assert failed.failure == "The worker stopped 3 times before the letter was filed."


@pytest.fixture(autouse=True)
def _close_connections():
    yield
    connections.close_all()
